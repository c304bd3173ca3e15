"""Wet bulb of measured air, for weather files, which give relative humidity instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def saturation_pressure_pa(temperature_c: Array) -> Array:
    """Pressure of saturated vapour over ice below 0 degrees C and over water above.

    Source: ASHRAE Handbook, Fundamentals, 2017, chapter 1, equations 5 and 6 (recalled).
    """
    t = np.asarray(temperature_c) + 273.15
    ice = -5.6745359e3 / t + 6.3925247 - 9.677843e-3 * t + 6.2215701e-7 * t**2
    ice += 2.0747825e-9 * t**3 - 9.484024e-13 * t**4 + 4.1635019 * np.log(t)
    water = -5.8002206e3 / t + 1.3914993 - 4.8640239e-2 * t + 4.1764768e-5 * t**2
    water += -1.4452093e-8 * t**3 + 6.5459673 * np.log(t)
    result: Array = np.exp(np.where(temperature_c < 0, ice, water))
    return result


def wet_bulb_c(dry_bulb_c: Array, relative_humidity: Array, pressure_pa: Array) -> Array:
    """Thermodynamic wet bulb, by bisection on the humidity ratio.

    Args:
        dry_bulb_c: In degrees C.
        relative_humidity: From 0 to 1.
        pressure_pa: Of the air.

    Returns:
        Degrees C, of the shape of the arguments.

    Source: ASHRAE Handbook, Fundamentals, 2017, chapter 1, equations 20, 33 and 35 (recalled).
    """
    ratio = _humidity_ratio(relative_humidity * saturation_pressure_pa(dry_bulb_c), pressure_pa)
    low, high = dry_bulb_c - 60.0, np.array(dry_bulb_c, dtype=np.float64)
    for _ in range(50):
        wet = (low + high) / 2
        saturated = _humidity_ratio(saturation_pressure_pa(wet), pressure_pa)
        over_water = (2501 - 2.326 * wet) * saturated - 1.006 * (dry_bulb_c - wet)
        over_water /= 2501 + 1.86 * dry_bulb_c - 4.186 * wet
        over_ice = (2830 - 0.24 * wet) * saturated - 1.006 * (dry_bulb_c - wet)
        over_ice /= 2830 + 1.86 * dry_bulb_c - 2.1 * wet
        below = np.where(wet < 0, over_ice, over_water) < ratio
        low, high = np.where(below, wet, low), np.where(below, high, wet)
    result: Array = (low + high) / 2
    return result


def _humidity_ratio(vapour_pa: Array, pressure_pa: Array) -> Array:
    return np.asarray(0.621945 * vapour_pa / np.maximum(pressure_pa - vapour_pa, 1.0))
