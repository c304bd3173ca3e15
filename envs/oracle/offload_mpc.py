"""A certainty-equivalent controller of ``offload``, played on forecasts alone.

Once an hour, and more often towards the end, the rest of the day is planned as `offload_forecast`
expects it, from the battery and the quality owed as they are, by the programme (`offload_day`) that
also gives the bound (`offload_day`), from the battery and the quality owed as they are. The plan
leaves three things: what stored energy is worth, what quality is worth, and what the battery does
in this block. Each slot is then served in the best way at those prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.offload import constants
from envs.oracle.offload_day import Columns, Store
from envs.oracle.offload_day import solve as solve_day
from envs.oracle.offload_forecast import LEVELS, Climate, Outlook, Watcher
from envs.oracle.offload_share import serve
from envs.oracle.offload_slot import Cell, Choice, Demand, split_for
from envs.oracle.realise import actions
from envs.simulation.batch import BatchSimulation
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

BLOCKS = ((24, 12), (3, 3), (0, 1))
"""While more than so many slots are left, slots are planned for in blocks of so many.

Carbon intensity and its forecast change once an hour; what is owed at the end is met more finely.
"""
UNITS_OF_THE_PLAN, UNITS_OF_A_SLOT = 16, 48
ROUNDS = 3
FIRST_PRICES = (1.0, 0.6, 0.0)
FIRST_QUALITY = 0.014
QUALITY_RANGE = (0.003, 0.05)


@dataclass(frozen=True)
class _Orders:
    """What a plan leaves for each scenario.

    The worth of stored energy (g/J) and of quality (g per FID and image), and the powers of this
    block (W): drawn from the battery and bought for it.
    """

    stored: Array
    quality: Array
    discharge_w: Array
    buy_w: Array


def solve(
    problem: Problem, split: str, scenarios: NDArray[np.int64], climate: Climate | None = None
) -> Mapping[str, Array]:
    """Objective of each scenario in grams, by method."""
    climate = climate or Climate.learn(problem)
    cell, store = constants(problem, split)
    drawn = sample_scenarios(problem, split, scenarios)
    sun = drawn.paths["sun"]
    simulation = BatchSimulation(problem.compiled(split), len(scenarios), split)
    simulation.reset(np.asarray(scenarios, dtype=np.int64))
    states = [state.node for state in simulation.compiled.states]
    watcher = Watcher(problem, climate, drawn.parameters["declination"])
    orders: _Orders | None = None
    until = 0
    for t in range(problem.horizon):
        now = {name: path[t] for name, path in drawn.paths.items()}
        watcher.see(now, sun[t])
        if orders is None or t >= until:
            stored_j, debt = simulation.values(states)
            block = next(size for left, size in BLOCKS if problem.horizon - t > left)
            outlook = watcher.outlook(sun, block)
            coarse = replace(store, slot_s=block * store.slot_s)
            orders = _plan(cell, coarse, outlook, stored_j, debt, orders)
            until = t + block
        simulation.step(actions(simulation, _act(cell, store, now, orders)))
    return {"mpc": simulation.episode()["objective_g"]}


def _plan(
    cell: Cell,
    store: Store,
    outlook: Outlook,
    stored_j: Array,
    debt: Array,
    before: _Orders | None,
) -> _Orders:
    scenarios, blocks = outlook.ci_edge.shape
    quality = np.full(scenarios, FIRST_QUALITY) if before is None else before.quality
    before_quality = quality

    def ways(price: Array, quality: Array) -> list[Array]:
        """Edge energy, grams and quality of each block, ``(scenario, block)``."""

        def spread(x: Array) -> Array:
            return np.broadcast_to(x[..., None], (scenarios, blocks, LEVELS)).reshape(-1, 1)

        wide = np.broadcast_to(quality[:, None], (scenarios, blocks))
        way = serve(cell, outlook.moments, spread(price), spread(wide), UNITS_OF_THE_PLAN)
        parts = (way.edge_j, way.user_g + way.late_g, way.fid)
        return [x.reshape(scenarios, blocks, -1).sum(axis=-1) for x in parts]

    menu = [ways(share * outlook.ci_edge, quality) for share in FIRST_PRICES]
    for last in (False,) * ROUNDS + (True,):
        plans = []
        for row in range(scenarios):
            columns = Columns(*(np.array([way[part][row] for way in menu]) for part in range(3)))
            plans.append(
                solve_day(
                    store,
                    outlook.ci_edge[row],
                    outlook.pv_w[row],
                    columns,
                    float(stored_j[row]),
                    float(debt[row]),
                )
            )
        quality = np.array([plan.quality for plan in plans])
        if not last:
            menu.append(ways(np.array([plan.energy_price for plan in plans]), quality))
    load_w = (
        np.array(
            [
                sum(w[0] * way[0][row, 0] for w, way in zip(plan.weights, menu, strict=True))
                for row, plan in enumerate(plans)
            ]
        )
        / store.slot_s
    )
    surplus = np.maximum(outlook.pv_w[:, 0] - load_w, 0)
    shortfall = np.maximum(load_w - outlook.pv_w[:, 0], 0)
    discharge = np.array([plan.discharge_w[0] for plan in plans])
    charge = np.array([plan.charge_w[0] for plan in plans])
    # A plan that covers the whole shortfall means to cover it whatever it turns out to be.
    whole = discharge > 0.95 * shortfall
    return _Orders(
        stored=np.maximum([plan.stored_price[0] for plan in plans], 0.0),
        quality=np.sqrt(np.clip(quality, *QUALITY_RANGE) * before_quality),
        discharge_w=np.where(whole & (discharge > 1), store.power_w, discharge),
        buy_w=np.maximum(charge - surplus, 0.0),
    )


def _act(cell: Cell, store: Store, now: Mapping[str, Array], orders: _Orders) -> dict[str, Array]:
    """Decisions of a slot, at what one more joule costs given PV, load and the battery's orders."""
    demand = Demand(
        now["gain"],
        now["requests"],
        now["deadline"] - now["queue"][:, None],
        now["ci"][:, 1:2],
    )
    grid = now["ci"][:, 0]
    kept = np.minimum(orders.stored * store.efficiency, grid)
    drawn = np.minimum(orders.stored / store.efficiency, grid)
    price = np.where(orders.discharge_w > 0, drawn, grid)
    choice = serve(cell, demand, kept[:, None], orders.quality[:, None], UNITS_OF_A_SLOT)
    sunny = choice.edge_j.sum(axis=1) / store.slot_s <= now["pv"]
    dark = serve(cell, demand, price[:, None], orders.quality[:, None], UNITS_OF_A_SLOT)
    choice = Choice(
        **{
            name: np.where(sunny[:, None], getattr(choice, name), getattr(dark, name))
            for name in Choice.__dataclass_fields__
        }
    )
    return {
        "share": choice.bandwidth / cell.band,
        "power": choice.power,
        "split": split_for(cell, demand, choice),
        "steps": choice.steps,
        "command": orders.buy_w - orders.discharge_w,
    }
