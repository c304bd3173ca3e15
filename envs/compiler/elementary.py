"""Elementary functions and conversions of the expression language."""

from __future__ import annotations

import math
from fractions import Fraction

from envs.compiler.functions import (
    dimensionless,
    divided,
    fitting,
    function,
    minus,
    number,
    plus,
    times,
)
from envs.compiler.graph import Graph, Node
from envs.spec.units import DIMENSIONLESS, parse_unit


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
