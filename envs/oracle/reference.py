"""References: the objective that each method reaches, or proves, on each held-out scenario."""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.simulation import draws

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]
Solver = Callable[["Problem", str, NDArray[np.int64]], Mapping[str, Array]]
"""``solve(problem, split, scenarios)`` gives the objective in grams of each scenario, by method."""

COMMITTED = Path(__file__).parent / "reference"

_SOLVERS: dict[str, tuple[str, ...]] = {
    "water_filling": ("envs.oracle.water_filling",),
    "branch_and_bound": ("envs.oracle.branch_and_bound",),
    "irs_phases": ("envs.oracle.irs_phases",),
    "irs_site": ("envs.oracle.irs_site",),
    "cooling_day": ("envs.oracle.cooling", "envs.oracle.cooling_mpc"),
    "day_lagrangian": ("envs.oracle.offload", "envs.oracle.offload_mpc"),
    "v2g_day": ("envs.oracle.v2g", "envs.oracle.v2g_mpc"),
    "feeder_day": ("envs.oracle.feeder",),
}
"""Modules with a ``solve`` function, by the ``meta.certified`` name of a spec."""

_DESCENT = "envs.oracle.descent"
_CHUNK_STEPS = 16_384


@dataclass(frozen=True)
class Reference:
    """What is known of a problem's optimum on some scenarios.

    Attributes:
        digest: Of what decides the problem's J (``Problem.objective_digest``).
        split: Where the scenarios are from.
        scenarios: Their numbers, ``(scenario,)``.
        objective_g: By method: ``certified`` (a proven lower bound), ``best_known`` (attained with
            full foresight) and ``mpc`` (attained on forecasts), each ``(scenario,)``.
    """

    digest: str
    split: str
    scenarios: NDArray[np.int64]
    objective_g: Mapping[str, Array]


def load_reference(
    problem: Problem, split: str = "test", folder: Path | None = None
) -> Reference | None:
    """Read the reference of a problem; None when there is none for its digest.

    Args:
        problem: Looked up by name, objective digest and version of the draws.
        split: Of the scenarios.
        folder: Where else than among the committed references to look.
    """
    for place in (COMMITTED, folder):
        path = _path(place, problem, split) if place is not None else None
        if path is None or not path.is_file():
            continue
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["digest"] == problem.objective_digest and data["draws"] == draws.VERSION:
            return Reference(
                data["digest"],
                data["split"],
                np.array(data["scenarios"], dtype=np.int64),
                {method: np.array(values) for method, values in data["objective_g"].items()},
            )
    return None


def compute(
    problem: Problem,
    scenarios: int = 500,
    split: str = "test",
    folder: Path = COMMITTED,
    progress: Callable[[int, int], None] | None = None,
) -> Reference:
    """Compute the reference of the first scenarios of a split, and keep it in a folder.

    Finished pieces are kept in ``folder/partial`` until all are there, so that an interrupted
    computation goes on where it was.

    Args:
        problem: With a registered solver (``meta.certified``), or any other, by descent.
        scenarios: How many.
        split: Of which split.
        folder: Where the reference is kept.
        progress: Called with scenarios done and scenarios in all.

    Raises:
        RuntimeError: A proven bound lies above what was attained: the proof or the simulation errs.
    """
    solve = solver(problem)
    size = max(1, _CHUNK_STEPS // problem.horizon)
    parts: list[dict[str, Any]] = []
    pieces = folder / "partial" / f"{problem.objective_digest[:16]}-{split}"
    for start in range(0, scenarios, size):
        stop = min(start + size, scenarios)
        piece = pieces / f"{start}-{stop}.json"
        if not piece.is_file():
            found = solve(problem, split, np.arange(start, stop, dtype=np.int64))
            _check(problem, found, start)
            _write(piece, {method: values.tolist() for method, values in found.items()})
        parts.append(json.loads(piece.read_text(encoding="utf-8")))
        if progress is not None:
            progress(stop, scenarios)
    methods = {method: np.concatenate([part[method] for part in parts]) for method in parts[0]}
    reference = Reference(
        problem.objective_digest, split, np.arange(scenarios, dtype=np.int64), methods
    )
    _write(_path(folder, problem, split), _as_json(reference))
    for piece in pieces.glob("*.json"):
        piece.unlink()
    pieces.rmdir()
    return reference


def solver(problem: Problem) -> Solver:
    """The registered solvers of a problem together, or descent where there is none."""
    names = _SOLVERS.get(problem.certified or "", (_DESCENT,))
    parts: list[Solver] = [importlib.import_module(name).solve for name in names]

    def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
        found: dict[str, Array] = {}
        for part in parts:
            found.update(part(problem, split, scenarios))
        return found

    return solve


def _check(problem: Problem, found: Mapping[str, Array], start: int) -> None:
    if "certified" not in found:
        return
    for method in ("best_known", "mpc"):
        if method in found:
            slack = found[method] - found["certified"] * (1 - 1e-7)
            worst = int(np.argmin(slack))
            if slack[worst] < -1e-12:
                raise RuntimeError(
                    f"{problem.name}, scenario {start + worst}: {method} attains "
                    f"{found[method][worst]:.9g} g, below the proven bound of "
                    f"{found['certified'][worst]:.9g} g; the bound or the simulation is wrong"
                )


def _path(folder: Path, problem: Problem, split: str) -> Path:
    return folder / f"{problem.name}-{split}.json"


def _as_json(reference: Reference) -> dict[str, Any]:
    return {
        "digest": reference.digest,
        "draws": draws.VERSION,
        "split": reference.split,
        "scenarios": reference.scenarios.tolist(),
        "objective_g": {
            method: [float(f"{value:.9g}") for value in values]
            for method, values in reference.objective_g.items()
        },
    }


def _write(path: Path, data: Any) -> None:
    """Write JSON whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(data, file)
        file.write("\n")
    os.chmod(name, 0o644)  # temporary files are private; a reference is not
    os.replace(name, path)
