"""The optimum of ``v2g`` with full foresight: a linear programme proves it, its plan attains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle import known
from envs.oracle.realise import realise
from envs.oracle.v2g_day import KW, KWH, Day, Plan, Sessions, Site
from envs.oracle.v2g_day import solve as solve_day
from envs.simulation.scenarios import Scenarios, sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

NEAR_SHARE, NEAR_LIMIT_KW = 0.6, 64.0
"""Of exports, over the path that loses less, as far as its lines carry them."""


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective of each scenario, in grams."""
    site = constants(problem, split)
    plans = [solve_day(site, day, cars) for day, cars in days(problem, split, scenarios)]
    return {
        "certified": np.array([plan.value_g for plan in plans]),
        "best_known": realise(problem, split, scenarios, decisions(plans)),
    }


def constants(problem: Problem, split: str) -> Site:
    """The problem's constants in a split."""
    compiled = problem.compiled(split)
    prices = {plan.name: plan.penalty_g for plan in compiled.constraints}
    return Site.of(known.constants(problem, split), prices, compiled.step_s / 3600)


def days(
    problem: Problem, split: str, scenarios: NDArray[np.int64]
) -> Iterator[tuple[Day, Sessions]]:
    """Scenarios one by one, in kW, kWh and g/kWh."""
    drawn = sample_scenarios(problem, split, scenarios)
    cars = sessions(problem, split, scenarios, drawn)
    hours = np.full(problem.horizon, problem.compiled(split).step_s / 3600)
    path = {name: values[: problem.horizon] for name, values in drawn.paths.items()}
    for row in range(len(scenarios)):
        day = Day(
            hours,
            path["ci"][:, row] * KWH,
            path["ci_micro"][:, row] * KWH,
            path["pv"][:, row] / KW,
            path["base"][:, row] / KW,
        )
        yield day, Sessions(*(values[row] for values in vars(cars).values()))


def sessions(
    problem: Problem, split: str, scenarios: NDArray[np.int64], drawn: Scenarios
) -> Sessions:
    """The sessions of scenarios, ``(scenario, plug)`` each."""
    names = ("arrival_step", "departure_step", "vehicle_start", "target", "vehicle_floor")
    first, last, *energies = known.at_start(problem, split, scenarios, *names)
    here = drawn.parameters["present"] > 0.5
    return Sessions(
        np.rint(first).astype(np.int64),
        np.where(here, np.rint(last), 0).astype(np.int64),
        *(energy / KWH for energy in energies),
    )


def decisions(plans: list[Plan]) -> dict[str, Array]:
    """Plans as decisions ``(step, scenario, …)`` in base units."""
    flow = np.maximum([plan.flow for plan in plans], 0.0)
    total = flow.sum(axis=-1, keepdims=True)
    sold = np.maximum([plan.sold for plan in plans], 1e-6)
    near = np.minimum(NEAR_SHARE, NEAR_LIMIT_KW / sold)
    outward = np.stack([near, 1 - near, 0 * near, 0 * near], axis=-1)
    share = np.where(total > 1e-6, flow / np.maximum(total, 1e-6), outward)
    parts = {
        "charger": np.array([plan.charger for plan in plans]) * KW,
        "command": np.array([plan.command for plan in plans]) * KW,
        "route": share,
    }
    return {name: np.moveaxis(value, 0, 1) for name, value in parts.items()}
