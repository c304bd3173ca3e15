"""Carrying out a plan in the true simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.compiler.decisions import to_action
from envs.simulation.batch import BatchSimulation

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]


def actions(simulation: BatchSimulation, decisions: Mapping[str, Array]) -> Array:
    """Physical decisions ``(batch, *index)`` in base units as actions ``(batch, action)``."""
    plans = simulation.compiled.decisions
    parts = [
        to_action(plan, np.moveaxis(decisions[plan.name], 0, -1)).reshape(plan.count, -1)
        for plan in plans
    ]
    return np.concatenate(parts).T


def realise(
    problem: Problem, split: str, indices: NDArray[np.int64], plan: Mapping[str, Array]
) -> Array:
    """Play a plan from the first step to the last.

    Args:
        problem: The problem.
        split: The split of the scenarios.
        indices: Scenario numbers ``(batch,)``.
        plan: By decision, ``(steps, batch, *index)`` in base units.

    Returns:
        The objective of each scenario in grams.
    """
    simulation = BatchSimulation(problem.compiled(split), len(indices), split)
    simulation.reset(np.asarray(indices, dtype=np.int64))
    for t in range(problem.horizon):
        simulation.step(actions(simulation, {name: value[t] for name, value in plan.items()}))
    objective: Array = simulation.episode()["objective_g"]
    return objective
