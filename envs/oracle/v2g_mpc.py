"""A certainty-equivalent controller of ``v2g``, played on forecasts alone.

Every half hour the rest of the day is planned by the programme that also gives the bound
(`v2g_day`), from what an agent can see: the cars that are there and when they leave, the battery,
the forecast of the grid's intensity, and the climate of training days. Cars that have not come yet
are not planned for; one that comes between two plans charges evenly until the next. Power is routed
at each step for the power then needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.realise import actions
from envs.oracle.v2g import constants, sessions
from envs.oracle.v2g_day import KW, KWH, Day, Sessions, Site
from envs.oracle.v2g_day import solve as solve_day
from envs.simulation.batch import BatchSimulation
from envs.simulation.scenarios import Scenarios, sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

EVERY, BLOCK = 2, 4
"""Steps between plans, which are steps of the plan too; further off, steps of an hour."""
WIND_MEMORY_H, MEDIAN_WIND = 19.5, -1.0986
"""Of the microgrid: correlation 0.95 from hour to hour, and its median (as in the problem)."""
PRIOR_KWH = 20.0
"""How much usual sun weighs as much as what was seen of today's."""


@dataclass(frozen=True)
class Climate:
    """Training days in short: households (kW), and PV's mean and slope over the declination."""

    base: Array
    pv: Array

    @classmethod
    def learn(cls, problem: Problem, scenarios: int = 384) -> Climate:
        """From the first training scenarios."""
        drawn = sample_scenarios(problem, "train", np.arange(scenarios))
        declination = drawn.parameters["declination"]
        design = np.column_stack([np.ones(scenarios), declination])
        pv = np.linalg.lstsq(design, drawn.paths["pv"][: problem.horizon].T / KW, rcond=None)[0]
        return cls(drawn.paths["base"][: problem.horizon].mean(axis=1) / KW, np.asarray(pv.T))


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Objective of each scenario in grams, by method."""
    site, climate = constants(problem, split), Climate.learn(problem)
    drawn = sample_scenarios(problem, split, scenarios)
    cars = sessions(problem, split, scenarios, drawn)
    simulation = BatchSimulation(problem.compiled(split), len(scenarios), split)
    simulation.reset(np.asarray(scenarios, dtype=np.int64))
    named = simulation.compiled.named
    watcher = _Watcher(problem, climate, drawn)
    charger = np.zeros((EVERY, *cars.first.shape))
    command = np.zeros((EVERY, len(scenarios)))
    for t in range(problem.horizon):
        stored, battery = simulation.values([named["energy"][0], named["battery"][0]])
        energy, battery = stored.T / KWH, battery / KWH
        here = (cars.first <= t) & (t < cars.last)
        step = t % EVERY
        if step == 0:
            for row in range(len(scenarios)):
                day, ends = watcher.outlook(t, row)
                seen = Sessions(
                    np.zeros_like(cars.first[row]),
                    np.where(here[row], np.searchsorted(ends, cars.last[row], side="right"), 0),
                    energy[row],
                    cars.target[row],
                    np.minimum(cars.floor[row], energy[row]),
                )
                seen.last[here[row]] = np.maximum(seen.last[here[row]], 1)
                plan = solve_day(site, day, seen, float(battery[row]))
                ahead = min(EVERY, len(day.hours))
                charger[:ahead, row], command[:ahead, row] = (
                    plan.charger[:ahead],
                    plan.command[:ahead],
                )
        missing = np.maximum(cars.target - energy, 0.0)
        left_h = np.maximum(cars.last - t, 1) * watcher.hours
        even = missing / (site.vehicle.efficiency * left_h)
        power = np.where(
            here, np.where((cars.first > t - step) & (step > 0), even, charger[step]), 0
        )
        now = watcher.now(t)
        net = now.base - now.pv + power.sum(axis=1) + command[step]
        decided = {
            "charger": power * KW,
            "command": command[step] * KW,
            "route": shares(site, now, net),
        }
        simulation.step(actions(simulation, decided))
    return {"mpc": simulation.episode()["objective_g"]}


def shares(site: Site, now: Day, net: Array) -> Array:
    """The cleaner source first; the grid over both paths, so that the last kW loses the same."""
    clean = (now.ci_micro < now.ci) & (net > 0)
    net = np.maximum(abs(net), 1e-3)
    micro = np.where(clean, np.minimum(site.micro_max, net), 0.0)
    grid = net - micro
    grid_a, grid_b, _, _, a_site, b_site = site.loss
    far = ((grid_a + a_site) * grid - b_site * micro) / (grid_a + a_site + grid_b + b_site)
    far = np.clip(far, np.maximum(grid - site.line_limit[0], 0.0), grid)
    return np.stack([grid - far, far, micro, 0 * micro], axis=-1) / net[:, None]


class _Watcher:
    """Sees a batch of days step by step and says what it expects of the rest."""

    def __init__(self, problem: Problem, climate: Climate, drawn: Scenarios) -> None:
        self.hours = problem.compiled().step_s / 3600
        self._horizon = problem.horizon
        self._paths = drawn.paths
        self._base = climate.base
        design = np.column_stack(
            [np.ones(len(drawn.parameters["declination"])), drawn.parameters["declination"]]
        )
        self._sun = np.maximum(climate.pv @ design.T, 0.0)
        self._leads = np.append(0.0, problem.constants["lead_time"]) / 3600
        self._micro = (
            float(problem.constants["micro_dirty"]) * KWH,
            float(problem.constants["micro_clean"]) * KWH,
        )

    def now(self, t: int) -> Day:
        """The present step of all scenarios."""
        path = self._paths
        return Day(
            np.array([self.hours]),
            path["ci"][t] * KWH,
            path["ci_micro"][t] * KWH,
            path["pv"][t] / KW,
            path["base"][t] / KW,
        )

    def outlook(self, t: int, row: int) -> tuple[Day, NDArray[np.int64]]:
        """The rest of a day in blocks, and the step at which each of them ends."""
        steps = np.arange(t, self._horizon)
        ahead_h = (steps - t) * self.hours
        known = np.append(self._paths["ci"][t, row], self._paths["ci_forecast"][t, row]) * KWH
        ci = np.maximum(np.interp(ahead_h, self._leads, known), 20.0)
        dirty, clean = self._micro
        share = (dirty - self._paths["ci_micro"][t, row] * KWH) / (dirty - clean)
        wind = np.log(share / (1 - share))
        wind = MEDIAN_WIND + (wind - MEDIAN_WIND) * np.exp(-ahead_h / WIND_MEMORY_H)
        micro = dirty + (clean - dirty) / (1 + np.exp(-wind))
        seen, usual = self._paths["pv"][: t + 1, row] / KW, self._sun[: t + 1, row]
        prior = PRIOR_KWH / self.hours
        pv = self._sun[steps, row] * (prior + seen.sum()) / (prior + usual.sum())
        base = self._base[steps] * 1.0
        pv[0], base[0] = seen[-1], self._paths["base"][t, row] / KW
        fine = min(EVERY, len(steps))
        starts = np.concatenate([np.arange(fine), np.arange(fine, len(steps), BLOCK)])
        lengths = np.diff(np.append(starts, len(steps)))
        parts = (np.add.reduceat(values, starts) / lengths for values in (ci, micro, pv, base))
        return Day(lengths * self.hours, *parts), t + starts + lengths
