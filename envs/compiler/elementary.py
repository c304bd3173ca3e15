"""Elementary functions and conversions of the expression language."""

from __future__ import annotations

import math
from fractions import Fraction

from envs.compiler.functions import (
    alike,
    clip,
    dimensionless,
    divided,
    fitting,
    function,
    minus,
    negated,
    number,
    plus,
    times,
)
from envs.compiler.graph import Graph, Node
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS, parse_unit

MAX_ERLANG = 64
_ERLANG_END = 250.0


def _elementary(name: str) -> None:
    @function(name, "x")
    def apply(graph: Graph, x: Node) -> Node:
        return graph.elementwise(name, dimensionless(graph, x, name), dimension=DIMENSIONLESS)


for _name in (
    "exp",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tanh",
    "round",
    "floor",
    "ceil",
):
    _elementary(_name)


@function("abs", "x")
def absolute(graph: Graph, x: Node) -> Node:
    """Absolute value."""
    x = number(graph, x)
    return graph.elementwise("abs", x, dimension=x.dimension)


@function("sign", "x")
def sign(graph: Graph, x: Node) -> Node:
    """-1, 0 or 1."""
    return graph.elementwise("sign", number(graph, x), dimension=DIMENSIONLESS)


@function("sqrt", "x")
def square_root(graph: Graph, x: Node) -> Node:
    """Square root."""
    x = number(graph, x)
    return graph.elementwise("sqrt", x, dimension=x.dimension ** Fraction(1, 2))


@function("hypot", "x", "y")
def hypotenuse(graph: Graph, x: Node, y: Node) -> Node:
    """Length of the vector of two components."""
    x, y = alike(graph, x, y)
    return graph.elementwise("hypot", x, y, dimension=x.dimension)


@function("atan2", "y", "x")
def quadrant_angle(graph: Graph, y: Node, x: Node) -> Node:
    """Angle of the vector (x, y), from -pi to pi."""
    y, x = alike(graph, y, x)
    return graph.elementwise("atan2", y, x, dimension=DIMENSIONLESS)


@function("erlang_cdf", "x", "k")
def erlang_cdf(graph: Graph, x: Node, k: Node) -> Node:
    """Probability that the sum of k exponentials of mean 1 is at most x; 0 below 0.

    1 - exp(-x) (1 + x/1! + ... + x^(k-1)/(k-1)!), the sum by Horner's rule.
    """
    x = dimensionless(graph, x, "erlang_cdf")
    count = k.interval[0]
    if not k.constant or k.index or not (count.is_integer() and 1 <= count <= MAX_ERLANG):
        raise Finding(
            "bad-value",
            f"a constant whole number k from 1 to {MAX_ERLANG}",
            "something else",
            "write erlang_cdf(x, 8)",
        )
    # Beyond the upper end the probability is 1 in floating point.
    x = clip(graph, x, graph.constant(0.0), graph.constant(_ERLANG_END))
    one = graph.constant(1.0)
    series = one
    for j in range(int(count) - 1, 0, -1):
        series = plus(graph, times(graph, times(graph, x, series), graph.constant(1 / j)), one)
    decay = graph.elementwise("exp", negated(graph, x), dimension=DIMENSIONLESS)
    tail = graph.elementwise("multiply", decay, series, dimension=DIMENSIONLESS, interval=(0, 1))
    return graph.elementwise("subtract", one, tail, dimension=DIMENSIONLESS, interval=(0, 1))


@function("sigmoid", "x")
def sigmoid(graph: Graph, x: Node) -> Node:
    """Logistic function."""
    x = dimensionless(graph, x, "sigmoid")
    half = times(graph, x, graph.constant(0.5))
    risen = plus(
        graph, graph.elementwise("tanh", half, dimension=DIMENSIONLESS), graph.constant(1.0)
    )
    return times(graph, risen, graph.constant(0.5))


@function("from_db", "x")
def from_db(graph: Graph, x: Node) -> Node:
    """Ratio of decibels."""
    nats = times(graph, dimensionless(graph, x, "from_db"), graph.constant(math.log(10) / 10))
    return graph.elementwise("exp", nats, dimension=DIMENSIONLESS)


@function("to_db", "x")
def to_db(graph: Graph, x: Node) -> Node:
    """Decibels of a ratio."""
    digits = graph.elementwise("log10", dimensionless(graph, x, "to_db"), dimension=DIMENSIONLESS)
    return times(graph, digits, graph.constant(10.0))


@function("from_dbm", "x")
def from_dbm(graph: Graph, x: Node) -> Node:
    """Power of decibels over 1 mW."""
    return times(graph, from_db(graph, x), graph.constant(1e-3, parse_unit("W").dimension))


@function("to_dbm", "p")
def to_dbm(graph: Graph, p: Node) -> Node:
    """Decibels over 1 mW of a power."""
    watt = fitting(graph, p, "W", "to_dbm")
    return to_db(graph, divided(graph, watt, graph.constant(1e-3, watt.dimension)))


@function("from_celsius", "x")
def from_celsius(graph: Graph, x: Node) -> Node:
    """Absolute temperature of degrees Celsius."""
    kelvin = parse_unit("K").dimension
    return plus(
        graph,
        times(graph, dimensionless(graph, x, "from_celsius"), graph.constant(1.0, kelvin)),
        graph.constant(273.15, kelvin),
    )


@function("to_celsius", "T")
def to_celsius(graph: Graph, t: Node) -> Node:
    """Degrees Celsius of an absolute temperature, as a plain number."""
    kelvin = fitting(graph, t, "K", "to_celsius")
    shifted = minus(graph, kelvin, graph.constant(273.15, kelvin.dimension))
    return divided(graph, shifted, graph.constant(1.0, kelvin.dimension))
