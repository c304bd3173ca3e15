"""Decisions: what [-1, 1] becomes."""

from __future__ import annotations

import numpy as np
import pytest

import envs
from tests.language import tiny


@pytest.mark.parametrize(("low", "high"), [(0, 3), (11, 14), (-4, -1)])
@pytest.mark.parametrize("unit", ["1", "kW"])
def test_each_whole_number_has_an_equal_share(low: int, high: int, unit: str) -> None:
    decisions = {"knob": None, "count": {"unit": unit, "integer": [low, high]}}
    text = f"count / '1 {unit}'"
    problem = tiny.problem(
        decisions=decisions,
        objective={"carbon": {"unit": "gCO2e", "expr": f"({text} + 5) * '1 gCO2e'"}},
        metrics={"energy": {"unit": "J", "expr": f"({text} + 5) * '1 J'"}},
    )
    env = envs.make_vector(problem, num_envs=4000)
    env.reset(seed=0)
    env.step(np.linspace(-1, 1, 4000, dtype=np.float32)[:, None])
    numbers, counts = np.unique(env.quantities(["count"])["count"], return_counts=True)
    assert numbers.tolist() == list(range(low, high + 1))
    assert counts == pytest.approx(np.full(len(counts), 1000), abs=2)
