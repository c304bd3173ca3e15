"""The formats: hourly carbon intensity of Electricity Maps, EPW weather, sessions, plain CSV.

A file is recognised by its first line. What it holds is never repeated in a message: rows are told
by their number, columns by the names that are known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from envs.spec.diagnostics import Finding, shorten
from envs.traces import humid_air, sessions
from envs.traces.files import table_rows
from envs.traces.series import DAY_S, Series, evenly, filled

Array = NDArray[np.float64]

DAY_OF_YEAR = "day_of_year"
_LARGEST = 1e30
_MISSING = ("", "-", "na", "n/a", "nan", "none", "null")

# Names of the columns of an Electricity Maps file, with words of the publisher's headings.
_CARBON = {"life_cycle": ("(lca)", "(life cycle)", "(life-cycle)"), "direct": ("(direct)",)}

# Name: (column of the file, unit, the code for a missing value and everything from it on).
# Source: EnergyPlus auxiliary programs, weather file data dictionary.
_EPW: Mapping[str, tuple[int, str, float]] = {
    "dry_bulb": (6, "degC", 99.9),
    "dew_point": (7, "degC", 99.9),
    "humidity": (8, "percent", 999.0),
    "pressure": (9, "Pa", 999999.0),
    "irradiance": (13, "W/m^2", 9999.0),
    "direct_normal": (14, "W/m^2", 9999.0),
    "diffuse": (15, "W/m^2", 9999.0),
    "wind_speed": (21, "m/s", 999.0),
}


def read_series(data: bytes, column: str | None = None, interval_s: int | None = None) -> Series:
    """One column of a recording.

    Args:
        data: The unpacked file.
        column: Which one; None is the life-cycle intensity of a carbon file and the only column of
            numbers of another. ``day_of_year`` is when it was.
        interval_s: What the interval must be; None takes the file's own, an hour when it has no
            times.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    if column == DAY_OF_YEAR:
        return _day_of_year(data, interval_s)
    if data.lstrip()[:1] == b"{":
        return sessions.rates(sessions.from_json(data), column, interval_s)
    rows = table_rows(data)
    try:
        head = next(rows)
        if head[0].upper() == "LOCATION":
            return _epw(rows, column, interval_s)
        names = [name.strip().casefold() for name in head]
        if {"arrival", "departure"} <= set(names):
            return sessions.rates(sessions.from_rows(head, rows), column, interval_s)
        return _table(names, list(rows), column, interval_s)
    except StopIteration:
        raise Finding("bad-trace", "rows of a series", "an empty file", "mend the file") from None


def _day_of_year(data: bytes, interval_s: int | None) -> Series:
    """When it was: from 0 on 1 January, so that sun and season can follow the recorded day."""
    for column in ("life_cycle", "dry_bulb", "connected"):
        with suppress(Finding):
            series = read_series(data, column, interval_s)
            middle = series.first_s + (np.arange(len(series.values)) + 0.5) * series.interval_s
            days = np.mod(middle / DAY_S, 365.0)
            return replace(series, values=days, unit="1")
    raise unknown_column(DAY_OF_YEAR, ())


def _epw(rows: Iterator[list[str]], column: str | None, interval_s: int | None) -> Series:
    """Hourly weather in local standard time; row n of a day is its n-th hour."""
    if column not in (*_EPW, "wet_bulb"):
        raise unknown_column(column, (*_EPW, "wet_bulb"))
    body = [row for row in rows if len(row) > 21 and row[0].strip().isdigit()]
    if not body:
        raise Finding("bad-trace", "an EPW weather file", "one without hours", "fetch it again")

    def measured(name: str) -> Array:
        place, _, missing = _EPW[name]
        values = _numbers(body, place)
        return np.where(values >= missing, np.nan, values)

    if column == "wet_bulb":
        air = [measured(name) for name in ("dry_bulb", "humidity", "pressure")]
        values = humid_air.wet_bulb_c(air[0], np.clip(air[1] / 100, 0, 1), air[2])
        values[~np.isfinite(sum(air))] = np.nan
    else:
        values = measured(column)
    if interval_s not in (None, 3600):
        raise Finding("bad-trace", "interval: 1 h", f"{interval_s} s", "EPW files are hourly")
    first = np.array([_numbers(body[:1], place)[0] for place in (1, 2, 3)])
    if not (1 <= first[0] <= 12 and 1 <= first[1] <= 31 and 1 <= first[2] <= 24):
        raise Finding("bad-trace", "month, day and hour", "another first row", "fetch it again")
    days = (datetime(2021, int(first[0]), 1) - datetime(2021, 1, 1)).days + int(first[1]) - 1
    unit = "degC" if column == "wet_bulb" else _EPW[column][1]
    begin = days * 86400 + int(first[2] - 1) * 3600
    return Series(filled(values, 3600), 3600, begin, utc=False, unit=unit)


def _table(
    names: list[str], rows: list[list[str]], column: str | None, interval_s: int | None
) -> Series:
    """Rows of a time, where the first column has one, and numbers."""
    carbon = any("carbon intensity" in name for name in names)
    dated = bool(rows) and moment(rows[0][0]) is not None
    place = _carbon_column(names, column) if carbon else _column(names, rows, column, dated)
    if not rows:
        raise Finding("bad-trace", "rows of a series", "a heading alone", "mend the file")
    values = _numbers(rows, place)
    unit = "gCO2e/kWh" if carbon and "carbon intensity" in names[place] else None
    if not dated:
        interval = interval_s or 3600
        return Series(filled(values, interval), interval, unit=unit)
    moments = [moment(row[0]) for row in rows]
    if None in moments:
        row = moments.index(None) + 1
        raise Finding(
            "bad-trace", "a date and time in each row", f"none in row {row}", "mend the file"
        )
    utc = "utc" in names[0] or moments[0].tzinfo is not None  # type: ignore[union-attr]
    plain = [m.astimezone(UTC).replace(tzinfo=None) if m.tzinfo else m for m in moments if m]
    origin = datetime(plain[0].year, 1, 1)
    times = np.array([round((m - origin).total_seconds()) for m in plain])
    even, interval = evenly(values, times, interval_s)
    return Series(filled(even, interval), interval, int(times[0]), utc, unit)


def _carbon_column(names: list[str], column: str | None) -> int:
    wanted = _CARBON.get(column or "life_cycle")
    for place, name in enumerate(names):
        if wanted and "carbon intensity" in name and any(word in name for word in wanted):
            return place
    if column is not None and column.strip().casefold() in names:
        return names.index(column.strip().casefold())
    raise unknown_column(column, tuple(_CARBON))


def _column(names: list[str], rows: list[list[str]], column: str | None, dated: bool) -> int:
    if column is not None:
        if column.strip().casefold() not in names:
            raise unknown_column(column, ())
        return names.index(column.strip().casefold())
    # A first column without a name, or of dates, counts the rows.
    places = range(1 if dated or not names[0] else 0, len(names))
    if len(places) != 1:
        raise Finding(
            "bad-trace",
            "a column, for instance column: load",
            f"none named, and {len(places)} in the file",
            "name one by its heading",
        )
    return places[0]


def unknown_column(column: str | None, known: tuple[str, ...]) -> Finding:
    """A column that a file does not have."""
    expected = f"a column: {', '.join(known)}" if known else "a column by its heading"
    actual = "none named" if column is None else f"'{shorten(column)}', which is not there"
    return Finding("bad-trace", expected, actual, "name one that the file has")


def _numbers(rows: list[list[str]], place: int) -> Array:
    """A column; what is missing is NaN.

    Raises:
        Finding: ``bad-trace`` for what is neither a number nor missing.
    """
    values = np.full(len(rows), np.nan)
    for count, row in enumerate(rows):
        text = row[place].strip() if place < len(row) else ""
        if text.casefold() in _MISSING:
            continue
        try:
            values[count] = float(text) if text.isascii() and "_" not in text else np.inf
        except ValueError:
            values[count] = np.inf
        if not abs(values[count]) < _LARGEST:
            raise Finding(
                "bad-trace",
                "numbers, or nothing where they are missing",
                f"something else in row {count + 1}",
                "mend that row, or name another column",
            )
    return values


def moment(text: str) -> datetime | None:
    """A date and time in ISO 8601, or None."""
    try:
        return datetime.fromisoformat(text.strip()) if "-" in text[:9] else None
    except ValueError:
        return None
