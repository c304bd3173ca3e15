"""A certainty-equivalent controller of ``cooling``, played on forecasts alone.

Once an hour the rest of the day is planned by the programme that also gives the bound
(`cooling_day`), as the controller expects it: carbon intensity from its forecasts, the wet bulb
and the interactive load from what they are now and what training days do, arrivals from training
days. The first steps of the plan are carried out at the best set-points and fan speeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.cooling import Day, Terms, decisions_now, improve, plan_below
from envs.oracle.cooling_hall import Hall, proven_floor
from envs.oracle.realise import actions
from envs.simulation.batch import BatchSimulation
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

EVERY = 4
"""Steps between plans: carbon intensity and its forecast change once an hour."""
MEMORY_S = {"interactive": 5.5 * 3600.0, "wet": 20 * 3600.0, "arrival": 4.5 * 3600.0}
"""How long what departs from the usual lasts; an AR(1) with the training days' correlation."""
CLEANEST = 20 / 3.6e6
"""Least carbon intensity expected (g/J)."""
TRAINING_DAYS = 384
ROUNDS = 2


@dataclass(frozen=True)
class Usual:
    """Means of training days: ``(moment,)`` shapes of load and wet bulb, arrivals by class."""

    interactive: Array
    wet: Array
    arrival: Array


@lru_cache(maxsize=2)
def usual(problem: Problem) -> Usual:
    """Learn from the first training scenarios."""
    drawn = sample_scenarios(problem, "train", np.arange(TRAINING_DAYS))
    mean = {n: drawn.paths[n][: problem.horizon].mean(axis=1) for n in ("arrival",)}
    flat = {n: drawn.paths[n][: problem.horizon].mean(axis=(1, 2)) for n in ("interactive", "wet")}
    return Usual(flat["interactive"], flat["wet"], mean["arrival"])


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Objective of each scenario in grams, by method."""
    hall, terms, known = Hall.of(problem, split), Terms.of(problem, split), usual(problem)
    floor = proven_floor(hall)
    lead_s = np.asarray(problem.constants["lead_time"], dtype=np.float64)
    deadline = np.rint(
        np.asarray(problem.constants["deadline"], dtype=np.float64) / terms.step_s
    ).astype(int)
    drawn = sample_scenarios(problem, split, scenarios)
    path = {name: values[: problem.horizon] for name, values in drawn.paths.items()}
    simulation = BatchSimulation(problem.compiled(split), len(scenarios), split)
    simulation.reset(np.asarray(scenarios, dtype=np.int64))
    states = [state.node for state in simulation.compiled.states]
    served: list[Array] = []
    placed: list[Array] = []
    for t in range(problem.horizon):
        now = {name: values[t] for name, values in path.items()}
        backlog = simulation.values(states)[0].T / terms.step_s
        if t % EVERY == 0:
            plans = []
            for row in range(len(scenarios)):
                seen = {name: values[: t + 1, row] for name, values in path.items()}
                day = _expected(known, terms, lead_s, deadline, seen, problem.horizon)
                plan = plan_below(hall, terms, floor, day, backlog[row])
                plans.append(improve(hall, terms, day, plan, backlog[row], ROUNDS))
            served = [np.stack([plan.served[k] for plan in plans]) for k in _next(plans[0].served)]
            placed = [np.stack([plan.placed[k] for plan in plans]) for k in _next(plans[0].placed)]
        step = decisions_now(
            hall, backlog + now["arrival"], now, served[t % EVERY], placed[t % EVERY]
        )
        simulation.step(actions(simulation, step))
    return {"mpc": simulation.episode()["objective_g"]}


def _next(plan: Array) -> range:
    return range(min(EVERY, len(plan)))


def _expected(
    known: Usual,
    terms: Terms,
    lead_s: Array,
    deadline: NDArray[np.int64],
    seen: Mapping[str, Array],
    horizon: int,
) -> Day:
    """The rest of the day as it looks from its latest moment, that moment first."""
    now = len(seen["ci"]) - 1
    ahead_s = np.arange(horizon - now) * terms.step_s
    points = np.concatenate([[0.0], lead_s])
    forecast = np.concatenate([seen["ci"][-1][:, None], seen["ci_forecast"][-1]], axis=1)
    ci = np.stack([np.interp(ahead_s, points, values) for values in forecast], axis=1)
    ci = np.maximum(ci, CLEANEST)  # forecasts err, below 0 too

    def fading(name: str, mean: Array) -> Array:
        fade = np.exp(-ahead_s / MEMORY_S[name])[:, None]
        return np.asarray(mean + fade * (seen[name][-1] - mean[0]))

    # The level of a site's own day: what it was on average so far, trusted the more the longer.
    level = (seen["interactive"] - known.interactive[: now + 1, None]).sum(axis=0) / (now + 1 + 24)
    arrival = np.maximum(fading("arrival", known.arrival[now:]), 0.0)
    arrival[0] = seen["arrival"][-1]
    late = (seen["wet"] - known.wet[: now + 1, None]).sum(axis=0) / (now + 1 + 12)
    whole = np.concatenate([seen["arrival"][:-1], arrival])
    total = np.cumsum(np.concatenate([np.zeros((1, whole.shape[1])), whole]), axis=0)
    ends = np.arange(now, horizon) + 1
    recent = np.stack(
        [total[ends, j] - total[np.maximum(ends - d, 0), j] for j, d in enumerate(deadline)], axis=1
    )
    return Day(
        interactive=np.clip(
            fading("interactive", known.interactive[now:, None] + level), 0.15, 0.58
        ),
        wet=fading("wet", known.wet[now:, None] + late),
        ci=ci,
        arrival=arrival,
        recent=recent,
    )
