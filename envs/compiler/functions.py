"""The functions of the expression language: signature, dimension rule, and the nodes they become.

A function is a Python function here, registered under its name in the language. It is handed the graph and lowered
arguments; sets arrive as their names. Dimension errors are raised as findings without a place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction


from envs.compiler import intervals
from envs.compiler.graph import Graph, Node
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS, Dimension, parse_unit

Argument = Node | str
"""A lowered expression, or the name of a set."""


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes:
        name: As written in expressions.
        signature: Parameter names; a ``set`` parameter takes the name of a set, a final ``…`` allows more of the last.
        build: Makes the node from the graph and the lowered arguments.
    """

    name: str
    signature: tuple[str, ...]
    build: Callable[..., Node]

    def takes_set(self, position: int) -> bool:
        """Whether the argument at a position is the name of a set."""
        fixed = [p for p in self.signature if p != "…"]
        return fixed[min(position, len(fixed) - 1)] == "set"

    def accepts(self, count: int) -> bool:
        """Whether a number of arguments fits."""
        if self.signature[-1] == "…":
            return count >= len(self.signature) - 1
        return count == len(self.signature)

    def __str__(self) -> str:
        """The signature as written in documentation."""
        return f"{self.name}({', '.join(self.signature)})"


FUNCTIONS: dict[str, Function] = {}


def function(name: str, *signature: str) -> Callable[[Callable[..., Node]], Callable[..., Node]]:
    """Register a function of the language."""

    def register(build: Callable[..., Node]) -> Callable[..., Node]:
        FUNCTIONS[name] = Function(name, signature, build)
        return build

    return register


def number(graph: Graph, node: Node) -> Node:
    """A truth value as the number 0 or 1; numbers stay as they are."""
    return graph.elementwise("number", node, dimension=DIMENSIONLESS) if node.boolean else node


def truth(graph: Graph, node: Node) -> Node:
    """A number as the truth value of being different from 0."""
    if node.boolean:
        return node
    zero = graph.constant(0.0, node.dimension)
    return graph.elementwise("not_equal", node, zero, dimension=DIMENSIONLESS, boolean=True)


def alike(graph: Graph, *nodes: Node) -> tuple[Node, ...]:
    """Require one dimension of all; a literal 0 fits every dimension.

    Raises:
        Finding: ``unit-mismatch``.
    """
    nodes = tuple(number(graph, node) for node in nodes)
    with_unit = [n for n in nodes if not _is_zero(n)]
    if not with_unit:
        return nodes
    dimension = with_unit[0].dimension
    for node in with_unit[1:]:
        if node.dimension != dimension:
            raise Finding(
                "unit-mismatch",
                f"both sides in the same dimension, {dimension}",
                str(node.dimension),
                "convert one side, or give a literal its unit in quotes: '5 W'",
            )
    return tuple(graph.constant(0.0, dimension) if _is_zero(n) else n for n in nodes)


def _is_zero(node: Node) -> bool:
    return node.op == "constant" and node.dimension.dimensionless and not node.index and node.interval == (0.0, 0.0)


def dimensionless(graph: Graph, node: Node, what: str) -> Node:
    """Require a dimensionless argument.

    Raises:
        Finding: ``unit-mismatch``.
    """
    node = number(graph, node)
    if not node.dimension.dimensionless:
        raise Finding(
            "unit-mismatch",
            f"a dimensionless argument of {what}",
            str(node.dimension),
            f"divide by a quantity of the same dimension first: {what}(x / '1 unit')",
        )
    return node


def fitting(graph: Graph, node: Node, unit: str, what: str) -> Node:
    """Require an argument that fits a unit.

    Raises:
        Finding: ``unit-mismatch``.
    """
    expected = parse_unit(unit).dimension
    (node, _) = alike(graph, node, graph.constant(1.0, expected)) if _is_zero(node) else (number(graph, node), None)
    if node.dimension != expected:
        raise Finding(
            "unit-mismatch", f"{what} in {unit}", str(node.dimension), f"pass a quantity that fits {unit}"
        )
    return node


# --- arithmetic -----------------------------------------------------------------------------------------------------


@function("+", "a", "b")
def plus(graph: Graph, a: Node, b: Node) -> Node:
    """Sum."""
    a, b = alike(graph, a, b)
    return graph.elementwise("add", a, b, dimension=a.dimension)


@function("-", "a", "b")
def minus(graph: Graph, a: Node, b: Node) -> Node:
    """Difference."""
    a, b = alike(graph, a, b)
    return graph.elementwise("subtract", a, b, dimension=a.dimension)


@function("*", "a", "b")
def times(graph: Graph, a: Node, b: Node) -> Node:
    """Product."""
    a, b = number(graph, a), number(graph, b)
    if a is b:
        return graph.elementwise("square", a, dimension=a.dimension * a.dimension)
    return graph.elementwise("multiply", a, b, dimension=a.dimension * b.dimension)


@function("/", "a", "b")
def divided(graph: Graph, a: Node, b: Node) -> Node:
    """Quotient; by a constant it is a product with the reciprocal."""
    a, b = number(graph, a), number(graph, b)
    if b.constant and not a.constant:
        one = graph.constant(1.0)
        reciprocal = graph.elementwise("divide", one, b, dimension=DIMENSIONLESS / b.dimension)
        return times(graph, a, reciprocal)
    return graph.elementwise("divide", a, b, dimension=a.dimension / b.dimension)


@function("negate", "x")
def negated(graph: Graph, x: Node) -> Node:
    """Opposite."""
    x = number(graph, x)
    return graph.elementwise("negate", x, dimension=x.dimension)


@function("**", "x", "n")
def power(graph: Graph, x: Node, n: Node) -> Node:
    """Power with a constant exponent, or of a dimensionless base."""
    x, n = number(graph, x), dimensionless(graph, n, "an exponent")
    if n.constant and not n.index:
        exponent = n.interval[0]
        dimension = _raised(x.dimension, exponent)
        if exponent == 2.0:
            return graph.elementwise("square", x, dimension=dimension)
        if exponent == 1.0:
            return x
        if exponent == 0.5:
            return graph.elementwise("sqrt", x, dimension=dimension)
        return graph.elementwise("power", x, n, dimension=dimension)
    x = dimensionless(graph, x, "a power with a variable exponent")
    return graph.elementwise("power", x, n, dimension=DIMENSIONLESS)


def _raised(dimension: Dimension, exponent: float) -> Dimension:
    if dimension.dimensionless:
        return dimension
    exact = Fraction(exponent).limit_denominator(12)
    if abs(float(exact) - exponent) > 1e-12 or abs(exact) > 12:
        raise Finding(
            "unit-mismatch",
            "a simple exponent of a quantity with a unit",
            f"{exponent:g}",
            "divide by a reference of the same unit first, so that the base is dimensionless",
        )
    return dimension**exact


# --- comparisons and choice -----------------------------------------------------------------------------------------


def _comparison(symbol: str, op: str) -> None:
    @function(symbol, "a", "b")
    def compare(graph: Graph, a: Node, b: Node) -> Node:
        a, b = alike(graph, a, b)
        return graph.elementwise(op, a, b, dimension=DIMENSIONLESS, boolean=True)


for _symbol, _op in {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}.items():
    _comparison(_symbol, _op)


def _logical(name: str) -> None:
    @function(name, "a", "b", "…")
    def combine(graph: Graph, first: Node, *others: Node) -> Node:
        result = truth(graph, first)
        for other in others:
            result = graph.elementwise(name, result, truth(graph, other), dimension=DIMENSIONLESS, boolean=True)
        return result


_logical("and")
_logical("or")


@function("not", "x")
def negation(graph: Graph, x: Node) -> Node:
    """Logical not."""
    return graph.elementwise("not", truth(graph, x), dimension=DIMENSIONLESS, boolean=True)


@function("where", "condition", "a", "b")
def where(graph: Graph, condition: Node, a: Node, b: Node) -> Node:
    """Choice by a condition; both branches are computed, so both must be in their domains."""
    a, b = alike(graph, a, b)
    return graph.elementwise("where", truth(graph, condition), a, b, dimension=a.dimension)


def _extreme(name: str, op: str) -> None:
    @function(name, "a", "b", "…")
    def choose(graph: Graph, *nodes: Node) -> Node:
        result, *others = alike(graph, *nodes)
        for other in others:
            result = graph.elementwise(op, result, other, dimension=result.dimension)
        return result


_extreme("min", "minimum")
_extreme("max", "maximum")


@function("clip", "x", "low", "high")
def clip(graph: Graph, x: Node, low: Node, high: Node) -> Node:
    """Limit to a range; ``high`` wins where the range is empty."""
    x, low, high = alike(graph, x, low, high)
    raised = graph.elementwise("maximum", x, low, dimension=x.dimension)
    return graph.elementwise("minimum", raised, high, dimension=x.dimension)


@function("mod", "x", "y")
def mod(graph: Graph, x: Node, y: Node) -> Node:
    """Remainder, with the sign of ``y``."""
    x, y = alike(graph, x, y)
    whole = graph.elementwise("floor", divided(graph, x, y), dimension=DIMENSIONLESS)
    rest = minus(graph, x, times(graph, whole, y))
    limit = max(abs(y.interval[0]), abs(y.interval[1]))
    low = 0.0 if y.interval[0] > 0 else -limit
    return clip(graph, rest, graph.constant(low, y.dimension), graph.constant(limit, y.dimension))


# --- elementary functions -------------------------------------------------------------------------------------------


def _elementary(name: str) -> None:
    @function(name, "x")
    def apply(graph: Graph, x: Node) -> Node:
        return graph.elementwise(name, dimensionless(graph, x, name), dimension=DIMENSIONLESS)


for _name in ("exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tanh", "round", "floor", "ceil"):
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
    risen = plus(graph, graph.elementwise("tanh", half, dimension=DIMENSIONLESS), graph.constant(1.0))
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


# --- over sets ------------------------------------------------------------------------------------------------------


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


def _over_one(graph: Graph, op: str, x: Node, name: str, dimension: Dimension, interval: intervals.Interval) -> Node:
    return graph.structured(
        op,
        x,
        attribute=graph.axis(name, x.index),
        layout=x.index,
        index=_dropped(x.index, name),
        dimension=dimension,
        interval=interval,
    )


@function("sum", "x", "set", "…")
def total(graph: Graph, x: Node, *names: str) -> Node:
    """Sum over one or more sets."""
    x = number(graph, x)
    for name in names:
        _needs(x, name, "sum")
        size = graph.sets[name]
        x = _over_one(graph, "sum", x, name, x.dimension, (x.interval[0] * size, x.interval[1] * size))
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
        raise Finding("bad-value", "a constant whole number of places", "something else", "write shift(x, set, 1)")
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
        raise Finding("index-mismatch", f"a place that does not run over '{name}'", "one that does", "reduce it first")
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
        raise Finding("index-mismatch", f"a place that does not run over '{name}'", "one that does", "reduce it first")
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
            "index-mismatch", f"an alias of '{old}' that x does not run over", f"'{new}'", f"define {new}: {{alias_of: {old}}}"
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
        raise Finding("bad-value", "increasing xs in interp", "places that do not increase", "sort the table")
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


