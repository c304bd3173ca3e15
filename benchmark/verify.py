"""``verify``: the stored weights are evaluated again, or the whole run is repeated.

What a folder claims is worth nothing before; afterwards ``verification.json`` lies beside it.
"""

import argparse
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.assessment import assess
from benchmark.case import ELSEWHERE, Case, open_case
from benchmark.comparison import differ
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.evaluation import Episodes, mean_figures
from benchmark.manifest import code_version, hardware, versions
from benchmark.references import load_optimum, rows_of, scale_of
from benchmark.seal import RESULT
from benchmark.store import write_json

VERIFICATION = "verification.json"

SELF_REPORTED, RE_EVALUATED, RETRAINED = "self-reported", "re-evaluated", "retrained"
"""Badges, from nothing checked to everything repeated."""

REDUCED = 1e-9
"""Relative difference of a mean that the order of a sum may make."""


def verify(arguments: Sequence[str]) -> int:
    """Verify a run or a submission: exit code 0 when it holds, 1 when not, 2 when it is refused."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark verify",
        description="Evaluate the weights of a run again on the held-out scenarios.",
    )
    parser.add_argument("folder", type=Path, help="the folder of a finished run, or a submission")
    parser.add_argument(
        "--retrain", action="store_true", help="train again from the config, and compare that too"
    )
    parser.add_argument(
        "--allow", metavar="PKG.CLASS", help="run this class of a third party, which you trust"
    )
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="where reference rows are kept"
    )
    options = parser.parse_args(arguments)
    path = options.folder / VERIFICATION
    try:
        path.unlink(missing_ok=True)  # a badge that came with the folder is none
    except OSError as error:
        raise BenchmarkError(f"cannot replace {path}: {error}") from error
    with tempfile.TemporaryDirectory(prefix="benchmark-verify-") as place:
        case = open_case(options.folder, options.allow, options.results, Path(place))
        for line in _conditions(case):
            print(line, flush=True)
        verification = _verification(case, options.retrain)
    try:
        write_json(path, verification)
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error}") from error
    print(f"badge: {verification['badge']} ({path})")
    if verification["message"] is None:
        return EXIT_OK
    raise BenchmarkError(f"{options.folder} does not hold: {verification['message']}", EXIT_FAILED)


def _conditions(case: Case) -> list[str]:
    head = f"{case.problem.name}, {case.protocol.test_scenarios:,} held-out scenarios"
    if not case.elsewhere:
        return [f"{head}: same machine, versions and code, expected to be equal to the digit"]
    return [
        f"{head}: made elsewhere, expected to be equal to {ELSEWHERE:g} of each figure",
        *(f"  {difference}" for difference in case.elsewhere),
    ]


def _verification(case: Case, retrain: bool) -> dict[str, Any]:
    stored = case.submission.episodes
    difference = differ(stored, case.evaluated(case.trained()).columns(), case.tolerance)
    message = difference.where or _misreported(case)
    badge = SELF_REPORTED if message else RE_EVALUATED
    print(
        f"re-evaluated: largest relative difference {difference.largest:.3g}, "
        f"{difference.where or 'ok'}",
        flush=True,
    )
    again = None
    if retrain and message is None:
        again = case.retrained()
        print(
            f"retrained: mean J {again['objective_g']!r} g, in the folder "
            f"{float(np.mean(stored['objective_g']))!r} g, {again['message'] or 'ok'}",
            flush=True,
        )
        message = again["message"]
        badge = RE_EVALUATED if message else RETRAINED
    return {
        "badge": badge,
        "verified_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "expected": "to the digit" if not case.elsewhere else f"to {ELSEWHERE:g}",
        "made_elsewhere": list(case.elsewhere),
        "max_relative_difference": difference.finite,
        "scenarios": case.protocol.test_scenarios,
        "message": message,
        "retrained": again,
        "submission": case.submission.seal,
        "code_version": code_version(),
        "machine": hardware(case.device),
        "versions": versions(),
    }


def _misreported(case: Case) -> str | None:
    """Which figure of the reported result does not follow from its own episodes."""
    episodes = Episodes.from_columns(case.submission.episodes)
    scale = scale_of(case.problem, case.protocol, case.root)
    rows = rows_of(case.problem, case.protocol, scale, case.root)
    optimum = load_optimum(case.problem, case.protocol.test_scenarios, case.root)
    standing = assess("agent", episodes, rows, optimum, "")
    means = mean_figures(episodes)
    placed = {name: standing[name] for name in ("score", "gap_closed")}
    for figures, tolerance in ((means, REDUCED), (placed, max(REDUCED, case.tolerance))):
        for name, value in figures.items():
            reported = case.submission.result.get(name)
            if not _agree(value, reported, tolerance):
                return f"{RESULT} reports {name} {str(reported)[:100]}; its episodes give {value}"
    return None


def _agree(expected: Any, reported: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(reported, dict)
            and expected.keys() == reported.keys()
            and all(_agree(expected[name], reported[name], tolerance) for name in expected)
        )
    if expected is None or isinstance(reported, bool) or not isinstance(reported, int | float):
        return expected is None and reported is None
    return bool(abs(expected - reported) <= tolerance * max(abs(expected), abs(reported), 1e-12))
