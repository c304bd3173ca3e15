"""The optimum of ``cooling`` with full foresight, proven from below and attained from above.

From below: at each moment a site's use costs at least what `cooling_hall` proves for every supply
temperature and fan speed; the convex function below that makes the day a linear programme
(`cooling_day`), whose value no policy undercuts. From above: the programme's schedule, improved by
programmes over straight lines through it, with the best controls for what comes out, played in the
true simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.cooling_day import Pieces, Schedule, convex_pieces
from envs.oracle.cooling_day import solve as solve_day
from envs.oracle.cooling_hall import Floor, Hall, best_controls, proven_floor
from envs.oracle.realise import realise
from envs.simulation.scenarios import Scenarios, sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

ROUNDS = 8
NEAR_SITES = 1e-4
TABLE_USE, TABLE_WET = 81, 93
"""Points of the table of least power, from which schedules are improved."""


@dataclass(frozen=True)
class Day:
    """One scenario: ``(moment, site)`` and ``(moment, class)`` arrays.

    Attributes:
        interactive: Use that is given.
        wet: Wet bulb (K).
        ci: Carbon intensity (g/J).
        arrival: Work that comes, in sites.
        recent: Work that came within its deadline's time, in sites.
    """

    interactive: Array
    wet: Array
    ci: Array
    arrival: Array
    recent: Array

    @classmethod
    def of(cls, drawn: Scenarios, row: int, horizon: int) -> Day:
        """One of a batch of scenarios."""
        names = ("interactive", "wet", "ci", "arrival", "recent")
        return cls(*(drawn.paths[name][:horizon, row] for name in names))


@dataclass(frozen=True)
class Table:
    """Least power attained by use and wet bulb (W), for schedules that are to be played."""

    use: Array
    wet: Array
    power_w: Array

    def at(self, use: Array, wet: Array) -> Array:
        """Interpolated power (W)."""
        ends = self.use[[0, -1]], self.wet[[0, -1]]
        i, j = (
            np.clip((x - low) / (high - low) * (size - 1), 0, size - 1.000001)
            for x, (low, high), size in zip((use, wet), ends, self.power_w.shape, strict=True)
        )
        m, n = i.astype(int), j.astype(int)
        a, b = i - m, j - n
        p = self.power_w
        return np.asarray(
            (1 - a) * ((1 - b) * p[m, n] + b * p[m, n + 1])
            + a * ((1 - b) * p[m + 1, n] + b * p[m + 1, n + 1])
        )


@lru_cache(maxsize=4)
def least_power(hall: Hall) -> Table:
    """Tabulate what the best controls take."""
    use = np.linspace(hall.use_least, hall.use_max, TABLE_USE)
    wet = np.linspace(273.15, 273.15 + 23.0, TABLE_WET)
    wide_use, wide_wet = np.meshgrid(use, wet, indexing="ij")
    supply, fan = best_controls(hall, wide_use, wide_wet)
    return Table(use, wet, hall.priced(wide_use, supply, fan, wide_wet))


@dataclass(frozen=True)
class Terms:
    """What the programme needs of a problem beside its halls."""

    step_s: float
    left_price: float

    @classmethod
    def of(cls, problem: Problem, split: str) -> Terms:
        """From a problem's constants."""
        step_s = problem.compiled(split).step_s
        return cls(step_s, float(problem.constants["backlog_price"]) * step_s)


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective of each scenario, in grams."""
    hall, terms = Hall.of(problem, split), Terms.of(problem, split)
    floor = proven_floor(hall)
    drawn = sample_scenarios(problem, split, scenarios)
    bounds, plans = [], []
    for row in range(len(scenarios)):
        day = Day.of(drawn, row, problem.horizon)
        schedule = plan_below(hall, terms, floor, day)
        bounds.append(schedule.value_g)
        plans.append((day, improve(hall, terms, day, schedule)))
    plan = decisions(hall, plans)
    return {"certified": np.array(bounds), "best_known": realise(problem, split, scenarios, plan)}


def plan_below(
    hall: Hall, terms: Terms, floor: Floor, day: Day, waiting: Array | None = None
) -> Schedule:
    """The programme over proven costs: its value bounds every policy's from below.

    Args:
        hall: Both sites' hall.
        terms: Of the problem.
        floor: Of the hall's power.
        day: What is known of it, or of its rest.
        waiting: Left from before it, in sites by class.
    """
    given = day.interactive[..., None]
    over = floor.at(day.wet)
    start = np.take_along_axis(over, _cell(floor, given), -1) + hall.nominal(given)
    # Each cell is a flat floor under a concave curve: both of its ends count.
    work = np.repeat(floor.use[1:-1] - given, 2, axis=-1)
    inner = np.repeat(over, 2, axis=-1)[..., 1:-1] + np.repeat(floor.servers_w[1:-1], 2)
    # Points next to the start become part of it: nothing as steep as a step enters the programme.
    near = (work > 0) & (work < NEAR_SITES)
    beside = np.where(near, inner - NEAR_SITES * 2 * hall.nominal(np.ones(1)), np.inf)
    start = np.minimum(start, beside.min(axis=-1, keepdims=True))
    inner = np.where(work < NEAR_SITES, np.inf, inner)
    end = over[..., -1:] + floor.servers_w[-1]
    power = np.concatenate([start, inner, end], axis=-1) - hall.nominal(given)
    work = np.concatenate([0 * given, np.maximum(work, 0), hall.use_max - given], axis=-1)
    pieces = convex_pieces(work, day.ci[..., None] * terms.step_s * power)
    return solve_day(pieces, day.arrival, day.recent, terms.left_price, waiting)


def _cell(floor: Floor, use: Array) -> NDArray[np.intp]:
    cells = len(floor.use) - 1
    return np.clip(np.searchsorted(floor.use, use, side="right") - 1, 0, cells - 1)


def improve(
    hall: Hall,
    terms: Terms,
    day: Day,
    schedule: Schedule,
    waiting: Array | None = None,
    rounds: int = ROUNDS,
) -> Schedule:
    """A schedule of less cost at the best controls, from one that is given."""
    table, room = least_power(hall), hall.use_max - day.interactive
    grams = day.ci * terms.step_s
    idle = table.at(day.interactive, day.wet)

    def cost(placed: Array) -> Array:
        return np.asarray(grams * (table.at(day.interactive + placed, day.wet) - idle))

    return descend(cost, room, terms, day, schedule, waiting, rounds)


def descend(
    cost: Callable[[Array], Array],
    room: Array,
    terms: Terms,
    day: Day,
    schedule: Schedule,
    waiting: Array | None = None,
    rounds: int = ROUNDS,
) -> Schedule:
    """Follow programmes over straight lines through a schedule while they gain.

    A site's power is concave in its use but for a few kinks, so the line through a point mostly
    lies above it: what the lines say is gained is gained.

    Args:
        cost: Of work by site, ``(moment, site)`` in grams.
        room: For it, in sites.
        terms: Of the problem.
        day: Its work.
        schedule: To start from; its value is computed anew.
        waiting: Left from before, in sites by class.
        rounds: At most so many programmes.
    """
    arrived = day.arrival.sum() + (0.0 if waiting is None else waiting.sum())

    def valued(plan: Schedule) -> Schedule:
        left_g = terms.left_price * (arrived - plan.served.sum())
        return replace(plan, value_g=float(cost(plan.placed).sum() + left_g))

    best = valued(schedule)
    for _ in range(rounds):
        at = best.placed
        below, above = np.maximum(at - 0.01, 0), np.minimum(at + 0.01, room)
        slope = (cost(above) - cost(below)) / np.maximum(above - below, 1e-9)
        pieces = Pieces(0 * at, room[..., None], slope[..., None])
        found = valued(solve_day(pieces, day.arrival, day.recent, terms.left_price, waiting))
        if found.value_g > best.value_g * (1 - 1e-6):
            break
        best = found
    return best


def decisions(hall: Hall, plans: list[tuple[Day, Schedule]]) -> dict[str, Array]:
    """Decisions by name, ``(moment, scenario, …)`` in base units."""
    days, schedules = zip(*plans, strict=True)
    served = np.stack([plan.served for plan in schedules], axis=1)
    placed = np.stack([plan.placed for plan in schedules], axis=1)
    use = np.stack([day.interactive for day in days], axis=1) + placed
    wet = np.stack([day.wet for day in days], axis=1)
    supply, fan = best_controls(hall, np.clip(use, hall.use_least, hall.use_max), wet)
    arrival = np.stack([day.arrival for day in days], axis=1)
    recent = np.stack([day.recent for day in days], axis=1)
    before = np.cumsum(arrival - served, axis=0)
    waiting = arrival + np.concatenate([np.zeros_like(before[:1]), before[:-1]])
    return {"supply": supply, "fan": fan, **_orders(waiting, recent, served, placed)}


def decisions_now(
    hall: Hall, waiting: Array, now: Mapping[str, Array], served: Array, placed: Array
) -> dict[str, Array]:
    """Decisions of one moment that come as near to a plan as what is met allows, ``(scenario, …)``.

    Args:
        hall: Both sites' hall.
        waiting: Work of each class that may run, in sites.
        now: Processes.
        served: Work of each class that is to run, in sites.
        placed: Where, in sites.
    """
    orders = _orders(waiting, now["recent"], served, placed)
    room = hall.use_max - now["interactive"]
    due = np.maximum(waiting - now["recent"], 0)
    total = np.minimum((due + orders["run"] * (waiting - due)).sum(-1), room.sum(-1))
    east = np.minimum(np.maximum(orders["placement"] * total, total - room[:, 1]), room[:, 0])
    use = now["interactive"] + np.stack([east, total - east], axis=-1)
    supply, fan = best_controls(hall, np.clip(use, hall.use_least, hall.use_max), now["wet"])
    return {"supply": supply, "fan": fan, **orders}


def _orders(waiting: Array, recent: Array, served: Array, placed: Array) -> dict[str, Array]:
    """Shares to run now and to run in the east, from work in sites."""
    due = np.maximum(waiting - recent, 0)
    may = np.maximum(waiting - due, 1e-12)
    total = np.maximum(placed.sum(axis=-1), 1e-12)
    return {
        "run": np.clip((served - due) / may, 0, 1),
        "placement": np.clip(placed[..., 0] / total, 0, 1),
    }
