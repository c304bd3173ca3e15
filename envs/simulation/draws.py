"""From uniform draws to every distribution of the language, by inversion: nothing is rejected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv, ndtri

from envs.compiler.model import Draw

Array = NDArray[np.float64]

VERSION = 1
"""Of the draws: raised when the same seeds give other scenarios, which no digest can tell."""

_LARGEST_SUMMED_SHAPE = 8
_MAX_POISSON_TABLES = 32
_POISSON_COUNTS_PER_SIEVE = 8
_CACHED_DRAWS = 16_384
"""Poisson draws inverted together: larger blocks leave the cache, smaller ones cost more calls."""


def uniforms_needed(draw: Draw) -> int:
    """How many uniforms a value takes: a gamma of small whole shape is a sum of exponentials."""
    shape = draw.arguments["shape"].interval[0] if draw.kind == "gamma" else 1.0
    return int(shape) if shape.is_integer() and shape <= _LARGEST_SUMMED_SHAPE else 1


def transform(draw: Draw, u: Array, arguments: Mapping[str, Any]) -> Array:
    """Turn uniforms into draws.

    Args:
        draw: The distribution.
        u: Uniforms of shape ``(uniforms_needed, …)``; may be overwritten.
        arguments: Values of the distribution's arguments, broadcastable to ``u[0]``, in base units.

    Returns:
        Values in base units, of the shape of ``u[0]``.
    """
    return _TRANSFORMS[draw.kind](draw, u, arguments)


def _uniform(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = a["low"] + (a["high"] - a["low"]) * u[0]
    return result


def _normal(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = a["mean"] + a["std"] * ndtri(u[0])
    return result


def _lognormal(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = a["median"] * np.exp(a["sigma"] * ndtri(u[0]))
    return result


def _exponential(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = -a["mean"] * np.log1p(-u[0])
    return result


def _gamma(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    if len(u) > 1 or draw.arguments["shape"].interval[0] == 1.0:
        standard = -np.log1p(-u).sum(axis=0)
    else:
        standard = gammaincinv(draw.arguments["shape"].interval[0], u[0])
    result: Array = a["scale"] * standard
    return result


def _beta(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = draw.factor * betaincinv(a["a"], a["b"], u[0])
    return result


def _integers(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    result: Array = draw.factor * (a["low"] + np.floor(u[0] * (a["high"] - a["low"] + 1)))
    return result


def _choice(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    assert draw.table is not None
    values, cumulative = (np.array(part) for part in draw.table)
    return np.asarray(values[np.searchsorted(cumulative[:-1], u[0], side="right")])


def _poisson(draw: Draw, u: Array, a: Mapping[str, Any]) -> Array:
    means: Array = np.asarray(a["mean"]) / draw.factor
    counts: Array = np.empty_like(u[0])
    if means.size > _MAX_POISSON_TABLES:
        wide = np.broadcast_to(means, u[0].shape)
        rows = max(1, _CACHED_DRAWS * len(wide) // wide.size)
        for start in range(0, len(wide), rows):
            block = slice(start, start + rows)
            counts[block] = _poisson_by_search(wide[block], u[0][block])
        counts *= draw.factor
        return counts
    wide = np.broadcast_to(means, u[0].shape)
    for mean in np.unique(means):
        chosen = wide == mean
        table = _poisson_cumulative(float(mean))
        counts[chosen] = np.searchsorted(table, u[0][chosen], side="right")
    counts *= draw.factor
    return counts


def _poisson_cumulative(mean: float) -> Array:
    length = int(mean + 12 * np.sqrt(mean) + 30)
    steps = np.concatenate([[0.0], np.log(max(mean, 1e-300)) - np.log(np.arange(1.0, length))])
    return np.cumsum(np.exp(np.cumsum(steps) - mean))


def _poisson_by_search(means: Array, u: Array) -> Array:
    """Inversion by counting up, for means that differ everywhere.

    Large counts are rare: every few steps only those still counting go on.
    """
    counts = np.zeros(u.size)
    open_: Any = slice(None)
    mean, draw = np.ascontiguousarray(means).ravel(), u.ravel()
    term = np.exp(-mean)
    cumulative = term.copy()
    largest = float(means.max())
    above = draw >= cumulative
    for first in range(1, int(largest + 12 * np.sqrt(largest) + 30), _POISSON_COUNTS_PER_SIEVE):
        passed = np.zeros(len(draw), dtype=np.uint8)
        for k in range(first, first + _POISSON_COUNTS_PER_SIEVE):
            passed += above.view(np.uint8)
            term *= mean
            term *= 1 / k
            cumulative += term
            np.greater_equal(draw, cumulative, out=above)
        counts[open_] += passed
        (kept,) = above.nonzero()
        if not len(kept):
            break
        open_ = kept if isinstance(open_, slice) else open_[kept]
        mean, draw, term, cumulative = mean[kept], draw[kept], term[kept], cumulative[kept]
        above = above[kept]
    return counts.reshape(u.shape)


_TRANSFORMS: dict[str, Callable[[Draw, Array, Mapping[str, Any]], Array]] = {
    "uniform": _uniform,
    "normal": _normal,
    "lognormal": _lognormal,
    "exponential": _exponential,
    "gamma": _gamma,
    "beta": _beta,
    "integers": _integers,
    "choice": _choice,
    "poisson": _poisson,
}
