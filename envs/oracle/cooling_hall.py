"""A hall of ``cooling`` in NumPy: what it draws, how it is cooled best, and a proven floor of that.

The floor holds for every supply temperature and fan speed: the rectangle of both is cut into boxes,
a box is bounded by interval arithmetic over its monotone parts, and boxes that cannot hold the best
are dropped until the rest are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.oracle.known import constants

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

CELSIUS = 273.15
CAPACITY = (0.252113, 0.01324053, -0.008637329, 0.08581056, -0.004261176, 0.008661899)
INPUT = (0.4475238, -0.0258821, -0.001459053, 0.04342595, -0.001000651, 0.001920106)
PART_LOAD = (0.2778889, 0.2338363, 0.4883748)
CHILLED_C, CONDENSER_C, RATIO = (7.22, 12.78), (12.78, 26.67), (0.1, 1.15)

CURVATURE_PER_K2 = 0.05
"""More than the chiller's power bends upwards with either water, over the rated power (tested)."""

USE_CELLS, WET_CELLS = 128, 128
LEVELS = 5
"""How often boxes are cut in four."""
FIRST_BOXES = (9, 10)
COARSE, REFINEMENTS = (28, 22), 8
NEAR = np.linspace(-1, 1, 5)
"""Supply temperatures and fan speeds tried first, and how often it is looked around the best."""


def _curve(c: tuple[float, ...], x: Array, y: Array) -> Array:
    return np.asarray(
        c[0] + c[1] * x + c[2] * x**2 + c[3] * y + c[4] * y**2 + c[5] * x * y, dtype=np.float64
    )


@dataclass(frozen=True)
class Hall:
    """The constants of a hall in base units, and the bounds of its decisions."""

    servers: float
    server_idle: float
    server_peak: float
    use_max: float
    warm_from: float
    warm_rise: float
    server_flow_max: float
    server_flow_base: float
    air_heat: float
    fan_flow_max: float
    fan_rated: float
    supply_best: float
    inlet_max: float
    capacity: float
    cop: float
    coil_approach: float
    coil_exponent: float
    tower_approach: float
    economiser_approach: float
    water_range: float
    tower_share: float
    pump_share: float
    leak_mean: float
    leak_most: float
    supply_range: tuple[float, float]
    fan_range: tuple[float, float]
    hot_w: float
    """What a kelvin above the limit costs at least, as power at the dirtiest intensity (W/K)."""
    use_least: float

    @classmethod
    def of(cls, problem: Problem, split: str) -> Hall:
        """The halls of a problem, which are all alike."""
        compiled = problem.compiled(split)
        known = constants(problem, split)
        plans = {plan.name: (plan.low, plan.high) for plan in compiled.decisions}
        price_g = next(c.penalty_g for c in compiled.constraints if c.name == "inlet_hot")
        dirtiest = compiled.named["ci"][0].interval[1]
        leak = known["rack_leak"]
        return cls(
            **{name: float(known[name]) for name in cls.__dataclass_fields__ if name in known},
            leak_mean=float(leak.mean()),
            leak_most=float(leak.max()),
            supply_range=plans["supply"],
            fan_range=plans["fan"],
            hot_w=price_g / (dirtiest * compiled.step_s),
            use_least=compiled.named["interactive"][0].interval[0],
        )

    def nominal(self, use: Array) -> Array:
        """Power of the servers at cool inlets (W)."""
        each = self.server_idle + (self.server_peak - self.server_idle) * (2 * use - use**1.4)
        return np.asarray(self.servers * each)

    def _air(self, use: Array, fan: Array) -> tuple[Array, Array]:
        """Share of supply air in what the servers draw, and the heat flow of that air (W/K)."""
        flow = self.server_flow_max * (self.server_flow_base + (1 - self.server_flow_base) * use)
        ratio = self.fan_flow_max * fan / flow
        supplied = self.supply_best * ratio / (1 + ratio**8) ** 0.125
        return supplied, flow * self.air_heat

    def chiller(self, load: Array, chilled: Array, condenser: Array) -> Array:
        """Power of the chiller (W)."""
        x = np.clip(chilled - CELSIUS, *CHILLED_C)
        y = np.clip(condenser - CELSIUS, *CONDENSER_C)
        available = self.capacity * _curve(CAPACITY, x, y)
        ratio = load / available
        q = np.clip(ratio, *RATIO)
        part = PART_LOAD[0] + q * (PART_LOAD[1] + PART_LOAD[2] * q)
        cycling = np.clip(ratio / RATIO[0], 0, 1)
        return np.asarray(available * _curve(INPUT, x, y) * part * cycling / self.cop)

    def power(self, use: Array, supply: Array, fan: Array, wet: Array) -> tuple[Array, Array]:
        """Power of the whole site (W) and its hottest inlet (K)."""
        supplied, air = self._air(use, fan)
        mean = supplied * (1 - self.leak_mean)
        nominal = self.nominal(use)
        exchange = air * mean
        warmth = np.maximum(supply + (1 - mean) * nominal / exchange - self.warm_from, 0)
        computing = nominal * (1 + self.warm_rise * warmth**2)
        hottest = supply + (1 - (1 - self.leak_most) * supplied) * computing / exchange
        heat = computing + self.fan_rated * fan**3
        chilled = supply - self.coil_approach * heat / self.capacity * (fan / 0.7) ** (
            -self.coil_exponent
        )
        over = chilled + self.water_range - wet - self.economiser_approach
        free = np.clip(over / self.water_range, 0, 1)
        chiller = self.chiller(heat * (1 - free), chilled, wet + self.tower_approach)
        total = heat * (1 + self.pump_share) + chiller + self.tower_share * (heat + chiller)
        return total, hottest

    def priced(self, use: Array, supply: Array, fan: Array, wet: Array) -> Array:
        """Power (W), with what exceeds the inlet's limit at the least it can cost."""
        total, hottest = self.power(use, supply, fan, wet)
        return total + self.hot_w * np.maximum(hottest - self.inlet_max, 0)

    def floor(
        self,
        use: tuple[Array, Array],
        supply: tuple[Array, Array],
        fan: tuple[Array, Array],
        wet: tuple[float, float],
    ) -> Array:
        """Proven least of `priced` less `nominal` where each argument lies between its ends (W)."""
        (u0, u1), (t0, t1), (f0, f1) = use, supply, fan
        most_supplied, air0 = self._air(u0, f1)
        least_supplied, air1 = self._air(u1, f0)
        most, least = most_supplied * (1 - self.leak_mean), least_supplied * (1 - self.leak_mean)
        cool, hot = self.nominal(u0), self.nominal(u1)
        warm0 = np.maximum(t0 + (1 - most) * cool / (air1 * most) - self.warm_from, 0)
        warm1 = np.maximum(t1 + (1 - least) * hot / (air0 * least) - self.warm_from, 0)
        extra = cool * self.warm_rise * warm0**2
        inlet = t0 + (1 - (1 - self.leak_most) * most_supplied) * (cool + extra) / (air1 * most)
        heat0 = cool + extra + self.fan_rated * f0**3
        heat1 = hot * (1 + self.warm_rise * warm1**2) + self.fan_rated * f1**3
        pull = self.coil_approach / self.capacity
        chilled0 = t0 - pull * heat1 * (f0 / 0.7) ** (-self.coil_exponent)
        chilled1 = t1 - pull * heat0 * (f1 / 0.7) ** (-self.coil_exponent)
        free = np.clip(
            (chilled1 + self.water_range - wet[0] - self.economiser_approach) / self.water_range,
            0,
            1,
        )
        load = heat0 * (1 - free)
        ends = [np.asarray(w + self.tower_approach) for w in wet]
        corners = [self.chiller(load, c, end) for c in (chilled0, chilled1) for end in ends]
        # Between the ends of an interval a function lies below its chord by at most this.
        x0, x1 = (np.clip(c - CELSIUS, *CHILLED_C) for c in (chilled0, chilled1))
        y0, y1 = (np.clip(c - CELSIUS, *CONDENSER_C) for c in ends)
        sag = CURVATURE_PER_K2 * self.capacity / self.cop * ((x1 - x0) ** 2 + (y1 - y0) ** 2) / 8
        chiller = np.maximum(np.minimum.reduce(corners) - sag, 0)
        return np.asarray(
            extra
            + self.fan_rated * f0**3
            + chiller
            + self.tower_share * (heat0 + chiller)
            + self.pump_share * heat0
            + self.hot_w * np.maximum(inlet - self.inlet_max, 0)
        )


@dataclass(frozen=True)
class Floor:
    """A proven floor of a hall's power beyond the servers' nominal one.

    Attributes:
        use: Ends of the cells of use, ``(cell + 1,)``.
        wet: Between the cells of the wet bulb, ``(wet cell - 1,)``; the outer cells have no end.
        overhead_w: Floor in each cell, ``(wet cell, cell)``.
        servers_w: Nominal power at the ends of the cells of use.
    """

    use: Array
    wet: Array
    overhead_w: Array
    servers_w: Array

    def at(self, wet: Array) -> Array:
        """Floor of the overhead at some wet bulbs, ``(*wet, use cell)``."""
        return np.asarray(self.overhead_w[np.searchsorted(self.wet, wet)])


@lru_cache(maxsize=4)
def proven_floor(hall: Hall, wet_cells: int = WET_CELLS, use_cells: int = USE_CELLS) -> Floor:
    """Bound a hall's power from below over all supply temperatures and fan speeds."""
    use = np.linspace(hall.use_least, hall.use_max, use_cells + 1)
    # Below, free cooling carries every load at every set-point; above, the curves are clamped.
    wet = np.linspace(0.0, CONDENSER_C[1] - hall.tower_approach, wet_cells + 1) + CELSIUS
    cells = zip([wet[0] - 60.0, *wet], [*wet, wet[-1] + 60.0], strict=True)
    overhead = np.array([_floor_at(hall, use, ends) for ends in cells])
    return Floor(use, wet, overhead, hall.nominal(use))


def _floor_at(hall: Hall, use: Array, wet: tuple[float, float]) -> Array:
    """Floor in each cell of use in one cell of the wet bulb, by refining boxes of controls."""
    cells = len(use) - 1
    supply, fan = (
        np.linspace(*ends, count + 1)
        for ends, count in zip((hall.supply_range, hall.fan_range), FIRST_BOXES, strict=True)
    )
    corner: Any = np.meshgrid(np.arange(cells), supply[:-1], fan[:-1], indexing="ij")
    cell = corner[0].ravel()
    t, f = (np.asarray(x.ravel(), dtype=np.float64) for x in corner[1:])
    width = np.array([supply[1] - supply[0], fan[1] - fan[0]])
    wet_k = np.asarray(sum(wet) / 2)
    for level in range(LEVELS + 1):
        low = hall.floor((use[cell], use[cell + 1]), (t, t + width[0]), (f, f + width[1]), wet)
        if level == LEVELS:
            break
        middle = (use[cell] + use[cell + 1]) / 2
        met = hall.priced(middle, t + width[0] / 2, f + width[1] / 2, wet_k)
        least = np.full(cells, np.inf)
        np.minimum.at(least, cell, met - hall.nominal(middle))
        kept = low <= least[cell]
        width = width / 2
        cell = np.repeat(cell[kept], 4)
        t = np.repeat(t[kept], 4) + np.tile([0.0, 0.0, width[0], width[0]], kept.sum())
        f = np.repeat(f[kept], 4) + np.tile([0.0, width[1], 0.0, width[1]], kept.sum())
    floor = np.full(cells, np.inf)
    np.minimum.at(floor, cell, low)
    return floor


def best_controls(hall: Hall, use: Array, wet: Array) -> tuple[Array, Array]:
    """Supply temperature and fan speed that take the least power, by refined grids.

    Args:
        hall: The hall.
        use: Of its servers, any shape.
        wet: Wet bulb, of the same shape.
    """
    flat_use, flat_wet = use.ravel()[:, None], wet.ravel()[:, None]
    supply, fan = (
        np.linspace(*ends, count)
        for ends, count in zip((hall.supply_range, hall.fan_range), COARSE, strict=True)
    )
    width = supply[1] - supply[0], fan[1] - fan[0]
    t, f = (x.ravel()[None] for x in np.meshgrid(supply, fan, indexing="ij"))
    near_t, near_f = (x.ravel() for x in np.meshgrid(NEAR, NEAR, indexing="ij"))
    for _ in range(REFINEMENTS):
        best = hall.priced(flat_use, t, f, flat_wet).argmin(axis=1)[:, None]
        t, f = (
            np.take_along_axis(np.broadcast_to(x, (len(best), x.shape[1])), best, 1) for x in (t, f)
        )
        found = t, f
        t = np.clip(t + width[0] * near_t, *hall.supply_range)
        f = np.clip(f + width[1] * near_f, *hall.fan_range)
        width = width[0] / 2, width[1] / 2
    return found[0].reshape(use.shape), found[1].reshape(use.shape)
