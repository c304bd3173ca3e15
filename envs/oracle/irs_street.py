"""The objective of ``irs`` and what no point of a box can undercut, as plain arrays.

A box is an interval of place, turn, elements and power on one façade. Each part of the objective is
monotone: carbon rises in elements and power; outage falls in elements, power and the reflected
link. The link is bounded factor by factor: distances at the nearest place, the shade at the place
farthest from the trees, and each angle to the surface's normal by the gap between two intervals,
because the directions to base station and hot spots turn one way along the façade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

PLACE, TURN, ELEMENTS, POWER = range(4)
"""Rows of a box's corners; elements and power by their logarithms."""


@dataclass(frozen=True)
class Street:
    """Streets and the problem's constants, in base units; arrays ``(row,)`` or ``(row, spot)``."""

    constants: Mapping[str, Any]
    penalty_g_s: float
    values: Mapping[str, Array]

    def rows(self, which: NDArray[np.int64]) -> Street:
        """The same for some rows, once for each entry."""
        values = {name: value[which] for name, value in self.values.items()}
        return Street(self.constants, self.penalty_g_s, values)

    def bound(self, low: Array, high: Array, north: NDArray[np.bool_]) -> Array:
        """A lower bound on boxes with corners ``(4, row)``; exact on boxes of size 0."""
        link = self.largest_link(low, high, north)
        fewest, most = np.rint(np.exp(low[ELEMENTS])), np.rint(np.exp(high[ELEMENTS]))
        c = self.constants
        array = most * (1 + np.maximum(most - 1, 0.0) * c["coherence"] ** 2)
        reflected = c["antennas"] * link * array[:, None]
        surface = c["controller"] + c["element_power"] * fewest
        making = c["frame_carbon"] + c["element_carbon"] * fewest
        return self.cost(np.exp(low[POWER]), np.exp(high[POWER]), reflected, surface, making)

    def cost(
        self, power: Array, largest: Array, reflected: Array, surface: Array, making: Array
    ) -> Array:
        """J in grams of a year: carbon at ``power``, outage at the ``largest``."""
        c, v = self.constants, self.values
        traffic = v["hours"].sum(axis=1) / 86400.0
        mean_w = (c["power_slope"] * power + surface) * traffic
        carbon = v["ci"] * mean_w * c["year_s"] + making * c["year_s"] / c["service_life"]
        outage = self.outage(largest, reflected)
        short = np.maximum(v["hours"] * (outage - c["outage_allowed"]), 0.0).sum(axis=1)
        return np.asarray(carbon + self.penalty_g_s * short)

    def outage(self, power: Array, reflected: Array) -> Array:
        """Share of time in which a hot spot does not have its rate, ``(row, spot)``."""
        c, v = self.constants, self.values
        direct = v["direct_gain"]
        needed = v["sinr"] * c["noise"] / power[:, None] / direct
        share = np.sqrt(reflected / direct)
        x = needed[..., None] - np.square(np.sqrt(c["fade_state"]) + share[..., None])
        x = np.clip(x, 0.0, 250.0)
        series = np.ones_like(x)
        for j in range(6, 0, -1):
            series *= x
            series *= 1 / j
            series += 1.0
        return np.asarray((1 - np.exp(-x) * series).mean(axis=-1))

    def largest_link(self, low: Array, high: Array, north: NDArray[np.bool_]) -> Array:
        """The largest gain over one element on boxes, ``(row, spot)``."""
        c, v = self.constants, self.values
        across = np.where(north[:, None], c["width"] - v["spot_y"], v["spot_y"])
        feed, inward = _hop(low, high, v["mast_x"][:, None], c["mast_y"], c["mast_rise"])
        reach, outward = _hop(low, high, v["spot_x"], across, c["drop"])
        facade = north.astype(np.intp)[:, None]
        at, half, hidden = (
            np.take_along_axis(v["shade_at"], facade, axis=1),
            np.take_along_axis(v["shade_half"], facade, axis=1),
            np.take_along_axis(v["hidden"], facade[:, None], axis=2)[..., 0],
        )
        apart = _farthest(low[PLACE][:, None], high[PLACE][:, None], at)
        shade = c["blockage"] ** (0.5 + 0.5 * np.tanh((half - apart) / 4.0))
        element = (np.pi * np.maximum(inward, 1e-4) ** c["turn_exponent"]) * (
            np.pi * np.maximum(outward, 1e-4) ** c["turn_exponent"]
        )
        paths = c["gain_at_metre"] ** 2 * feed**-2.2 * reach**-2.8
        return np.asarray(paths * element * shade * np.where(hidden > 0.5, c["blockage"], 1.0))


def _farthest(low: Array, high: Array, at: Array) -> Array:
    return np.maximum(np.abs(low - at), np.abs(high - at))


def _hop(low: Array, high: Array, x: Array, across: Any, rise: Any) -> tuple[Array, Array]:
    """Least distance from a surface in boxes to a point, and its largest cosine there."""
    near, far = low[PLACE][:, None], high[PLACE][:, None]
    distance = np.hypot(np.hypot(np.clip(x, near, far) - x, across), rise)
    flat = np.hypot(_farthest(near, far, x), across)
    angles = np.arctan2(x - far, across), np.arctan2(x - near, across)
    return distance, flat / np.hypot(flat, rise) * _cosine(low[TURN], high[TURN], *angles)


def _cosine(turn_low: Array, turn_high: Array, low: Array, high: Array) -> Array:
    """The largest cosine of the difference of two angles in intervals."""
    gap = np.maximum(np.maximum(turn_low[:, None] - high, low - turn_high[:, None]), 0.0)
    return np.asarray(np.cos(np.minimum(gap, np.pi)))


def streets(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Street:
    """The streets of some scenarios."""
    compiled = problem.compiled(split)
    drawn = sample_scenarios(problem, split, scenarios)
    constants: dict[str, Any] = {n: np.asarray(v) for n, v in problem.constants.items()}
    constants["year_s"] = compiled.step_s
    # Derived parameters are no draws: they are computed from these as the spec says.
    v = dict(drawn.parameters)
    means = constants["ci_mean"][v.pop("zone_now").astype(np.intp)]
    v["ci"] = v["outlook"] * means
    v["sinr"] = 2 ** (v["rate"] / constants["band"]) - 1
    v["mast_x"] = v.pop("mast_east") * constants["length"]
    away = v.pop("spot_away")
    v["spot_x"] = np.abs(v["mast_x"][:, None] - away)
    flat = np.hypot(away, v["spot_y"] - constants["mast_y"])
    path = np.hypot(flat, constants["drop"] + constants["mast_rise"])
    lost = np.where(v["blocked"] > 0.5, constants["blockage"], 1.0)
    v["direct_gain"] = constants["gain_at_metre"] * path**-3.1 * lost
    price = next(p for p in compiled.constraints if p.name == "unserved")
    return Street(constants, price.penalty_g / price.unit.factor, v)
