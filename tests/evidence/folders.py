"""Run folders as the harness leaves them, with figures drawn at random."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_SCRIPT = Path(__file__).parents[2] / "scripts" / "many_runs.py"
_SPEC = importlib.util.spec_from_file_location("many_runs", _SCRIPT)
assert _SPEC is not None and _SPEC.loader is not None
_many_runs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_many_runs)


def make(
    root: Path,
    seeds: int,
    problems: Sequence[str] = ("irs", "offload"),
    agents: Sequence[str] = ("gdm", "ppo"),
) -> list[Path]:
    """Folders of every problem, agent and seed; ppo is a little better than gdm."""
    rng = np.random.default_rng(1)
    return [
        _many_runs.make_run(root, problem, agent, seed, rng)
        for problem in problems
        for agent in agents
        for seed in range(seeds)
    ]


def change(folder: Path, **values: Any) -> None:
    """Change fields of a run's result."""
    path = folder / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
