"""The functions of the expression language: signature, dimension rule, and the nodes they become.

A function is a Python function here, registered under its name in the language. It is handed the
graph and lowered arguments; sets arrive as their names. Dimension errors are raised as findings
without a place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

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
        signature: Parameter names; a ``set`` parameter takes the name of a set, a final ``…``
            allows more of the last.
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
    with_unit = [n for n in nodes if not is_zero(n)]
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
    return tuple(graph.constant(0.0, dimension) if is_zero(n) else n for n in nodes)


def is_zero(node: Node) -> bool:
    """Whether a value is a literal 0, which fits every dimension."""
    return (
        node.op == "constant"
        and node.attribute == "literal"
        and node.dimension.dimensionless
        and not node.index
        and node.interval == (0.0, 0.0)
    )


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
    (node, _) = (
        alike(graph, node, graph.constant(1.0, expected))
        if is_zero(node)
        else (number(graph, node), None)
    )
    if node.dimension != expected:
        raise Finding(
            "unit-mismatch",
            f"{what} in {unit}",
            str(node.dimension),
            f"pass a quantity that fits {unit}",
        )
    return node


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
    if a.constant and not b.constant:
        a, b = b, a
    if b.constant and not b.index and not a.constant:
        return _scaled(graph, a, b)
    if a is b:
        return graph.elementwise("square", a, dimension=a.dimension * a.dimension)
    return graph.elementwise("multiply", a, b, dimension=a.dimension * b.dimension)


def _scaled(graph: Graph, x: Node, factor: Node) -> Node:
    """Product with a constant: factors are collected, and a coherent unit costs nothing."""
    dimension = x.dimension * factor.dimension
    size = factor.interval[0]
    origin = x.origin
    if origin.op == "multiply" and origin.arguments[1].constant and not origin.arguments[1].index:
        origin, inner = origin.arguments
        size *= inner.interval[0]
    if size == 1.0:
        return graph.alias(origin, dimension)
    constant = graph.constant(size)
    return graph.elementwise("multiply", origin, constant, dimension=dimension)


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
            result = graph.elementwise(
                name, result, truth(graph, other), dimension=DIMENSIONLESS, boolean=True
            )
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
    if low.interval[0] > high.interval[1]:
        raise Finding(
            "bad-bounds",
            "clip(x, low, high)",
            f"low from {low.interval[0]:g}, high to {high.interval[1]:g}",
            "swap them",
        )
    raised = graph.elementwise("maximum", x, low, dimension=x.dimension)
    return graph.elementwise("minimum", raised, high, dimension=x.dimension)


@function("mod", "x", "y")
def mod(graph: Graph, x: Node, y: Node) -> Node:
    """Remainder, with the sign of ``y``; its gradient is 1 in ``x``, unlike that of rounding."""
    x, y = alike(graph, x, y)
    return graph.elementwise("mod", x, y, dimension=x.dimension)
