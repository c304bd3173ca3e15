"""Best known solutions of any problem: descent through the simulation, with full foresight.

The torch tape is differentiable, so the objective of each scenario has a gradient with respect to
all its decisions. Several starts (the heuristics and constants) descend by Adam; the best point
ever met counts. Nothing is proven: the result is labelled best known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.simulation.batch import BatchSimulation
from envs.simulation.vector import heuristic_actions

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

STEPS = 300
RATES = (0.1, 0.003)
"""Adam's first and last learning rate, on the logits of the action."""
CONSTANTS = (-0.5, 0.0, 0.5)
_EDGE = 0.995


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Best objective attained on each scenario, in grams."""
    starts = starting_points(problem, split, scenarios)
    best = np.min([play(problem, split, scenarios, start) for start in starts], axis=0)
    for start in starts:
        best = np.minimum(best, _descend(problem, split, scenarios, start))
    return {"best_known": best}


def starting_points(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> list[Array]:
    """Action sequences to start from, ``(steps, batch, action)``."""
    size = problem.compiled(split).action_size
    shape = problem.horizon, len(scenarios), size
    starts = [np.full(shape, constant) for constant in CONSTANTS]
    for name in problem.heuristics:
        simulation = BatchSimulation(problem.compiled(split), len(scenarios), split)
        simulation.reset(scenarios)
        actions = []
        for _ in range(problem.horizon):
            actions.append(heuristic_actions(problem, simulation, name).astype(np.float64))
            simulation.step(actions[-1])
        starts.append(np.array(actions))
    return starts


def play(problem: Problem, split: str, scenarios: NDArray[np.int64], actions: Array) -> Array:
    """The objective in grams of actions ``(steps, batch, action)`` on each scenario."""
    simulation = BatchSimulation(problem.compiled(split), len(scenarios), split)
    simulation.reset(scenarios)
    for action in actions:
        simulation.step(action)
    objective: Array = simulation.episode()["objective_g"]
    return objective


def _descend(problem: Problem, split: str, scenarios: NDArray[np.int64], start: Array) -> Array:
    import torch

    simulation = BatchSimulation(problem.compiled(split), len(scenarios), split, backend="torch")
    logits = torch.tensor(np.arctanh(np.clip(start, -_EDGE, _EDGE)), requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=RATES[0])
    decay = (RATES[1] / RATES[0]) ** (1 / STEPS)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, decay)
    best, best_actions = np.full(len(scenarios), np.inf), start.copy()
    for _ in range(STEPS):
        simulation.reset(scenarios)
        actions = logits.tanh()
        for action in actions:
            simulation.step(action)
        objective = simulation.episode()["objective_g"]
        value = objective.detach().numpy()
        better = value < best
        best = np.where(better, value, best)
        best_actions[:, better] = actions.detach().numpy()[:, better]
        optimiser.zero_grad()
        # Scenarios are independent; each is scaled so that Adam sees gradients of one size.
        (objective / objective.detach().abs().clamp_min(1e-12)).sum().backward()
        optimiser.step()
        schedule.step()
    return play(problem, split, scenarios, best_actions)
