"""``measure``: training repeated alone on an idle machine, for energy figures that are published.

Runs that share a machine can only be told apart by their processor time. Here one run after the
other has the machine to itself, and what the machine draws is what the run draws.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.case import Case, open_case
from benchmark.energy import EnergyMeter, is_estimate
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.load import LoadMeter
from benchmark.manifest import code_version, hardware, versions
from benchmark.store import locked, write_json
from benchmark.table import significant

MEASURED = "measured.json"

IDLE = 0.05
"""A machine of which others keep more than this share busy is not idle."""

WATCH_S = 3.0
"""How long the machine is watched before a measurement."""

INTERVAL_S = 5.0
"""Between two readings, when the config names none that can be used."""


def measure(arguments: Sequence[str]) -> int:
    """Measure the training of finished runs, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark measure",
        description="Repeat the training of finished runs, one at a time, and measure it.",
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="RUN", help="of a finished run")
    parser.add_argument(
        "--allow", metavar="PKG.CLASS", help="run this class of a third party, which you trust"
    )
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="where reference rows are kept"
    )
    options = parser.parse_args(arguments)
    with locked(
        options.results / ".locks" / "measure", busy="another process is measuring: one at a time"
    ):
        for folder in options.folders:
            with tempfile.TemporaryDirectory(prefix="benchmark-measure-") as place:
                case = open_case(folder, options.allow, options.results, Path(place))
                _demand_idle()
                measured = _measured(case)
            write_json(folder / MEASURED, measured)
            print(_told(folder, measured), flush=True)
    return EXIT_OK


def _demand_idle() -> None:
    meter = LoadMeter()
    time.sleep(WATCH_S)
    others = meter.read().others
    if others > IDLE:
        raise BenchmarkError(
            f"others keep {others:.0%} of this machine busy, expected at most {IDLE:.0%}: what it "
            "draws would not be this run's; wait until it is idle",
            EXIT_FAILED,
        )


def _measured(case: Case) -> dict[str, Any]:
    energy = case.submission.config.get("energy")
    energy = energy if isinstance(energy, dict) else {}
    interval = energy.get("interval_s")
    meter = EnergyMeter(
        str(energy.get("country", "DEU"))[:3],
        float(interval) if isinstance(interval, int | float) and interval > 0 else INTERVAL_S,
        case.device,
        alone=True,
    )
    load = LoadMeter()
    again = case.retrained(meter)
    others = load.read().others
    reading = meter.reading
    return {
        **reading.as_dict(),
        "estimate": is_estimate(reading.method),
        "alone": others <= IDLE,
        "others_share": others,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "same_training": again["message"] is None,
        "difference": again["message"],
        "payback": _payback(case.submission.result, reading.gco2),
        "submission": case.submission.seal,
        "code_version": code_version(),
        "machine": hardware(case.device),
        "versions": versions(),
    }


def _payback(result: Mapping[str, Any], gco2: float | None) -> dict[str, Any] | None:
    """The run's payback with the measured carbon in place of the run's own: it is proportional."""
    stored, before = result.get("payback"), result.get("train_gco2")
    if not isinstance(stored, dict) or stored.get("decisions") is None:
        return None
    if gco2 is None or not isinstance(before, int | float) or before <= 0:
        return None
    scaled = {
        name: None if stored.get(name) is None else float(stored[name]) * gco2 / before
        for name in ("decisions", "units")
    }
    return {**scaled, "unit": stored.get("unit"), "against": stored.get("against")}


def _told(folder: Path, measured: Mapping[str, Any]) -> str:
    if measured["wh"] is None:
        return f"{folder}: not measured: {measured['reason']}"
    kind = "estimated" if measured["estimate"] else "measured"
    text = (
        f"{folder}: {significant(measured['wh'])} Wh, {significant(measured['gco2'])} gCO2e {kind} "
        f"in {measured['seconds']:.0f} s ({measured['method']})"
    )
    if not measured["alone"]:
        text += f"; NOT alone: others kept {measured['others_share']:.0%} of the machine busy"
    if not measured["same_training"]:
        text += f"; NOT the same training: {measured['difference']}"
    return text
