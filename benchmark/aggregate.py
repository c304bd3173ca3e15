"""Figures over seeds and problems, with intervals whose coverage is measured.

A stratum is a problem; its values are one per seed. ``scripts/interval_coverage.py`` prints how
often the intervals contain the truth, ``docs/protocol.md`` has its table. Figures that are not
finite are refused here: whoever calls shows them, and never averages them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from benchmark.statistics import Interval, Values

LEAST_SEEDS = 10
"""Under so many seeds a result is exploratory: shown point by point, without interval or rank."""

REPETITIONS = 2_000
"""Of the bootstrap."""

BATCH = 500
"""Repetitions at once, so that thousands of runs do not fill the memory."""

Strata = Sequence[Values]
"""One array per problem, one value per seed."""

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From ``(…, runs)`` to ``(…)``."""


def iqm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interquartile mean over the last axis: without the lowest and the highest quarter.

    A quarter is rounded down, as ``scipy.stats.trim_mean`` does, so that four values are the fewest
    of which any is left out.
    """
    count = values.shape[-1]
    cut = count // 4
    # Only the two borders have to stand in their place: a full sort would take twice the time.
    parted = np.partition(values, (cut, count - cut - 1), axis=-1)
    middle: NDArray[np.float64] = parted[..., cut : count - cut].mean(axis=-1)
    return middle


def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the last axis."""
    means: NDArray[np.float64] = values.mean(axis=-1)
    return means


def interval(
    strata: Strata,
    rng: np.random.Generator,
    statistic: Statistic = iqm,
    level: float = 0.95,
    repetitions: int = REPETITIONS,
) -> Interval:
    """A statistic over all runs, with its stratified bootstrap interval over seeds.

    Seeds are drawn again within each problem, so that each keeps its share. The percentile interval
    is too short for few seeds: drawing from ``n`` values has ``(n - 1) / n`` of their variance, and
    the variance is itself an estimate. Its percentiles therefore lie ``n / (n - 1)`` times as many
    standard deviations out, the first root of which is the bootstrap's and the second of which was
    chosen by measured coverage: the first alone is too short on ten bimodal values, Student's
    quantiles are longer than needed on ten normal ones, and the bootstrap-t is too short where
    three runs of ten fail.

    Args:
        strata: One array per problem, one value per seed.
        rng: Where draws come from.
        statistic: Of all runs together.
        level: The confidence level.
        repetitions: Of the bootstrap.

    Raises:
        ValueError: A stratum is empty, or a value is not finite.
    """
    check_finite(strata)
    estimate = float(statistic(np.concatenate(strata)))
    count = sum(len(stratum) for stratum in strata)
    if count <= len(strata):
        return Interval(estimate, float("-inf"), float("inf"))
    drawn = np.sort(bootstrap(strata, rng, statistic, repetitions))
    tail = float(ndtr(ndtri(0.5 - level / 2) * count / (count - len(strata))))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def bootstrap(
    strata: Strata, rng: np.random.Generator, statistic: Statistic, repetitions: int
) -> Values:
    """The statistic of seeds drawn again within each stratum, ``(repetitions,)``."""
    found = []
    for begin in range(0, repetitions, BATCH):
        size = min(BATCH, repetitions - begin)
        drawn = [stratum[rng.integers(0, len(stratum), (size, len(stratum)))] for stratum in strata]
        found.append(statistic(np.concatenate(drawn, axis=1)))
    return np.concatenate(found)


def probability_of_improvement(first: Strata, second: Strata) -> float:
    """How likely a run of the first is above a run of the second, on a problem drawn at random.

    Mann and Whitney's statistic for each problem, ties by half, and its mean over problems.
    """
    check_finite([*first, *second])
    shares = []
    for above, below in zip(first, second, strict=True):
        ordered = np.sort(below)
        wins = np.searchsorted(ordered, above, side="left")
        not_lost = np.searchsorted(ordered, above, side="right")
        shares.append(float(np.mean(wins + not_lost)) / 2 / len(below))
    return float(np.mean(shares))


def performance_profile(strata: Strata, thresholds: Values) -> Values:
    """Share of runs above each threshold, every problem weighing the same, ``(thresholds,)``."""
    check_finite(strata)
    shares = [
        1 - np.searchsorted(np.sort(stratum), thresholds, side="right") / len(stratum)
        for stratum in strata
    ]
    profile: Values = np.mean(shares, axis=0)
    return profile


def check_finite(strata: Strata) -> None:
    """Refuse what must not be averaged.

    Raises:
        ValueError: A stratum is empty, or a value is not finite.
    """
    if not strata or any(len(stratum) == 0 for stratum in strata):
        raise ValueError("expected at least one problem with at least one seed each")
    if not all(np.all(np.isfinite(stratum)) for stratum in strata):
        raise ValueError("a value is not finite; show it, do not average it")
