"""What each decision of ``v2g`` is worth, and what is left of it elsewhere.

    python -m envs.oracle.v2g_ablation --days 24

The day's programme is solved again without vehicles that lend, with chargers at their best
constant, or with an idle battery, so that everything else makes the best of it. Shares
of paths are held in the plan as it is: their constants are played. The second table has single
grids and the ood split, with the rules beside the optimum.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs
from envs.oracle.realise import actions, realise
from envs.oracle.v2g import constants, days, decisions
from envs.oracle.v2g_day import KW, Plan, Sessions, Store
from envs.oracle.v2g_day import solve as solve_day
from envs.simulation.batch import BatchSimulation

Array = NDArray[np.float64]

CHARGERS_KW = (1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 11.0)
NEAR, MICRO = (0.4, 0.5, 0.6, 0.7), (0.0, 0.15, 0.3, 0.45, 0.6)
ZONES = ("DE", "CA", "GB", "SG", "IN", "ZA")


def plans(
    problem: envs.Problem, scenarios: NDArray[np.int64], lend: bool = True, split: str = "train"
) -> list[Plan]:
    """The optimum of days."""
    site = constants(problem, split)
    return [solve_day(site, day, cars, lend=lend) for day, cars in days(problem, split, scenarios)]


def value(found: list[Plan]) -> float:
    """Mean in grams."""
    return float(np.mean([plan.value_g for plan in found]))


def with_charger(problem: envs.Problem, scenarios: NDArray[np.int64], power_kw: float) -> float:
    """Chargers at a constant power, battery and routing at their best."""
    site = constants(problem, "train")
    simulation = BatchSimulation(problem.compiled(), len(scenarios), "train")
    simulation.reset(scenarios)
    held = {
        "charger": np.full((len(scenarios), 10), power_kw * KW),
        "command": np.zeros(len(scenarios)),
        "route": np.full((len(scenarios), 4), 0.25),
    }
    action, charged = actions(simulation, held), []
    node = simulation.compiled.named["charged"][0]
    for _ in range(problem.horizon):
        simulation.decide(action)
        charged.append(simulation.values([node])[0] / KW)
        simulation.step(action)
    late = simulation.episode()["violation.undelivered"] * site.undelivered
    nobody = Sessions(*(np.zeros(0, dtype=kind) for kind in (int, int, float, float, float)))
    found = [
        solve_day(site, replace(day, base=day.base + load), nobody).value_g
        for (day, _), load in zip(
            days(problem, "train", scenarios), np.array(charged).T, strict=True
        )
    ]
    return float(np.mean(found) + late.mean())


def with_idle_battery(problem: envs.Problem, scenarios: NDArray[np.int64]) -> float:
    """The battery idle, everything else at its best."""
    site = constants(problem, "train")
    idle = replace(site, battery=Store(site.battery.size, 0.0, site.battery.efficiency))
    return value([solve_day(idle, *case) for case in days(problem, "train", scenarios)])


def with_route(
    problem: envs.Problem, scenarios: NDArray[np.int64], plan: dict[str, Array]
) -> float:
    """The plan with its best constant shares, played."""
    played = []
    for micro in MICRO:
        for near in NEAR:
            held = np.array([(1 - micro) * near, (1 - micro) * (1 - near), micro, 0.0])
            route = np.broadcast_to(held, plan["route"].shape)
            played.append(realise(problem, "train", scenarios, {**plan, "route": route}).mean())
    return float(min(played))


def with_rule(problem: envs.Problem, scenarios: NDArray[np.int64], name: str, split: str) -> float:
    """A heuristic, played."""
    env = envs.make_vector(problem, len(scenarios), split=split)
    env.reset(options={"scenarios": scenarios})
    for _ in range(problem.horizon):
        info: dict[str, Any] = env.step(env.heuristic_actions(name))[4]
    return float(info["totals"]["objective_g"].mean())


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=24, help="of the train split")
    scenarios = np.arange(parser.parse_args().days)
    problem = envs.load("v2g")
    best = plans(problem, scenarios)
    base = value(best)
    print(f"nothing held: {base / 1e3:.2f} kg a day, {len(scenarios)} days", flush=True)
    plan = decisions(best)
    played = realise(problem, "train", scenarios, plan).mean()
    rows = {
        "vehicles that do not lend": value(plans(problem, scenarios, lend=False)),
        "chargers at a constant": min(with_charger(problem, scenarios, p) for p in CHARGERS_KW),
        "battery idle": with_idle_battery(problem, scenarios),
        "paths at constants": with_route(problem, scenarios, plan) * base / played,
    }
    for name, held in rows.items():
        print(f"{name:28s} {100 * (held / base - 1):+6.1f} %", flush=True)
    print("\ngrid  kg/day  no lending  " + "  ".join(problem.heuristics))
    cases = []
    for zone, name in enumerate(ZONES):
        only = {"sample": {"integers": [zone, zone]}}
        one = envs.load("v2g", overrides={"parameters": {"zone_now": only}})
        cases.append((name, one, "train"))
    for name, one, split in (*cases, ("ood", problem, "ood")):
        base = value(plans(one, scenarios, split=split))
        others = [value(plans(one, scenarios, lend=False, split=split))]
        others += [with_rule(one, scenarios, rule, split) for rule in one.heuristics]
        print(
            f"{name}  {base / 1e3:7.2f}  ",
            "  ".join(f"{100 * (x / base - 1):+.1f} %" for x in others),
            flush=True,
        )


if __name__ == "__main__":
    main()
