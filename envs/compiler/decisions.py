"""Decisions: the map from Box(-1, 1), in which agents act, to physical quantities and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.compiler import functions, over_sets
from envs.compiler.graph import Graph, Level, Node
from envs.compiler.model import DecisionPlan
from envs.spec import schema
from envs.spec.diagnostics import Finding, nearest
from envs.spec.units import DIMENSIONLESS, Unit

if TYPE_CHECKING:
    from envs.compiler.scope import Scope

DEFAULT_SIMPLEX_SCALE = 4.0
_HALF = 0.499999
"""Beyond the bounds of a whole number, so that the first and the last get as wide a share of
[-1, 1] as the others; just under a half, so that rounding never leaves the bounds."""


def plan(scope: Scope, name: str, item: schema.Decision, unit: Unit) -> DecisionPlan:
    """Lower one decision.

    Raises:
        Finding: ``bad-bounds``, ``unknown-name`` or ``unit-mismatch``.
    """
    graph, index = scope.graph, scope.index(item.index)
    raw = graph.source("action", name, index, DIMENSIONLESS, (-1.0, 1.0), Level.DECISION)
    offset = sum(d.count for d in scope.decisions.values())
    sizes = graph.sizes(index)
    count = math.prod(sizes)
    if item.simplex is not None:
        if item.simplex not in index:
            hint = f"add it to index, {nearest(item.simplex, index)}"
            raise Finding(
                "unknown-name", "simplex: a set of the decision's index", f"'{item.simplex}'", hint
            )
        if not unit.dimension.dimensionless:
            raise Finding(
                "unit-mismatch",
                "shares, in unit 1",
                unit.text,
                "multiply by the total in an equation",
            )
        scale = item.scale or DEFAULT_SIMPLEX_SCALE
        node = _softmax(scope, raw, item.simplex, scale)
        axis = index.index(item.simplex)
        return DecisionPlan(
            name, raw, node, "simplex", *node.interval, scale, axis, offset, count, sizes
        )
    low, high = (
        bound * unit.factor for bound in item.box or item.log or item.integer or [0.0, 0.0]
    )
    if low >= high or (item.log and low <= 0):
        raise Finding(
            "bad-bounds",
            "[low, high] with low < high (above 0 for log)",
            f"[{low:g}, {high:g}]",
            "mend them",
        )
    if item.integer and not all(float(bound).is_integer() for bound in item.integer):
        raise Finding(
            "bad-bounds",
            "integer: [low, high] in whole numbers",
            f"{item.integer}",
            "round the bounds",
        )
    if item.log:
        node = _line(graph, raw, math.log(low), math.log(high))
        node = graph.elementwise("exp", node, dimension=DIMENSIONLESS, interval=(low, high))
    elif item.integer:
        node = _line(graph, raw, low / unit.factor - _HALF, high / unit.factor + _HALF)
        node = graph.elementwise("round", node, dimension=DIMENSIONLESS)
        node = functions.times(graph, node, graph.constant(unit.factor))
    else:
        node = _line(graph, raw, low, high)
    node = graph.alias(node, unit.dimension)
    scale = unit.factor if item.integer else 0.0
    return DecisionPlan(name, raw, node, item.kind, low, high, scale, 0, offset, count, sizes)


def _line(graph: Graph, raw: Node, low: float, high: float) -> Node:
    """[-1, 1] mapped to [low, high]."""
    stretched = functions.times(graph, raw, graph.constant((high - low) / 2))
    return functions.plus(graph, stretched, graph.constant((high + low) / 2))


def _softmax(scope: Scope, raw: Node, over: str, scale: float) -> Node:
    graph = scope.graph
    exponential = graph.elementwise(
        "exp", functions.times(graph, raw, graph.constant(scale)), dimension=DIMENSIONLESS
    )
    others, spread = graph.sets[over] - 1, math.exp(2 * scale)
    total = over_sets.total(graph, exponential, over)
    # Interval arithmetic does not see that numerator and denominator move together; the exact range
    # is known.
    exact = 1 / (1 + others * spread), 1 / (1 + others / spread)
    return graph.elementwise("divide", exponential, total, dimension=DIMENSIONLESS, interval=exact)


def to_action(plan: DecisionPlan, physical: NDArray[np.float64]) -> NDArray[np.float64]:
    """The components in [-1, 1] that give a physical quantity, as nearly as the bounds allow.

    Args:
        plan: The decision.
        physical: Values in base units, of shape ``(*index, batch)``.

    Returns:
        An array of the same shape.
    """
    if plan.kind == "simplex":
        logits = np.log(np.maximum(physical, 1e-12))
        axis = plan.simplex_axis
        logits = np.maximum(logits, logits.max(axis=axis, keepdims=True) - 2 * plan.scale)
        centre = (logits.max(axis=axis, keepdims=True) + logits.min(axis=axis, keepdims=True)) / 2
        components = (logits - centre) / plan.scale
    elif plan.kind == "log":
        bounded = np.clip(physical, plan.low, plan.high)
        components = 2 * np.log(bounded / plan.low) / math.log(plan.high / plan.low) - 1
    else:
        margin = _HALF * plan.scale
        low, high = plan.low - margin, plan.high + margin
        components = 2 * (physical - low) / (high - low) - 1
    limited: NDArray[np.float64] = np.clip(components, -1.0, 1.0)
    return limited
