"""Probability distributions: arguments as nodes, and the interval draws cannot leave."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.stats import gamma as gamma_distribution

from envs.compiler import intervals
from envs.compiler.graph import Node
from envs.compiler.intervals import Interval
from envs.compiler.model import Draw
from envs.spec import schema
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS, Unit

NORMAL_LIMIT = 8.3
"""Largest absolute standard normal that 53 random bits can give, by inversion."""
EXPONENTIAL_LIMIT = 37.0
"""Largest standard exponential that 53 random bits can give."""
LARGEST_POISSON_MEAN = 700
"""Counting up starts from exp(-mean), which a double no longer holds much further on."""
_TAIL = 2.0**-53

Quantify = Callable[[schema.ExpressionOrNumber, Unit], Node]
"""Lowers a number in a unit, or an expression that must fit it."""

_ONE = Unit("1", DIMENSIONLESS, 1.0)


def _bad(expected: str, actual: str, hint: str) -> Finding:
    return Finding("bad-distribution", expected, actual, hint)


def _not_negative(node: Node, what: str) -> Node:
    if node.interval[0] < 0:
        raise _bad(
            f"{what} of at least 0",
            f"one that may be {node.interval[0]:g}",
            "bound it with max(x, 0)",
        )
    return node


def lower(item: schema.Distribution, unit: Unit, quantify: Quantify) -> tuple[Draw, Interval]:
    """Lower a distribution of values in ``unit``.

    Returns:
        The draw, and the interval of its values in base units.

    Raises:
        Finding: ``bad-distribution`` and whatever its expressions raise.
    """
    kind = item.kind
    if kind in ("uniform", "normal", "lognormal", "exponential"):
        return _continuous(item, unit, quantify)
    if kind in ("gamma", "beta"):
        return _shaped(item, unit, quantify)
    return _discrete(item, unit, quantify)


def _continuous(item: schema.Distribution, unit: Unit, quantify: Quantify) -> tuple[Draw, Interval]:
    if item.uniform is not None:
        low, high = (quantify(end, unit) for end in item.uniform)
        if _swapped(low, high):
            raise Finding("bad-bounds", "low <= high", f"{item.uniform}", "swap the two ends")
        interval = low.interval[0], max(high.interval[1], low.interval[1])
        return Draw("uniform", {"low": low, "high": high}, unit.factor), interval
    if item.normal is not None:
        mean, std = (
            quantify(item.normal.mean, unit),
            _not_negative(quantify(item.normal.std, unit), "a std"),
        )
        reach = std.interval[1] * NORMAL_LIMIT
        return Draw("normal", {"mean": mean, "std": std}, unit.factor), (
            mean.interval[0] - reach,
            mean.interval[1] + reach,
        )
    if item.lognormal is not None:
        median = _not_negative(quantify(item.lognormal.median, unit), "a median")
        sigma = _not_negative(quantify(item.lognormal.sigma, _ONE), "a sigma")
        reach = math.exp(min(sigma.interval[1] * NORMAL_LIMIT, 600.0))
        interval = median.interval[0] / reach, median.interval[1] * reach
        return Draw("lognormal", {"median": median, "sigma": sigma}, unit.factor), interval
    assert item.exponential is not None
    mean = _not_negative(quantify(item.exponential.mean, unit), "a mean")
    return Draw("exponential", {"mean": mean}, unit.factor), (
        0.0,
        mean.interval[1] * EXPONENTIAL_LIMIT,
    )


def _swapped(low: Node, high: Node) -> bool:
    """Whether two ends are out of order somewhere, as far as that is known."""
    if low.value is not None and high.value is not None and low.index == high.index:
        return bool((low.value > high.value).any())
    certain = low.constant and high.constant and not (low.index and high.index)
    return low.interval[0] > high.interval[1] or (certain and low.interval[1] > high.interval[0])


def _shaped(item: schema.Distribution, unit: Unit, quantify: Quantify) -> tuple[Draw, Interval]:
    if item.gamma is not None:
        shape = item.gamma.shape
        if not 0 < shape <= 1000:
            raise _bad(
                "a shape above 0 and at most 1000",
                f"{shape:g}",
                "write gamma: {shape: 2, scale: 3}",
            )
        scale = _not_negative(quantify(item.gamma.scale, unit), "a scale")
        high = float(gamma_distribution.isf(_TAIL, shape)) * scale.interval[1]
        arguments = {"shape": quantify(shape, _ONE), "scale": scale}
        return Draw("gamma", arguments, unit.factor), (0.0, high)
    assert item.beta is not None
    a, b = quantify(item.beta.a, _ONE), quantify(item.beta.b, _ONE)
    if a.interval[0] <= 0 or b.interval[0] <= 0:
        raise _bad("a and b above 0", f"a {a.interval}, b {b.interval}", "write beta: {a: 2, b: 3}")
    return Draw("beta", {"a": a, "b": b}, unit.factor), (0.0, unit.factor)


def _discrete(item: schema.Distribution, unit: Unit, quantify: Quantify) -> tuple[Draw, Interval]:
    if item.poisson is not None:
        mean = _not_negative(quantify(item.poisson.mean, unit), "a mean")
        largest = mean.interval[1] / unit.factor
        if largest > LARGEST_POISSON_MEAN:
            raise _bad(
                f"a mean of at most {LARGEST_POISSON_MEAN}",
                f"one up to {largest:g}",
                "use a normal distribution instead",
            )
        high = math.ceil(largest + 12 * math.sqrt(largest) + 30) * unit.factor
        return Draw("poisson", {"mean": mean}, unit.factor), (0.0, high)
    if item.integers is not None:
        low, high = item.integers
        if low > high:
            raise Finding("bad-bounds", "low <= high", f"{item.integers}", "swap the two ends")
        arguments = {"low": quantify(float(low), _ONE), "high": quantify(float(high), _ONE)}
        return Draw("integers", arguments, unit.factor), (low * unit.factor, high * unit.factor)
    assert item.choice is not None
    values, weights = item.choice.values, item.choice.weights or [1.0] * len(item.choice.values)
    if len(weights) != len(values) or min(weights) < 0 or not sum(weights) > 0:
        raise _bad(
            "one weight >= 0 for each value, not all 0",
            f"{weights}",
            "give as many weights as values",
        )
    cumulative, total = 0.0, sum(weights)
    bounds: list[float] = []
    for weight in weights:
        cumulative += weight / total
        bounds.append(cumulative)
    scaled = tuple(v * unit.factor for v in values)
    return Draw("choice", {}, unit.factor, (scaled, tuple(bounds))), intervals.checked(
        (min(scaled), max(scaled)), "choice"
    )
