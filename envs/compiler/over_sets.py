"""Functions of the language that reduce over sets, look things up in them, or move along."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from envs.compiler import intervals
from envs.compiler.functions import alike, dimensionless, function, number, times
from envs.compiler.graph import Graph, Node
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS, Dimension


def _needs(node: Node, name: str, what: str) -> None:
    if name not in node.index:
        raise Finding(
            "index-mismatch",
            f"something that runs over '{name}' in {what}",
            f"index ({', '.join(node.index) or 'none'})",
            f"drop the {what}, or use a quantity indexed by '{name}'",
        )


def _dropped(index: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(s for s in index if s != name)


def _over_one(
    graph: Graph, op: str, x: Node, name: str, dimension: Dimension, interval: intervals.Interval
) -> Node:
    return graph.structured(
        op,
        x,
        attribute=graph.axis(name, x.index),
        layout=x.index,
        index=_dropped(x.index, name),
        dimension=dimension,
        interval=interval,
    )


def repeated(graph: Graph, x: Node, index: tuple[str, ...]) -> Node:
    """The same values repeated along further sets: what a declared index asks for."""
    if set(index) <= set(x.index):
        return x
    return times(graph, x, graph.constant(np.ones(graph.sizes(index)), DIMENSIONLESS, index))


@function("sum", "x", "set", "…")
def total(graph: Graph, x: Node, *names: str) -> Node:
    """Sum over one or more sets."""
    x = number(graph, x)
    for name in names:
        _needs(x, name, "sum")
        size = graph.sets[name]
        x = _over_one(
            graph, "sum", x, name, x.dimension, (x.interval[0] * size, x.interval[1] * size)
        )
    return x


@function("mean", "x", "set", "…")
def mean(graph: Graph, x: Node, *names: str) -> Node:
    """Arithmetic mean over one or more sets."""
    count = math.prod(graph.sets[name] for name in names)
    return times(graph, total(graph, x, *names), graph.constant(1 / count))


@function("prod", "x", "set")
def product(graph: Graph, x: Node, name: str) -> Node:
    """Product over a set."""
    x = number(graph, x)
    _needs(x, name, "prod")
    size = graph.sets[name]
    bound = max(abs(x.interval[0]), abs(x.interval[1]), 1e-300)
    high = math.exp(min(size * math.log(bound), 700.0))
    interval = intervals.power(x.interval, (size, size)) if x.interval[0] >= 0 else (-high, high)
    return _over_one(graph, "prod", x, name, x.dimension ** Fraction(size), interval)


def _extreme_over(name: str) -> None:
    @function(name, "x", "set")
    def choose(graph: Graph, x: Node, over: str) -> Node:
        x = number(graph, x)
        _needs(x, over, name)
        return _over_one(graph, name, x, over, x.dimension, x.interval)


_extreme_over("min_over")
_extreme_over("max_over")


def _argument_of(name: str) -> None:
    @function(name, "x", "set")
    def locate(graph: Graph, x: Node, over: str) -> Node:
        x = number(graph, x)
        _needs(x, over, name)
        return _over_one(graph, name, x, over, DIMENSIONLESS, (0.0, graph.sets[over] - 1.0))


_argument_of("argmin")
_argument_of("argmax")


@function("cumsum", "x", "set")
def cumulative(graph: Graph, x: Node, name: str) -> Node:
    """Cumulative sum along a set."""
    x = number(graph, x)
    _needs(x, name, "cumsum")
    size = graph.sets[name]
    low, high = x.interval
    return graph.structured(
        "cumsum",
        x,
        attribute=graph.axis(name, x.index),
        layout=x.index,
        index=x.index,
        dimension=x.dimension,
        interval=(min(low, low * size), max(high, high * size)),
    )


@function("position", "set")
def position(graph: Graph, name: str) -> Node:
    """The numbers 0, 1, 2, … along a set."""
    return graph.constant(range(graph.sets[name]), DIMENSIONLESS, (name,))


@function("shift", "x", "set", "k")
def shift(graph: Graph, x: Node, name: str, places: Node) -> Node:
    """Move ``k`` places on along a set; zeros enter."""
    x = number(graph, x)
    _needs(x, name, "shift")
    if not places.constant or places.index or not float(places.interval[0]).is_integer():
        raise Finding(
            "bad-value",
            "a constant whole number of places",
            "something else",
            "write shift(x, set, 1)",
        )
    return graph.structured(
        "shift",
        x,
        attribute=(graph.axis(name, x.index), int(places.interval[0])),
        layout=x.index,
        index=x.index,
        dimension=x.dimension,
        interval=(min(x.interval[0], 0.0), max(x.interval[1], 0.0)),
    )


@function("take", "x", "set", "i")
def take(graph: Graph, x: Node, name: str, place: Node) -> Node:
    """The element at a computed place, rounded and clamped to the set."""
    x, place = number(graph, x), dimensionless(graph, place, "take")
    _needs(x, name, "take")
    if name in place.index:
        raise Finding(
            "index-mismatch",
            f"a place that does not run over '{name}'",
            "one that does",
            "reduce it first",
        )
    layout = graph.joined(x.index, place.index)
    return graph.structured(
        "take",
        x,
        place,
        attribute=graph.axis(name, layout),
        layout=layout,
        index=_dropped(layout, name),
        dimension=x.dimension,
        interval=x.interval,
    )


@function("one_hot", "i", "set")
def one_hot(graph: Graph, place: Node, name: str) -> Node:
    """1 at a computed place of a set, 0 elsewhere."""
    place = dimensionless(graph, place, "one_hot")
    if name in place.index:
        raise Finding(
            "index-mismatch",
            f"a place that does not run over '{name}'",
            "one that does",
            "reduce it first",
        )
    index = graph.joined(place.index, (name,))
    return graph.structured(
        "one_hot",
        place,
        attribute=(graph.axis(name, index), graph.sets[name]),
        layout=place.index,
        index=index,
        dimension=DIMENSIONLESS,
        interval=(0.0, 1.0),
    )


@function("contract", "a", "b", "set")
def contract(graph: Graph, a: Node, b: Node, name: str) -> Node:
    """Matrix product: the sum over a set of the product."""
    a, b = number(graph, a), number(graph, b)
    _needs(a, name, "contract")
    _needs(b, name, "contract")
    layout = graph.joined(a.index, b.index)
    size = graph.sets[name]
    low, high = intervals.multiply(a.interval, b.interval)
    return graph.structured(
        "contract",
        a,
        b,
        attribute=graph.axis(name, layout),
        layout=layout,
        index=_dropped(layout, name),
        dimension=a.dimension * b.dimension,
        interval=(low * size, high * size),
    )


@function("relabel", "x", "set", "set")
def relabel(graph: Graph, x: Node, old: str, new: str) -> Node:
    """The same values with one set renamed to another of equal size."""
    x = number(graph, x)
    _needs(x, old, "relabel")
    if new in x.index or graph.sets[old] != graph.sets[new]:
        raise Finding(
            "index-mismatch",
            f"an alias of '{old}' that x does not run over",
            f"'{new}'",
            f"define {new}: {{alias_of: {old}}}",
        )
    renamed = tuple(new if s == old else s for s in x.index)
    index = graph.joined(renamed)
    axes = tuple(renamed.index(s) for s in index)
    return graph.structured(
        "transpose",
        x,
        attribute=(*axes, len(axes)),
        layout=x.index,
        index=index,
        dimension=x.dimension,
        interval=x.interval,
    )


@function("interp", "x", "xs", "ys")
def interp(graph: Graph, x: Node, xs: Node, ys: Node) -> Node:
    """Piecewise linear through two constant tables over one set, clamped at the ends."""
    x, xs = alike(graph, x, xs)
    if xs.value is None or ys.value is None or xs.index != ys.index or len(xs.index) != 1:
        raise Finding(
            "index-mismatch",
            "two constant tables over one set",
            f"tables over ({', '.join(xs.index)}) and ({', '.join(ys.index)})",
            "give both as parameters with values and the same single index",
        )
    places, heights = xs.value.ravel(), ys.value.ravel()
    if not all(a < b for a, b in zip(places, places[1:], strict=False)):
        raise Finding(
            "bad-value", "increasing xs in interp", "places that do not increase", "sort the table"
        )
    return graph.structured(
        "interp",
        x,
        attribute=(tuple(map(float, places)), tuple(map(float, heights))),
        layout=x.index,
        index=x.index,
        dimension=ys.dimension,
        interval=ys.interval,
    )


def element(graph: Graph, x: Node, name: str, place: int) -> Node:
    """One element of ``x`` along a set."""
    x = number(graph, x)
    return graph.structured(
        "element",
        x,
        attribute=(graph.axis(name, x.index), place),
        layout=x.index,
        index=_dropped(x.index, name),
        dimension=x.dimension,
        interval=x.interval,
    )
