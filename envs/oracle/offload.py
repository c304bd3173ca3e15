"""The optimum of ``offload`` with full foresight, proven from below and attained from above.

Column generation: a programme over the day (`offload_day`) mixes ways to serve each slot and prices
edge energy and quality; at those prices each slot's cheapest way is found (`offload_share`) and
joins the mixture. The bound adds to the programme's value what slots could undercut at its prices.
The plan takes one way for each slot, runs the battery anew, and is played in the true simulation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle import known
from envs.oracle.offload_day import Columns, Plan, Store
from envs.oracle.offload_day import solve as solve_day
from envs.oracle.offload_share import lower_bound, serve
from envs.oracle.offload_slot import Cell, Choice, Demand, split_for
from envs.oracle.realise import realise
from envs.simulation.scenarios import Scenarios, sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

Server = Callable[[Cell, Demand, Array, float, int], Choice]
"""Serves every slot at prices of energy and quality, with the band in so many units."""

ROUNDS = 12
TOLERANCE = 5e-4
COARSE_UNITS, FINE_UNITS, UNITS_OF_THE_BOUND = 24, 64, 128
"""Into how many units the band is parted: to find prices, to plan at them, and to prove."""
MARGIN_S = 2e-4
"""Kept back from deadlines, so that a plan survives the map to actions and back."""
FIRST_PRICES = ((1.0, 0.015), (0.7, 0.011), (0.7, 0.02), (0.0, 0.015))
"""Shares of the grid's intensity, and prices of quality, of the first columns."""


@dataclass(frozen=True)
class Day:
    """One scenario.

    What is demanded, the grid's intensity at the edge (g/J) and the PV power (W).
    """

    demand: Demand
    ci_edge: Array
    pv_w: Array

    @classmethod
    def of(cls, drawn: Scenarios, row: int, horizon: int) -> Day:
        """One of a batch of scenarios."""
        path = {name: values[:horizon, row] for name, values in drawn.paths.items()}
        slack = path["deadline"] - path["queue"][:, None]
        demand = Demand(path["gain"], path["requests"], slack, path["ci"][:, 1:2])
        return cls(demand, path["ci"][:, 0], path["pv"])


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective of each scenario, in grams."""
    bounds, decisions = best_plan(problem, split, scenarios)
    return {
        "certified": bounds,
        "best_known": realise(problem, split, scenarios, decisions),
    }


def best_plan(
    problem: Problem, split: str, scenarios: NDArray[np.int64]
) -> tuple[Array, dict[str, Array]]:
    """Bound in grams ``(scenario,)``; decisions ``(slot, scenario, …)`` by name, in base units."""
    compiled = problem.compiled(split)
    cell, store = constants(problem, split)
    drawn = sample_scenarios(problem, split, scenarios)
    bounds, plans = [], []
    for row in range(len(scenarios)):
        day = Day.of(drawn, row, problem.horizon)
        ways, plan = generate(cell, store, day)
        exact = dataclasses.replace(cell, margin_s=0.0)
        least = lower_bound(
            exact, day.demand, plan.energy_price[:, None], plan.quality, UNITS_OF_THE_BOUND
        )
        bounds.append(plan.value_g + (least - plan.slot_value).sum())
        plans.append(_decisions(cell, store, day, ways, plan))
    decisions = {name: np.stack([plan[name] for plan in plans], axis=1) for name in plans[0]}
    return np.array(bounds), {d.name: decisions[d.name] for d in compiled.decisions}


def constants(problem: Problem, split: str) -> tuple[Cell, Store]:
    """The problem's constants, bounds and prices in a split, for plans that are to be played."""
    compiled = problem.compiled(split)
    plans = {plan.name: plan for plan in compiled.decisions}
    given = known.constants(problem, split)
    cell = Cell.of(
        given,
        late_price=next(c.penalty_g for c in compiled.constraints if c.name == "late"),
        margin_s=MARGIN_S,
        power_low=plans["power"].low,
        power_high=plans["power"].high,
        steps_low=round(plans["steps"].low),
        steps_high=round(plans["steps"].high),
    )
    return cell, Store.of(given, compiled.step_s)


def _columns(ways: list[Choice]) -> Columns:
    """Ways to serve slots, ``(way, slot)``, summed over users."""
    return Columns(
        np.array([way.edge_j.sum(axis=1) for way in ways]),
        np.array([(way.user_g + way.late_g).sum(axis=1) for way in ways]),
        np.array([way.fid.sum(axis=1) for way in ways]),
    )


def generate(
    cell: Cell, store: Store, day: Day, server: Server = serve
) -> tuple[list[Choice], Plan]:
    """Add ways to serve slots until no slot undercuts the programme's prices by much."""
    ways = [
        server(cell, day.demand, share * day.ci_edge[:, None], quality, COARSE_UNITS)
        for share, quality in FIRST_PRICES
    ]
    units = COARSE_UNITS
    for _ in range(ROUNDS):
        plan = solve_day(store, day.ci_edge, day.pv_w, _columns(ways))
        way = server(cell, day.demand, plan.energy_price[:, None], plan.quality, units)
        undercut = np.minimum(way.cost.sum(axis=1) - plan.slot_value, 0.0).sum()
        if undercut > -TOLERANCE * plan.value_g:
            if units == FINE_UNITS:
                break
            units = FINE_UNITS
        ways.append(way)
    else:
        plan = solve_day(store, day.ci_edge, day.pv_w, _columns(ways))
    return ways, plan


def _decisions(
    cell: Cell, store: Store, day: Day, ways: list[Choice], plan: Plan
) -> dict[str, Array]:
    """Decisions by name, ``(slot, …)`` in base units.

    One way for each slot, the battery run anew.
    """
    columns = _columns(ways)
    pick = _whole(plan, columns)
    slot = np.arange(len(pick))
    single = Columns(
        *(part[pick, slot][None] for part in (columns.edge_j, columns.direct_g, columns.fid))
    )
    run = solve_day(store, day.ci_edge, day.pv_w, single)

    chosen = Choice(
        **{
            field.name: np.array([getattr(way, field.name) for way in ways])[pick, slot]
            for field in dataclasses.fields(Choice)
        }
    )
    surplus = np.maximum(day.pv_w - single.edge_j[0] / store.slot_s, 0.0)
    bought = np.maximum(run.charge_w - surplus, 0.0)
    return {
        "share": chosen.bandwidth / cell.band,
        "power": chosen.power,
        "split": split_for(cell, day.demand, chosen),
        "steps": chosen.steps,
        "command": np.where(run.discharge_w > bought, -run.discharge_w, bought),
    }


def _whole(plan: Plan, columns: Columns) -> NDArray[np.intp]:
    """One way for each slot.

    Where the programme mixes, the one that keeps the day's quality due.
    """
    weights = plan.weights
    slot = np.arange(weights.shape[1])
    pick: NDArray[np.intp] = weights.argmax(axis=0)
    mixed = np.flatnonzero(weights.max(axis=0) < 0.999)
    if not len(mixed):
        return pick
    quality = columns.fid[pick, slot]
    debt = quality.sum() - quality[mixed].sum()
    due = (weights * columns.fid).sum(axis=0)[mixed]
    after = np.append(due[::-1].cumsum()[::-1][1:], 0.0)
    for t, rest in zip(mixed, after, strict=True):
        options = np.flatnonzero(weights[:, t] > 1e-6)
        ahead = debt + columns.fid[options, t] + rest
        # Owing costs more than a margin that is not needed.
        pick[t] = options[np.where(ahead > 0, 3 * ahead, -ahead).argmin()]
        debt += columns.fid[pick[t], t]
    return pick
