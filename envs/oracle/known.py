"""What of a problem a solver may know, as plain arrays in base units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.simulation.batch import BatchSimulation

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]


def constants(problem: Problem, split: str) -> dict[str, Array]:
    """Every named quantity that never changes in a split, ``(*index,)``."""
    return {
        name: np.array(node.value)[..., 0]
        for name, (node, _) in problem.compiled(split).named.items()
        if node.value is not None
    }


def at_start(
    problem: Problem, split: str, scenarios: NDArray[np.int64], *names: str
) -> list[Array]:
    """Quantities of the first step, before anything is decided, ``(scenario, *index)`` each."""
    compiled = problem.compiled(split)
    simulation = BatchSimulation(compiled, len(scenarios), split)
    simulation.reset(np.asarray(scenarios, dtype=np.int64))
    values = simulation.values([compiled.named[name][0] for name in names])
    return [np.moveaxis(value, -1, 0) for value in values]
