"""Losses against carbon on the feeder of ``v2g_feeder``, and what its decisions are worth.

    python -m envs.oracle.feeder_front --days 24

The front: full foresight with a further price on each kWh lost. The ablation: one decision of the
optimal plan is held at its best constant, and played with the others as they are.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

import envs
from envs.oracle.feeder import KW, Grid, Plan, best_plan, days, flow_of
from envs.oracle.realise import realise

LOSS_PRICES = (0.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 20000.0)
DEPOTS_KW, FEEDS_KW = (50, 65, 80, 100, 130, 220), (0, 100, 200, 300, 400)


def front(problem: envs.Problem, scenarios: NDArray[np.int64]) -> list[tuple[float, float, float]]:
    """Price in g/kWh, kWh lost and kg of carbon a day, for each price."""
    grid, rows = Grid.of(problem, "train"), []
    cases = days(problem, "train", scenarios)
    for price in LOSS_PRICES:
        plans = [best_plan(grid, day, price)[1] for day in cases]
        lost = [
            flow_of(grid, day, p).lost.sum() * grid.hours
            for day, p in zip(cases, plans, strict=True)
        ]
        carbon = realise(problem, "train", scenarios, decisions(plans))
        rows.append((price, float(np.mean(lost)), float(carbon.mean()) / 1e3))
    return rows


def decisions(plans: list[Plan]) -> dict[str, NDArray[np.float64]]:
    """Plans as decisions ``(step, scenario, …)`` in base units."""
    return {
        "depot_command": np.stack([plan.depot for plan in plans], axis=1) * KW,
        "feed": np.stack([plan.feed for plan in plans], axis=1) * KW,
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=24, help="of the train split")
    scenarios = np.arange(parser.parse_args().days)
    problem = envs.load("v2g_feeder")
    grid = Grid.of(problem, "train")
    plan = decisions([best_plan(grid, day)[1] for day in days(problem, "train", scenarios)])
    base = realise(problem, "train", scenarios, plan).mean()
    print(f"nothing held: {base / 1e3:.1f} kg a day, {len(scenarios)} days", flush=True)
    for name, constants in (("depot_command", DEPOTS_KW), ("feed", FEEDS_KW)):
        held = min(
            realise(
                problem, "train", scenarios, {**plan, name: np.full_like(plan[name], c * KW)}
            ).mean()
            for c in constants
        )
        print(f"{name:14s} {100 * (held / base - 1):+.1f} %", flush=True)
    print("\ng per kWh lost   kWh lost   kg a day")
    for price, lost, carbon in front(problem, scenarios):
        print(f"{price:14.0f} {lost:10.1f} {carbon:10.1f}", flush=True)


if __name__ == "__main__":
    main()
