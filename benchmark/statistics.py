"""Small exact statistics, on NumPy and SciPy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Values = NDArray[np.float64]
"""One figure per scenario, ``(scenarios,)``."""


class Interval(NamedTuple):
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


def standard_error(values: Values) -> float:
    """Standard error of the mean; infinite for fewer than two values."""
    if values.size < 2:
        return float("inf")
    return float(np.std(values, ddof=1) / np.sqrt(values.size))


def paired_interval(first: Values, second: Values, level: float = 0.95) -> Interval:
    """Student's interval of the mean difference ``first - second`` over the same scenarios.

    Args:
        first: One figure per scenario.
        second: The other, scenario by scenario.
        level: The confidence level.
    """
    difference = np.asarray(first - second, dtype=np.float64)
    mean = float(np.mean(difference))
    if difference.size < 2:
        return Interval(mean, float("-inf"), float("inf"))
    half = float(stdtrit(difference.size - 1, 0.5 + level / 2)) * standard_error(difference)
    return Interval(mean, mean - half, mean + half)
