"""``verify``: the stored weights are evaluated again, or the whole run is repeated.

What a folder claims is worth nothing before; afterwards ``verification.json`` lies beside it.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import envs
from agents import Agent
from benchmark.assessment import assess
from benchmark.comparison import differ
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.evaluation import Episodes, evaluate, mean_figures
from benchmark.manifest import code_version, hardware, versions
from benchmark.problems import resolve_device
from benchmark.protocol import Protocol
from benchmark.references import act_of, load_optimum, rows_of, scale_of
from benchmark.store import write_json
from benchmark.strangers import agent_of, problem_of, protocol_of, whole_number
from benchmark.submission import RESULT, WEIGHTS, Submission, check_weights, read_submission
from benchmark.training import train

VERIFICATION = "verification.json"

SELF_REPORTED, RE_EVALUATED, RETRAINED = "self-reported", "re-evaluated", "retrained"
"""Badges, from nothing checked to everything repeated."""

ELSEWHERE = 1e-6
"""Relative difference of a figure that another machine or version may make."""

RETRAINED_ELSEWHERE = 0.02
"""Relative difference of mean J after training again on another machine: rounding there leads to
another policy, as another seed would."""

REDUCED = 1e-9
"""Relative difference of a mean that the order of a sum may make."""


@dataclass(frozen=True)
class Case:
    """A submission with everything it needs to act.

    Attributes:
        submission: What was handed in.
        problem: Its problem.
        protocol: Its protocol.
        device: Where its agent acts.
        elsewhere: In what this is not the machine, the versions and the code it was made with.
        allowed: A class the user lets run.
        root: Where reference rows are kept.
    """

    submission: Submission
    problem: envs.Problem
    protocol: Protocol
    device: str
    elsewhere: tuple[str, ...]
    allowed: str | None
    root: Path

    @property
    def tolerance(self) -> float:
        """Largest relative difference of a re-evaluated figure."""
        return ELSEWHERE if self.elsewhere else 0.0

    def agent(self) -> Agent:
        """The agent, untrained."""
        return agent_of(self.submission, self.problem, self.device, self.allowed)


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
        case = _open(options.folder, options.allow, options.results, Path(place))
        for line in _conditions(case):
            print(line, flush=True)
        verification = _verification(case, Path(place), options.retrain)
    try:
        write_json(path, verification)
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error}") from error
    print(f"badge: {verification['badge']} ({path})")
    if verification["message"] is None:
        return EXIT_OK
    raise BenchmarkError(f"{options.folder} does not hold: {verification['message']}", EXIT_FAILED)


def _open(folder: Path, allowed: str | None, root: Path, place: Path) -> Case:
    submission = read_submission(folder)
    import torch

    torch.set_num_threads(max(whole_number(submission, "threads", 256), 1))
    problem = problem_of(submission, place)
    protocol = protocol_of(submission)
    stored = str(submission.config.get("device"))
    device = resolve_device("cuda" if stored == "cuda" and torch.cuda.is_available() else "cpu")
    elsewhere = _differences(submission, device)
    return Case(submission, problem, protocol, device, elsewhere, allowed, root)


def _differences(submission: Submission, device: str) -> tuple[str, ...]:
    """In what this machine and these versions are not those the run was made with."""
    manifest = submission.manifest
    found = []
    for name, now in (("hardware", hardware(device)), ("versions", versions())):
        then = manifest.get(name)
        then = then if isinstance(then, dict) else {}
        keys = sorted(then.keys() | now.keys())
        found += [
            f"{key} {str(then.get(key))[:60]}, here {now.get(key)}"
            for key in keys
            if then.get(key) != now.get(key)
        ]
    if manifest.get("code_version") != code_version():
        found.append(f"code {str(manifest.get('code_version'))[:12]}, here {code_version()[:12]}")
    return tuple(found)


def _conditions(case: Case) -> list[str]:
    head = f"{case.problem.name}, {case.protocol.test_scenarios:,} held-out scenarios"
    if not case.elsewhere:
        return [f"{head}: same machine, versions and code, expected to be equal to the digit"]
    rest = f" and {len(case.elsewhere) - 3} more" if len(case.elsewhere) > 3 else ""
    return [
        f"{head}: made elsewhere ({'; '.join(case.elsewhere[:3])}{rest}), expected to be equal to "
        f"{ELSEWHERE:g} of each figure"
    ]


def _verification(case: Case, place: Path, retrain: bool) -> dict[str, Any]:
    stored = case.submission.episodes
    evaluated = _evaluated(case, _loaded(case, place)).columns()
    difference = differ(stored, evaluated, case.tolerance)
    message = difference.where or _misreported(case)
    badge = SELF_REPORTED if message else RE_EVALUATED
    print(
        f"re-evaluated: largest relative difference {difference.largest:.3g}, "
        f"{'ok' if difference.where is None else difference.where}",
        flush=True,
    )
    again = None
    if retrain and message is None:
        again = _retrained(case)
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
        "max_relative_difference": (
            difference.largest if np.isfinite(difference.largest) else None
        ),
        "scenarios": case.protocol.test_scenarios,
        "message": message,
        "retrained": again,
        "submission": case.submission.seal,
        "code_version": code_version(),
        "machine": hardware(case.device),
        "versions": versions(),
    }


def _loaded(case: Case, place: Path) -> Agent:
    """The agent with the weights that were handed in."""
    submission = case.submission
    check_weights(submission.folder, submission.weights)
    agent = case.agent()
    weights = place / WEIGHTS
    weights.mkdir()
    for name, data in submission.weights.items():
        (weights / name).write_bytes(data)
    try:
        agent.load(weights)
    except Exception as error:  # whatever a third party's load may raise
        text = " ".join(str(error).split()).replace(str(weights), WEIGHTS)
        raise BenchmarkError(
            f"{submission.folder / WEIGHTS} cannot be loaded: {type(error).__name__}: {text[:400]}"
        ) from error
    return agent


def _evaluated(case: Case, agent: Agent) -> Episodes:
    try:
        return evaluate(case.problem, act_of(agent), case.protocol.test_scenarios, "test")
    except (ArithmeticError, ValueError, TypeError, RuntimeError) as error:
        raise BenchmarkError(
            f"{case.submission.folder}: the agent cannot act: {error}", EXIT_FAILED
        ) from error


def _misreported(case: Case) -> str | None:
    """Which figure of the reported result does not follow from its own episodes."""
    episodes = Episodes.from_columns(case.submission.episodes)
    scale = scale_of(case.problem, case.protocol, case.root)
    rows = rows_of(case.problem, case.protocol, scale, case.root)
    optimum = load_optimum(case.problem, case.protocol.test_scenarios, case.root)
    standing = assess("agent", episodes, rows, optimum, "")
    expected = {
        **mean_figures(episodes),
        "score": standing["score"],
        "gap_closed": standing["gap_closed"],
    }
    for name, value in expected.items():
        reported = case.submission.result.get(name)
        tolerance = max(REDUCED, case.tolerance) if name in ("score", "gap_closed") else REDUCED
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


def _retrained(case: Case) -> dict[str, Any]:
    """Train again from the config, and compare what was learnt."""
    seed = whole_number(case.submission, "seed", 2**63 - 1)
    scale = scale_of(case.problem, case.protocol, case.root)
    agent = case.agent()
    train(case.problem, case.protocol, agent, seed, scale, f"{case.problem.name} again")
    episodes = _evaluated(case, agent).columns()
    stored = case.submission.episodes
    difference = differ(stored, episodes, case.tolerance)
    mean_g = float(np.mean(episodes["objective_g"]))
    claimed_g = float(np.mean(stored["objective_g"]))
    relative = abs(mean_g - claimed_g) / max(abs(mean_g), abs(claimed_g), 1e-12)
    message = None
    if not case.elsewhere:
        message = difference.where and f"trained again, {difference.where}"
    elif relative > RETRAINED_ELSEWHERE:
        message = (
            f"trained again, mean J is {mean_g:.6g} g, in the folder {claimed_g:.6g} g: "
            f"{relative:.2%} apart, more than {RETRAINED_ELSEWHERE:.0%}"
        )
    return {
        "objective_g": mean_g,
        "relative_difference": relative,
        "max_relative_difference": difference.largest if np.isfinite(difference.largest) else None,
        "message": message,
    }
