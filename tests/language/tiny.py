"""The smallest sound spec, and what expressions are worth in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs

Array = NDArray[np.float64]
Document = dict[str, Any]

TINY: Document = {
    "spec": 1,
    "meta": {"name": "tiny", "version": 0},
    "time": {"step": "1 h", "horizon": 4, "start": "00:00", "discount": 0.9},
    "decisions": {"knob": {"unit": "1", "box": [-1, 1]}},
    "objective": {"carbon": {"unit": "gCO2e", "expr": "(2 + knob) * '1 gCO2e'"}},
    "metrics": {"energy": {"unit": "J", "expr": "(2 + knob) * '1 J'"}},
    "observe": {"remaining": {"unit": "1", "expr": "time_remaining", "linear": [0, 1]}},
}


def document(**sections: Mapping[str, Any]) -> Document:
    """The tiny spec with items added to its sections; an item that is None goes away."""
    result = copy.deepcopy(TINY)
    for section, items in sections.items():
        merged = {**result.get(section, {}), **copy.deepcopy(dict(items))}
        result[section] = {name: item for name, item in merged.items() if item is not None}
    return result


def problem(**sections: Mapping[str, Any]) -> envs.Problem:
    """The tiny spec with items added to its sections, compiled."""
    return envs.parse(json.dumps(document(**sections)))


def refusal(function: Callable[[], object]) -> list[tuple[str, str]]:
    """Code and path of each diagnostic with which something is refused."""
    try:
        function()
    except envs.SpecError as error:
        return [(d.code, d.path) for d in error.diagnostics]
    raise AssertionError("accepted, though it should be refused")


def actions(env: envs.ProblemVectorEnv, value: float = 0.0) -> NDArray[np.float32]:
    """The same action everywhere."""
    return np.full(env.action_space.shape, value, dtype=np.float32)


def paths(of: envs.Problem, names: list[str], scenarios: int, first: int = 0) -> dict[str, Array]:
    """Sampled parameters ``(scenarios, *index)`` and processes ``(steps, scenarios, *index)``."""
    from envs.simulation import sample_scenarios

    drawn = sample_scenarios(of, "train", np.arange(first, first + scenarios))
    known = {**drawn.parameters, **drawn.paths}
    return {name: known[name] for name in names}
