"""What each decision of ``cooling`` is worth: the rise of J when it is held at its best constant.

    python -m envs.oracle.cooling_ablation --days 24

Everything else makes the best of it with full foresight: the day's programme is solved and improved
again over what a site then takes. A set-point or fan speed is held in every hall; work that runs at
a held share, due work excepted, is still placed where it is best at each moment.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs
from envs.oracle.cooling import Day, Terms, descend, improve, least_power, plan_below
from envs.oracle.cooling_day import Schedule, convex_pieces
from envs.oracle.cooling_day import solve as solve_day
from envs.oracle.cooling_hall import CELSIUS, Hall, proven_floor
from envs.simulation.scenarios import sample_scenarios

Array = NDArray[np.float64]

SUPPLIES_C = (20.0, 21.0, 22.0, 23.0, 24.0)
FANS = (0.6, 0.65, 0.7, 0.75, 0.8)
RUNS = ((1.0, 1.0), (1.0, 0.3), (1.0, 0.1), (0.5, 0.1), (1.0, 0.05))
PLACEMENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
POINTS = np.linspace(0, 1, 101)


def best_place(hall: Hall, terms: Terms, day: Day, total: Array) -> Array:
    """Least cost of placing work at each moment, ``(moment,)`` in grams."""
    room = hall.use_max - day.interactive
    low, high = np.maximum(total - room[:, 1], 0), np.minimum(total, room[:, 0])
    east = low[:, None] + POINTS * (high - low)[:, None]
    return np.asarray(_cost(hall, terms, day, east, total[:, None] - east).min(axis=1))


def _cost(hall: Hall, terms: Terms, day: Day, east: Array, west: Array) -> Array:
    """Grams of work at the sites, ``(moment, choice)``."""
    table = least_power(hall)
    grams: Array = np.zeros(np.broadcast_shapes(east.shape, west.shape))
    for site, work in enumerate((east, west)):
        given, wet = day.interactive[:, site, None], day.wet[:, site, None] + 0 * work
        power = table.at(given + work, wet) - hall.nominal(given)
        grams = grams + day.ci[:, site, None] * terms.step_s * power
    return grams


def with_run(hall: Hall, terms: Terms, day: Day, run: tuple[float, float]) -> float:
    """J with the shares that run held, in grams."""
    room = (hall.use_max - day.interactive).sum(axis=1)
    left = np.zeros(2)
    total = np.zeros(len(room))
    for t, space in enumerate(room):
        waiting = left + day.arrival[t]
        due = np.maximum(waiting - day.recent[t], 0)
        wanted = np.array(run) * (waiting - due)
        served = due + wanted * min(1.0, max(space - due.sum(), 0) / max(wanted.sum(), 1e-9))
        left, total[t] = waiting - served, served.sum()
    return float(best_place(hall, terms, day, total).sum() + terms.left_price * left.sum())


def with_placement(hall: Hall, terms: Terms, day: Day, share: float) -> float:
    """J with the share of the work that runs in the east held, in grams."""
    each = hall.use_max - day.interactive
    room = each.sum(axis=1, keepdims=True)

    def cost(total: Array) -> Array:
        east = np.minimum(np.maximum(share * total, total - each[:, 1:]), each[:, :1])
        return _cost(hall, terms, day, east, total - east)

    work = POINTS * room
    pieces = convex_pieces(work[:, None], cost(work)[:, None])
    schedule = solve_day(pieces, day.arrival, day.recent, terms.left_price)
    return descend(cost, room, terms, day, schedule).value_g


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=24, help="of the train split")
    scenarios = np.arange(parser.parse_args().days)
    problem = envs.load("cooling")
    hall, terms = Hall.of(problem, "train"), Terms.of(problem, "train")
    floor = proven_floor(hall)
    drawn = sample_scenarios(problem, "train", scenarios)
    days = [Day.of(drawn, int(row), problem.horizon) for row in scenarios]
    first: list[Schedule] = [plan_below(hall, terms, floor, day) for day in days]

    def free(held: Hall) -> float:
        """With the halls' controls held, or not."""
        table, values = least_power(held), []
        for day, plan in zip(days, first, strict=True):
            idle_w = table.at(day.interactive, day.wet) - held.nominal(day.interactive)
            idle_g = (day.ci * terms.step_s * idle_w).sum()
            values.append(improve(held, terms, day, plan).value_g + idle_g)
        return float(np.mean(values))

    def supply(celsius: float) -> float:
        return free(replace(hall, supply_range=(celsius + CELSIUS, celsius + CELSIUS)))

    def fan(speed: float) -> float:
        return free(replace(hall, fan_range=(speed, speed)))

    def run(shares: tuple[float, float]) -> float:
        return float(np.mean([with_run(hall, terms, day, shares) for day in days]))

    def placement(share: float) -> float:
        return float(np.mean([with_placement(hall, terms, day, share) for day in days]))

    def both(share: float) -> float:
        return float(np.mean([with_both(hall, terms, day, share) for day in days]))

    base = free(hall)
    print(f"nothing held: {base / 1e3:.1f} kg a day, {len(days)} days", flush=True)
    rows: dict[str, tuple[Callable[[Any], float], Iterable[Any]]] = {
        "supply": (supply, SUPPLIES_C),
        "fan": (fan, FANS),
        "run": (run, RUNS),
        "placement": (placement, PLACEMENTS),
        "run (1, 1), placement": (both, PLACEMENTS),
    }
    for name, (value, constants) in rows.items():
        held = {constant: value(constant) for constant in constants}
        best = min(held, key=held.__getitem__)
        print(f"{name:24s} {100 * (held[best] / base - 1):+6.1f} %  at {best}", flush=True)


def with_both(hall: Hall, terms: Terms, day: Day, share: float) -> float:
    """J with work run as it comes, a held share of it in the east, in grams."""
    total = day.arrival.sum(axis=1, keepdims=True)
    return float(_cost(hall, terms, day, share * total, (1 - share) * total).sum())


if __name__ == "__main__":
    main()
