"""The optimum of ``offload_paper`` within a stated gap: branch and bound over bandwidth and power.

On a box of (bandwidth, power) each part of the objective is bounded from below through quantities
that are monotone in both: the rate rises in bandwidth and power, so airtime falls; the background's
power rises in bandwidth up to its efficiency cap and falls beyond, so it is least at an end. The
sum of these bounds is a bound. Boxes that cannot hold the optimum are dropped, the others are
split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.oracle.known import constants
from envs.oracle.realise import realise
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

GAP = 2e-3
"""Boxes whose bound is within this share of the best value are split no further."""
LEVELS = 24
START = 24


@dataclass(frozen=True)
class _Cell:
    """The scenarios' quantities and the problem's constants, in base units.

    Arrays ``(scenario,)``.
    """

    constants: Mapping[str, Any]
    penalty: Mapping[str, float]
    values: Mapping[str, Array]

    def rows(self, which: NDArray[np.int64]) -> _Cell:
        """The same for some rows, once for each entry."""
        return _Cell(self.constants, self.penalty, {n: v[which] for n, v in self.values.items()})

    def need(self, bandwidth: Array) -> Array:
        """Power that the background's traffic needs beside a bandwidth, in W."""
        c, v = self.constants, self.values
        rest = c["band"] - bandwidth
        efficiency = np.minimum(self.traffic / rest, c["efficiency_cap"])
        return np.asarray(c["noise_density"] * rest / v["background_gain"] * (2**efficiency - 1))

    @property
    def traffic(self) -> Array:
        """Rate of the background, in bit/s."""
        return np.asarray(self.values["background_load"] * self.constants["band"])

    @property
    def alone(self) -> Array:
        """Power of the background with the whole band, in W."""
        c, v = self.constants, self.values
        power = c["noise_density"] * c["band"] / v["background_gain"]
        return np.asarray(np.minimum(power * (2 ** v["background_load"] - 1), c["power_max"]))

    def bound(self, b_low: Array, b_high: Array, p_low: Array, p_high: Array) -> Array:
        """A lower bound of the objective on boxes, in grams; exact on boxes of size 0."""
        c, v = self.constants, self.values
        density = c["noise_density"]
        snr = p_high * v["gain"] / (density * b_high)
        rate = b_high * np.minimum(np.log2(1 + snr), c["efficiency_cap"])
        longest = c["patience"] * v["budget"]
        airtime = np.minimum(v["payload"] / rate, longest)
        need = np.minimum(self.need(b_low), self.need(b_high))
        background = np.minimum(need, np.maximum(c["power_max"] - p_high, 0.0))
        extra = np.maximum(background - self.alone, 0.0)
        site = c["power_fixed"] * b_low / c["band"] + c["power_slope"] * (p_low + extra)
        carbon = (v["ci_edge"] * site + v["ci_user"] * c["power_wait"]) * airtime
        rest = c["band"] - b_low
        left = np.maximum(c["power_max"] - p_low, 0.0)
        reach = np.log2(1 + left * v["background_gain"] / (density * rest))
        served = np.minimum(self.traffic, rest * np.minimum(reach, c["efficiency_cap"]))
        late = np.maximum(airtime - v["budget"], 0.0)
        missing = np.maximum(v["payload"] - rate * longest, 0.0)
        unserved = np.maximum(self.traffic - served, 0.0) * airtime
        price = self.penalty
        total = carbon + price["late"] * late + price["undelivered"] * missing
        return np.asarray(total + price["background"] * unserved)


def _cell(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> _Cell:
    compiled = problem.compiled(split)
    drawn = sample_scenarios(problem, split, scenarios)
    names = (
        "gain",
        "background_gain",
        "background_load",
        "payload",
        "budget",
        "ci_edge",
        "ci_user",
    )
    values = {name: drawn.paths[name][0] for name in names}
    # Penalties are per declared unit of violation; here everything is in base units.
    penalty = {p.name: p.penalty_g / p.unit.factor for p in compiled.constraints}
    return _Cell(constants(problem, split), penalty, values)


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective, in grams."""
    cell, count = _cell(problem, split, scenarios), len(scenarios)
    plans = {plan.name: plan for plan in problem.compiled(split).decisions}
    edges = [np.linspace(np.log(plans[n].low), np.log(plans[n].high), START + 1) for n in _BOX]
    grid = np.meshgrid(*(np.arange(START) for _ in _BOX), indexing="ij")
    rows = np.repeat(np.arange(count), START * START)
    boxes = np.stack(
        [
            np.tile(edge[index.ravel() + side], count)
            for edge, index in zip(edges, grid, strict=True)
            for side in (0, 1)
        ]
    )
    best = np.full(count, np.inf)
    action = np.zeros((2, count))
    bound = np.full(count, np.inf)
    for _ in range(LEVELS):
        here = cell.rows(rows)
        lower = here.bound(*np.exp(boxes))
        middle = np.stack([boxes[:2].mean(axis=0), boxes[2:].mean(axis=0)])
        b, p = np.exp(middle)
        value = here.bound(b, b, p, p)
        np.minimum.at(best, rows, value)
        chosen = value == best[rows]
        action[:, rows[chosen]] = middle[:, chosen]
        settled = lower >= best[rows] * (1 - GAP)
        np.minimum.at(bound, rows[settled], lower[settled])
        rows, boxes = rows[~settled], boxes[:, ~settled]
        if not len(rows):
            break
        rows, boxes = np.tile(rows, 4), _quarters(boxes)
    np.minimum.at(bound, rows, cell.rows(rows).bound(*np.exp(boxes)))
    decisions = dict(zip(_BOX, np.exp(action)[:, None, :], strict=True))
    attained = realise(problem, split, scenarios, decisions)
    return {"certified": np.minimum(bound, best), "best_known": attained}


_BOX = ("bandwidth", "power")


def _quarters(boxes: Array) -> Array:
    """Each box ``(b_low, b_high, p_low, p_high)`` cut in four."""
    b_low, b_high, p_low, p_high = boxes
    b_mid, p_mid = (b_low + b_high) / 2, (p_low + p_high) / 2
    parts = [
        np.stack([b0, b1, p0, p1])
        for b0, b1 in ((b_low, b_mid), (b_mid, b_high))
        for p0, p1 in ((p_low, p_mid), (p_mid, p_high))
    ]
    return np.concatenate(parts, axis=1)
