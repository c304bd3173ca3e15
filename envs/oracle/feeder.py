"""The optimum of ``v2g_feeder`` with full foresight: a cutting-plane bound, and its plan played.

What a feeder loses is convex in its loads where the relaxation of the branch flow model is exact,
as it is on radial feeders with loads of this kind (Farivar and Low 2013; Gan, Li, Topcu and Low
2015). So the loss lies above its tangents, and a linear programme over tangents bounds every
policy from below; each round adds the tangents at its own solution. Voltages are left out of the
bound. For the plan, rows keep them where it would break them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.feeder_flow import Flow, Network
from envs.oracle.known import at_start, constants
from envs.oracle.programme import Indices, Programme
from envs.oracle.realise import realise
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

KWH, KW = 3.6e6, 1e3
ROUNDS, VOLTAGE_ROUNDS = 5, 4
MARGIN = 2e-5
"""Kept above the lowest voltage in a plan, pu."""


@dataclass(frozen=True)
class Grid:
    """The problem's constants in kW, kWh, h and grams."""

    network: Network
    depot_bus: NDArray[np.int64]
    micro_bus: NDArray[np.int64]
    size: float
    power: float
    efficiency: float
    target: float
    floor: float
    wear: float
    micro_max: float
    credit_share: float
    lowest: float
    undelivered: float
    low_voltage: float
    hours: float

    @classmethod
    def of(cls, problem: Problem, split: str) -> Grid:
        """From the problem in a split."""
        compiled = problem.compiled(split)
        given = constants(problem, split)
        prices = {plan.name: plan.penalty_g for plan in compiled.constraints}
        size = float(given["depot_size"]) / KWH
        return cls(
            network=Network.of(given),
            depot_bus=given["depot_bus"].astype(np.int64),
            micro_bus=given["micro_bus"].astype(np.int64),
            size=size,
            power=float(given["depot_power"]) / KW,
            efficiency=float(given["depot_efficiency"]),
            target=size * float(given["target_share"]),
            floor=size * float(given["floor_share"]),
            wear=float(given["wear"]) * KWH,
            micro_max=float(given["micro_max"]) / KW,
            credit_share=float(given["credit_share"]),
            lowest=float(given["voltage_low"]),
            undelivered=prices["undelivered"],
            low_voltage=prices["low_voltage"],
            hours=compiled.step_s / 3600,
        )


_Share = tuple[int, Indices, Indices, float]
"""What adds to the load of a bus: the bus, steps, variables, and their sign."""


@dataclass(frozen=True)
class Day:
    """One scenario: g/kWh, households as a share of the published load, sessions, kWh."""

    ci: Array
    ci_micro: Array
    load: Array
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    start: Array


@dataclass(frozen=True)
class Plan:
    """Least cost in grams; powers in kW ``(step, depot)`` and ``(step, micro)``."""

    value_g: float
    depot: Array
    feed: Array


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective of each scenario, in grams."""
    grid = Grid.of(problem, split)
    found = [best_plan(grid, day) for day in days(problem, split, scenarios)]
    plans = [plan for _, plan in found]
    decisions = {
        "depot_command": np.stack([plan.depot for plan in plans], axis=1) * KW,
        "feed": np.stack([plan.feed for plan in plans], axis=1) * KW,
    }
    return {
        "certified": np.array([bound for bound, _ in found]),
        "best_known": realise(problem, split, scenarios, decisions),
    }


def days(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> list[Day]:
    """Scenarios one by one."""
    drawn = sample_scenarios(problem, split, scenarios)
    names = ("arrival_step", "departure_step", "energy")
    first, last, start = at_start(problem, split, scenarios, *names)
    path = {name: values[: problem.horizon] for name, values in drawn.paths.items()}
    return [
        Day(
            path["ci"][:, row] * KWH,
            path["ci_micro"][:, row].T * KWH,
            path["load"][:, row],
            np.rint(first[row]).astype(np.int64),
            np.rint(last[row]).astype(np.int64),
            start[row] / KWH,
        )
        for row in range(len(scenarios))
    ]


def best_plan(grid: Grid, day: Day, loss_price: float = 0.0) -> tuple[float, Plan]:
    """The bound in grams, and a plan.

    Args:
        grid: Constants.
        day: A scenario.
        loss_price: Further grams per kWh lost, to trace the front of losses against carbon.
    """
    steps = len(day.ci)
    plan = Plan(0.0, np.zeros((steps, len(day.first))), np.zeros((steps, len(day.ci_micro))))
    cuts: list[tuple[Plan, Flow]] = [(plan, flow_of(grid, day, plan))]
    for _ in range(ROUNDS):
        plan = _solve(
            grid, day, cuts, np.zeros((len(grid.network.parents), steps), bool), loss_price
        )
        cuts.append((plan, flow_of(grid, day, plan)))
    bound = plan.value_g
    watched = np.zeros((len(grid.network.parents), steps), dtype=bool)
    for _ in range(VOLTAGE_ROUNDS):
        low = cuts[-1][1].voltage < grid.lowest
        if not low.any():
            break
        watched |= cuts[-1][1].voltage < grid.lowest + 20 * MARGIN
        plan = _solve(grid, day, cuts, watched, loss_price)
        cuts.append((plan, flow_of(grid, day, plan)))
    return bound, plan


def flow_of(grid: Grid, day: Day, plan: Plan) -> Flow:
    """The power flow under a plan."""
    active = grid.network.active[:, None] * day.load
    reactive = grid.network.reactive[:, None] * day.load
    active[grid.depot_bus] += plan.depot.T
    active[grid.micro_bus] -= plan.feed.T
    return grid.network.flow(active, reactive)


def _solve(
    grid: Grid,
    day: Day,
    cuts: list[tuple[Plan, Flow]],
    watched: NDArray[np.bool_],
    loss_price: float,
) -> Plan:
    steps, hours = len(day.ci), grid.hours
    every = np.arange(steps)
    programme = Programme()
    price = day.ci * hours
    drawn = programme.variables(steps, cost=price)
    sold = programme.variables(steps, cost=-grid.credit_share * price)
    lost = programme.variables(steps, cost=loss_price * hours)
    # The substation carries households, depots and losses less what microgrids feed in.
    balance = programme.equal.new(grid.network.active.sum() * day.load, steps)
    programme.equal.add(balance, drawn)
    programme.equal.add(balance, sold, -1.0)
    programme.equal.add(balance, lost, -1.0)

    nodes: list[_Share] = []
    feeds = []
    for bus, ci in zip(grid.micro_bus, day.ci_micro, strict=True):
        feed = programme.variables(steps, cost=ci * hours, high=grid.micro_max)
        programme.equal.add(balance, feed)
        nodes.append((int(bus), every, feed, -1.0))
        feeds.append(feed)
    depots = []
    for depot, bus in enumerate(grid.depot_bus):
        span = np.arange(day.first[depot], min(day.last[depot], steps))
        charge, discharge = _depot(programme, grid, len(span), day.start[depot])
        programme.equal.add(balance[span], charge, -1.0)
        programme.equal.add(balance[span], discharge)
        nodes += [(int(bus), span, charge, 1.0), (int(bus), span, discharge, -1.0)]
        depots.append((span, charge, discharge))

    for plan, flow in cuts:
        slope = flow.slope[np.append(grid.depot_bus, grid.micro_bus)]
        moved = np.concatenate([plan.depot, -plan.feed], axis=1).T
        rows = programme.at_most.new((slope * moved).sum(axis=0) - flow.lost, steps)
        programme.at_most.add(rows, lost, -1.0)
        for bus, span, variables, sign in nodes:
            programme.at_most.add(rows[span], variables, sign * flow.slope[bus, span])
    if watched.any():
        _voltages(programme, grid, cuts[-1], watched, nodes)

    value, x = programme.solve()
    constant = grid.network.active.sum() * day.load * day.ci - grid.micro_max * np.maximum(
        day.ci - day.ci_micro, 0.0
    ).sum(axis=0)
    power = np.zeros((steps, len(depots)))
    for depot, (span, charge, discharge) in enumerate(depots):
        power[span, depot] = x[charge] - x[discharge]
    return Plan(value - float(constant.sum() * hours), power, x[np.array(feeds)].T)


def _depot(
    programme: Programme, grid: Grid, steps: int, start: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A session: power into the vans, and out of them."""
    hours = grid.hours
    stored = programme.variables(steps, low=min(grid.floor, start), high=max(grid.target, start))
    charge = programme.variables(steps, high=grid.power)
    discharge = programme.variables(steps, cost=grid.wear * hours, high=grid.power)
    programme.store(stored, (charge, discharge), start, grid.efficiency, hours)
    programme.reach(stored[-1:], grid.target, grid.undelivered)
    return charge, discharge


def _voltages(
    programme: Programme,
    grid: Grid,
    last: tuple[Plan, Flow],
    watched: NDArray[np.bool_],
    nodes: list[_Share],
) -> None:
    """Keep squared voltages above the lowest, as they move around the last plan."""
    plan, flow = last
    moved = dict(
        zip(
            (*grid.depot_bus, *grid.micro_bus),
            np.concatenate([plan.depot, -plan.feed], axis=1).T,
            strict=True,
        )
    )
    lowest = (grid.lowest + MARGIN) ** 2
    for bus in np.flatnonzero(watched.any(axis=1)):
        at = np.flatnonzero(watched[bus])
        slope = grid.network.sensitivity[bus]
        here = np.sum([slope[other] * power[at] for other, power in moved.items()], axis=0)
        right = flow.voltage[bus, at] ** 2 - here - lowest
        rows = programme.at_most.new(right, len(at))
        # 2 v dv = d(v^2): a violation in pu is about that of the square over twice the voltage.
        short = programme.variables(len(at), cost=grid.low_voltage / (2 * grid.lowest))
        programme.at_most.add(rows, short, -1.0)
        place = np.full(watched.shape[1], -1)
        place[at] = np.arange(len(at))
        for other, span, variables, sign in nodes:
            both = place[span] >= 0
            if both.any():
                programme.at_most.add(
                    rows[place[span][both]], variables[both], -sign * slope[other]
                )
