"""Run folders, read one by one. What they hold is untrusted, and may be half written."""

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.store import PARTIAL

MOST_BYTES = 4_000_000
"""Of a file that is read; a run's own are a hundred times smaller."""

MOST_POINTS = 200
"""Of a learning curve that are kept."""

LONGEST_NAME = 80

FIGURES = (
    "objective_g",
    "carbon_g",
    "penalty_g",
    "violated_share",
    "score",
    "gap_closed",
    "env_steps",
    "gradient_steps",
    "train_seconds",
    "train_wh",
    "train_gco2",
)
"""Numbers of ``result.json`` that are shown; None where there is none."""

NAMES = ("env", "agent", "digest", "protocol", "conditions", "code_version", "key", "device")

CURVE = ("env_steps", "seconds", "objective_g")


class Unreadable(Exception):
    """Why a folder is skipped."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A finished run.

    Attributes:
        folder: Relative to the results.
        names: ``NAMES`` and what they are.
        agent_digest: Of the agent's values.
        seed: Of the agent and its training scenarios.
        frozen: Whether it had the published conditions of its protocol's version.
        figures: ``FIGURES``; None where there is none.
        variants: Mean J in grams by ``checkpoint.action.split``.
        payback: Decisions after which training is repaid; None when it never is.
        energy_method: How energy was found.
        curve: ``CURVE`` against the points, ``(points,)`` each.
        standing: Rows, base and reference it was placed against; why a figure is missing.
        badge: What ``verification.json`` says of it; empty without one.
    """

    folder: Path
    names: Mapping[str, str]
    agent_digest: str
    seed: int
    frozen: bool
    figures: Mapping[str, float | None]
    variants: Mapping[str, float]
    payback: float | None
    energy_method: str
    curve: Mapping[str, Sequence[float]]
    standing: Mapping[str, Any]
    badge: str

    @property
    def failed(self) -> bool:
        """Whether its J is not a number: it is shown, and averaged with nothing."""
        return self.figures["objective_g"] is None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A folder that is not read.

    Attributes:
        folder: Relative to the results.
        reason: What is wrong with it.
        corrupt: False when it is only not finished.
    """

    folder: Path
    reason: str
    corrupt: bool


def read_runs(root: Path) -> Iterator[RunRecord | Skipped]:
    """Every run folder below ``root``, in the order of its path.

    Args:
        root: The results: ``<problem>/<agent>/<run>`` below it.
    """
    for folder in _run_folders(root):
        relative = folder.relative_to(root)
        try:
            if folder.name.endswith(PARTIAL):
                yield Skipped(relative, _unfinished(folder), corrupt=False)
            else:
                yield _read(folder, relative)
        except Unreadable as error:
            yield Skipped(relative, str(error), corrupt=True)


def number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def _run_folders(root: Path) -> Iterator[Path]:
    for problem in _folders(root):
        for agent in _folders(problem):
            for run in _folders(agent):
                if run.name.startswith("seed") and not run.name.endswith(".old"):
                    yield run


def _folders(folder: Path) -> list[Path]:
    """The folders in one, sorted; hidden ones and links are none."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        ]
    return [folder / name for name in sorted(names)]


def _unfinished(folder: Path) -> str:
    try:
        status = _json(folder / "status.json")
    except Unreadable as error:
        return f"not finished; {error}"
    message = status.get("message")
    reason = f"not finished: {status.get('status')}"
    return f"{reason}; {str(message)[:300]}" if message else reason


def _read(folder: Path, relative: Path) -> RunRecord:
    result = _json(folder / "result.json")
    if result.get("status") != "done":
        raise Unreadable(f"result.json has the status {str(result.get('status'))[:40]!r}")
    names = {name: _name(result, name) for name in NAMES}
    seed = result.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) > 2**63:
        raise Unreadable("result.json: expected a whole number as seed")
    if not (folder / "manifest.json").is_file():
        raise Unreadable("there is no manifest.json")
    payback = result.get("payback")
    return RunRecord(
        folder=relative,
        names=names,
        agent_digest=_name(result, "agent_digest"),
        seed=seed,
        frozen=result.get("frozen") is True,
        figures={name: number(result.get(name)) for name in FIGURES},
        variants=_variants(result.get("variants")),
        payback=number(payback.get("decisions")) if isinstance(payback, dict) else None,
        energy_method=str(result.get("energy_method") or "")[:300],
        curve=_curve(folder / "learning_curve.csv"),
        standing=_standing(result),
        badge=_badge(folder / "verification.json"),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{path.name} is larger than {MOST_BYTES:,} bytes")
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise Unreadable(f"there is no {path.name}") from error
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise Unreadable(f"{path.name} cannot be read: {reason}") from error
    if not isinstance(value, dict):
        raise Unreadable(f"{path.name}: expected an object")
    return value


def _name(result: Mapping[str, Any], name: str) -> str:
    value = result.get(name)
    if value is None:
        raise Unreadable(f"result.json lacks {name}: another version wrote it, run it again")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or not value.isprintable():
        expected = f"a printable text of at most {LONGEST_NAME} characters"
        raise Unreadable(f"result.json: expected {expected} as {name}")
    return value


def _variants(listed: object) -> dict[str, float]:
    found = {}
    for row in listed if isinstance(listed, list) else ():
        value = number(row.get("objective_g")) if isinstance(row, dict) else None
        if value is not None:
            found[".".join(str(row.get(k)) for k in ("checkpoint", "action", "split"))] = value
    return found


def _standing(result: Mapping[str, Any]) -> dict[str, Any]:
    """The rows a run was placed against; an own agent's figures are not among them."""
    rows, reference = result.get("reference_rows"), result.get("reference")
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise Unreadable("result.json: expected a map of rows as reference_rows")
    kept = ("objective_g", "carbon_g", "penalty_g", "violated_share", "score", "gap_closed")
    shown = {
        str(name)[:LONGEST_NAME]: {figure: number(row.get(figure)) for figure in kept}
        for name, row in rows.items()
    }
    known = reference if isinstance(reference, dict) else {}
    reasons = result.get("reasons")
    told = reasons if isinstance(reasons, dict) else {}
    return {
        "rows": shown,
        "base": str(result.get("base"))[:LONGEST_NAME],
        "method": str(known.get("method") or "")[:LONGEST_NAME],
        "reasons": [
            f"{name.replace('_', ' ')}: {str(told[name])[:300]}"
            for name in ("score", "gap_closed")
            if name in told
        ],
    }


def _curve(path: Path) -> dict[str, list[float]]:
    """The learning curve; empty without one, as a curve is not what a score rests on."""
    columns: dict[str, list[float]] = {name: [] for name in CURVE}
    try:
        if path.stat().st_size > MOST_BYTES:
            return columns
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.DictReader(file))
        for row in rows[:: 1 + len(rows) // MOST_POINTS]:
            point = [number(float(row[name])) for name in CURVE]
            if None not in point:
                for name, value in zip(CURVE, point, strict=True):
                    columns[name].append(value or 0.0)
    except FileNotFoundError:
        return columns
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise Unreadable(f"learning_curve.csv cannot be read: {str(error)[:120]}") from error
    return columns


def _badge(path: Path) -> str:
    return str(_json(path).get("badge") or "")[:40] if path.is_file() else ""
