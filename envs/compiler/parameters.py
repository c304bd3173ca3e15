"""Parameters: given values, what follows from them, and what a scenario draws once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from envs.compiler import distributions, over_sets, processes
from envs.compiler.graph import Level, Node
from envs.compiler.model import SampledParameter
from envs.spec import schema
from envs.spec.diagnostics import Finding, shorten
from envs.spec.units import Unit, parse_quantity

if TYPE_CHECKING:
    from envs.compiler.scope import Scope


def node(scope: Scope, name: str, item: schema.Parameter, unit: Unit) -> Node:
    """Lower one parameter; what is sampled joins the scope's.

    Raises:
        Finding: ``bad-bounds``, ``bad-shape``, ``bad-value``, ``unit-mismatch`` and what its
            expression or distribution is refused for.
    """
    index = scope.index(item.index)
    if item.bounds is not None and item.sample is None:
        raise Finding(
            "bad-bounds",
            "bounds on what is sampled",
            "bounds on a given value",
            "leave them out, or write clip(…) in an expr",
        )
    if item.sample is not None:
        draw, interval = distributions.lower(
            item.sample, unit, scope.quantifier(index, Level.SCENARIO)
        )
        interval = processes.bounded(interval, item.bounds, unit)
        drawn = scope.graph.source(
            "parameter", name, index, unit.dimension, interval, Level.SCENARIO
        )
        scope.sampled.append(SampledParameter(name, drawn, draw))
        return drawn
    if item.expr is not None:
        derived = scope.quantifier(index, Level.SCENARIO)(item.expr, unit)
        return over_sets.repeated(scope.graph, derived, index)
    values = _values(item, scope.graph.sizes(index), unit)
    return scope.graph.constant(values, unit.dimension, index, parameter=True)


def _values(item: schema.Parameter, shape: tuple[int, ...], unit: Unit) -> Any:
    value: Any = item.value
    if isinstance(value, str):
        number, given = parse_quantity(value)
        if given.dimension != unit.dimension:
            raise Finding(
                "unit-mismatch",
                f"a quantity in {unit.text}",
                f"'{shorten(value)}' ({given.dimension})",
                "mend the unit",
            )
        return np.full(shape, number * given.factor)
    try:
        array = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise Finding(
            "bad-shape",
            f"numbers in shape {shape}",
            shorten(value),
            "one number for each element",
        ) from None
    if any(isinstance(v, bool | str) for v in _leaves(value)) or not np.isfinite(array).all():
        raise Finding(
            "bad-value",
            "finite numbers",
            shorten(value),
            "write plain numbers in the declared unit",
        )
    if array.shape == () and shape:
        array = np.full(shape, float(array))
    if array.shape != shape:
        raise Finding(
            "bad-shape",
            f"numbers in shape {shape}",
            f"shape {array.shape}",
            "one number for each element",
        )
    return array * unit.factor


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
