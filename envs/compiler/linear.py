"""Linear algebra of the language: equations with matrices of the moment, and sums along trees."""

from __future__ import annotations

from envs.compiler.functions import function, number
from envs.compiler.graph import Graph, Node
from envs.compiler.linear_kernels import SOLUTION_LIMIT
from envs.spec.diagnostics import Finding


@function("solve", "A", "b", "set", "set")
def solve(graph: Graph, a: Node, b: Node, row: str, column: str) -> Node:
    """The x over ``column`` with the sum over ``column`` of A x equal to b, for each ``row``.

    Gaussian elimination with row pivoting. An unknown whose pivot is less than 1e-12 of the largest
    entry of the matrix is 0, and the equation it would have come from is left out: so an equation
    of zeros leaves its unknown 0. Solutions are limited to 1e30 in base units, so that they have an
    interval at all.
    """
    a, b = number(graph, a), number(graph, b)
    square = row != column and graph.sets[row] == graph.sets[column]
    if not square or not {row, column} <= set(a.index) or row not in b.index or column in b.index:
        raise Finding(
            "index-mismatch",
            "as many equations as unknowns: A over (row, column), b over row",
            f"A over ({', '.join(a.index) or 'none'}), b over ({', '.join(b.index) or 'none'})",
            f"define an alias: {{alias_of: {row}}}",
        )
    layout = graph.joined(a.index, b.index)
    graph.charge(layout, times=graph.sets[row])
    return graph.structured(
        "solve",
        a,
        b,
        attribute=(graph.axis(row, layout), graph.axis(column, layout)),
        layout=layout,
        index=tuple(name for name in layout if name != row),
        dimension=b.dimension / a.dimension,
        interval=(-SOLUTION_LIMIT, SOLUTION_LIMIT),
    )


@function("downstream_sum", "x", "parent", "set")
def downstream_sum(graph: Graph, x: Node, parent: Node, name: str) -> Node:
    """The sum of x over an element and everything below it in a tree."""
    return _tree_sum(graph, "downstream_sum", x, parent, name)


@function("upstream_sum", "x", "parent", "set")
def upstream_sum(graph: Graph, x: Node, parent: Node, name: str) -> Node:
    """The sum of x over an element and everything above it in a tree."""
    return _tree_sum(graph, "upstream_sum", x, parent, name)


def _tree_sum(graph: Graph, op: str, x: Node, parent: Node, name: str) -> Node:
    x = number(graph, x)
    if name not in x.index:
        raise Finding(
            "index-mismatch",
            f"something that runs over '{name}' in {op}",
            f"index ({', '.join(x.index) or 'none'})",
            f"use a quantity indexed by '{name}'",
        )
    size = graph.sets[name]
    low, high = x.interval
    return graph.structured(
        op,
        x,
        attribute=(graph.axis(name, x.index), tree(graph, parent, name)),
        layout=x.index,
        index=x.index,
        dimension=x.dimension,
        interval=(min(low, low * size), max(high, high * size)),
    )


def tree(graph: Graph, parent: Node, name: str) -> tuple[int, ...]:
    """The parent of each element of a set, -1 at the roots, from a constant.

    Raises:
        Finding: ``bad-value``: no constant, or a parent that does not stand before its child.
    """
    if parent.value is None or parent.index != (name,):
        raise Finding(
            "index-mismatch",
            f"constant parents over '{name}'",
            f"{'something that changes' if parent.value is None else parent.index}",
            "give the positions of the parents as a parameter with values, -1 at the root",
        )
    places = [float(place) for place in parent.value.ravel()]
    if any(not p.is_integer() or not -1 <= p < i for i, p in enumerate(places)):
        raise Finding(
            "bad-value",
            "for each element the position of an element before it, or -1",
            f"{places}",
            "number the tree from its root outwards",
        )
    return tuple(int(place) for place in places)
