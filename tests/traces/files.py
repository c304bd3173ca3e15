"""Small made-up files in the formats of the publishers."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CARBON_HEAD = (
    "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),"
    "Carbon Intensity gCO₂eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage,Data Source,"
    "Data Estimated,Data Estimation Method"
)
SESSION_HEAD = (
    "arrival,departure,requested_energy (kWh),delivered_energy (kWh),station_id,session_id,"
    "estimated_departure,claimed"
)


def write(path: Path, text: str) -> Path:
    """Write text, packed if the name ends in .gz."""
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def carbon(life_cycle: Array, zone: str = "DE", start: str = "2023-01-01") -> str:
    """Hourly carbon intensity; the direct one is half of the life cycle's."""
    first = datetime.fromisoformat(start)
    rows = [
        f"{first + timedelta(hours=hour)},Land,{zone},{zone},{value / 2},{value},50,40,"
        '"source.example;  two",false,'
        for hour, value in enumerate(life_cycle)
    ]
    return "\n".join([CARBON_HEAD, *rows]) + "\n"


def carbon_of_days(days: int) -> Array:
    """Each hour tells its day and hour: 100 + day + hour / 100."""
    return 100 + np.arange(days * 24) // 24 + np.arange(days * 24) % 24 / 100


def weather(dry_bulb_c: Array, humidity: Array, irradiance: Array | None = None) -> str:
    """An EPW file from 1 January."""
    light = np.zeros_like(dry_bulb_c) if irradiance is None else irradiance
    head = ["LOCATION,Somewhere,WA,USA,SRC-TMYx,727930,47.444,-122.314,-8.0,137.0"]
    head += [f"{name},0" for name in ("DESIGN CONDITIONS", "TYPICAL/EXTREME PERIODS")]
    head += ["GROUND TEMPERATURES,0", "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0", 'COMMENTS 1,"a, b"']
    head += ["COMMENTS 2,none", "DATA PERIODS,1,1,Data,Sunday,1/ 1,12/31"]
    first = datetime(2016, 1, 1)
    rows = []
    for hour in range(len(dry_bulb_c)):
        day = first + timedelta(days=hour // 24)
        rows.append(
            f"2016,{day.month},{day.day},{hour % 24 + 1},0,?9?9,{dry_bulb_c[hour]},0.0,"
            f"{humidity[hour]},101325,0,0,300,{light[hour]},0,0,0,0,0,0,0,2.0,9,9,777.7,77777,9,"
            "999999999,5,0.08,0,88,0.19,0.0,0.0"
        )
    return "\n".join([*head, *rows]) + "\n"


def sessions(rows: list[tuple[str, str, float, float]]) -> str:
    """Charging sessions: arrival, departure, requested and delivered kWh."""
    body = [f"{a},{d},{q},{e},CA-1,one,{d},True" for a, d, q, e in rows]
    return "\n".join([SESSION_HEAD, *body]) + "\n"


def plain(values: Array, name: str = "cpu_load") -> str:
    """Numbered rows of one column."""
    return "\n".join([f",{name}", *(f"{i},{value}" for i, value in enumerate(values))]) + "\n"
