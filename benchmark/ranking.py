"""Who is better than whom: paired tests, corrected for their number, and the ranks that follow."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmark.aggregate import LEAST_SEEDS, check_finite
from benchmark.statistics import Values

LEVEL = 0.05
"""Of all comparisons of a table together."""

EXACT = 14
"""Up to so many pairs every sign is tried, 2^14 of them; beyond, so many are drawn."""

DRAWS = 20_000


@dataclass(frozen=True)
class Pair:
    """Two agents on one problem, seed by seed.

    Attributes:
        first: The one with the higher mean.
        second: The other.
        difference: Mean of first minus second.
        seeds: Both have in common.
        p: Of the sign-flip test.
        adjusted: ``p`` after Holm's correction.
    """

    first: str
    second: str
    difference: float
    seeds: int
    p: float
    adjusted: float


def paired_test(first: Values, second: Values) -> float:
    """Two-sided p-value that paired values differ in mean, by flipping the sign of differences.

    It is exact up to ``EXACT`` pairs and drawn beyond, by a generator of its own, so that the same
    values have the same p-value.

    Args:
        first: One value per seed.
        second: The other, seed by seed.
    """
    check_finite([first, second])
    difference = first - second
    count = difference.size
    signs = _signs(count)
    sums = np.abs(signs @ difference)
    observed = abs(float(difference.sum()))
    # Sums of the same numbers in another order differ by rounding: they are equal all the same.
    extreme = int(np.sum(sums >= observed * (1 - 1e-12) - 1e-300))
    if count <= EXACT:
        return extreme / len(signs)
    return (extreme + 1) / (len(signs) + 1)


@functools.lru_cache(maxsize=2)
def _signs(count: int) -> Values:
    """Signs to flip, ``(flips, count)``; the tests of a table share them."""
    if count > EXACT:
        bits = np.random.default_rng(count).integers(0, 2, (DRAWS, count), dtype=np.int8)
    else:
        bits = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(np.int8)
    return 1.0 - 2.0 * bits.astype(np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction of several p-values, in their order."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for position, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - position) * p_values[at]))
        adjusted[at] = highest
    return adjusted


def compare_all(agents: Mapping[str, Mapping[int, float]]) -> list[Pair]:
    """Every two agents, on the seeds both have.

    Args:
        agents: By name, the value of each seed; higher is better.

    Returns:
        The pairs with at least ``LEAST_SEEDS`` seeds in common.
    """
    tests = []
    for first, second in combinations(sorted(agents), 2):
        seeds = sorted(set(agents[first]) & set(agents[second]))
        if len(seeds) < LEAST_SEEDS:
            continue
        one, other = (np.array([agents[name][s] for s in seeds]) for name in (first, second))
        difference = float(np.mean(one - other))
        names = (first, second) if difference >= 0 else (second, first)
        tests.append((*names, abs(difference), len(seeds), paired_test(one, other)))
    adjusted = holm([test[-1] for test in tests])
    return [Pair(*test, value) for test, value in zip(tests, adjusted, strict=True)]


def too_many(pairs: Sequence[Pair]) -> str | None:
    """Why no difference could be told on so few seeds, however clear; None where one could.

    Of n pairs the least p-value is 2 / 2^n, which Holm's correction multiplies by the number of
    comparisons: equal ranks for everybody would pass the want of seeds off as a finding.
    """
    if not pairs:
        return None
    seeds = min(pair.seeds for pair in pairs)
    if len(pairs) * _least_p(seeds) < LEVEL:
        return None
    enough = next(n for n in range(seeds, 99) if n > EXACT or len(pairs) * _least_p(n) < LEVEL)
    return (
        f"no ranks: on {seeds} seeds none of {len(pairs)} comparisons could be significant "
        f"together; it takes {enough} seeds, or fewer agents"
    )


def _least_p(count: int) -> float:
    return 2.0 / 2**count if count <= EXACT else 1.0 / (DRAWS + 1)


def ranks(names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, int]:
    """One more than the number of agents that are better at the corrected level, ties and all."""
    better = {name: 0 for name in names}
    for pair in pairs:
        if pair.adjusted < LEVEL:
            better[pair.second] += 1
    return {name: 1 + count for name, count in better.items()}
