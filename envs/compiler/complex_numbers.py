"""Complex quantities of the language: real ones over a set of two parts, real and imaginary.

There is no second kind of number. A quantity over ``part: [re, im]`` is complex when one of these
functions reads it so; units, bounds, draws, observations and gradients are those of any other
quantity, and a process of independent normals over a part is a circular Gaussian.
"""

from __future__ import annotations

import math

from envs.compiler import intervals
from envs.compiler.elementary import hypotenuse, quadrant_angle
from envs.compiler.functions import alike, dimensionless, function, number, times
from envs.compiler.graph import Graph, Node
from envs.compiler.over_sets import element, total
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS

LARGEST_MATRIX = 16


def _parts(graph: Graph, part: str, *nodes: Node) -> None:
    """Require a set of two parts that complex operands run over."""
    if graph.sets[part] != 2:
        raise Finding(
            "index-mismatch",
            "a set of two parts, real and imaginary",
            f"'{part}' of size {graph.sets[part]}",
            "define part: [re, im]",
        )
    for node in nodes:
        if part not in node.index:
            raise Finding(
                "index-mismatch",
                f"a complex quantity, over '{part}'",
                f"index ({', '.join(node.index) or 'none'})",
                f"a real factor is multiplied with *; polar(x, 0, {part}) makes a real one complex",
            )


def _largest(*nodes: Node) -> float:
    """A bound of the product of the nodes' absolute values."""
    return math.prod(max(map(abs, node.interval)) for node in nodes)


@function("polar", "modulus", "angle", "set")
def polar(graph: Graph, modulus: Node, angle: Node, part: str) -> Node:
    """The complex quantity of a modulus and an angle."""
    modulus, angle = number(graph, modulus), dimensionless(graph, angle, "polar")
    layout = graph.joined(modulus.index, angle.index)
    _parts(graph, part)
    if part in layout:
        raise Finding(
            "index-mismatch",
            "a real modulus and a real angle",
            f"one over '{part}'",
            "take its modulus(…) or argument(…) first",
        )
    index = graph.joined(layout, (part,))
    bound = _largest(modulus)
    return graph.structured(
        "polar",
        modulus,
        angle,
        attribute=graph.axis(part, index),
        layout=layout,
        index=index,
        dimension=modulus.dimension,
        interval=(-bound, bound),
    )


@function("complex_times", "a", "b", "set")
def complex_times(graph: Graph, a: Node, b: Node, part: str) -> Node:
    """Product of two complex quantities."""
    a, b = number(graph, a), number(graph, b)
    _parts(graph, part, a, b)
    index = graph.joined(a.index, b.index)
    bound = 2 * _largest(a, b)
    return graph.structured(
        "complex_times",
        a,
        b,
        attribute=graph.axis(part, index),
        layout=index,
        index=index,
        dimension=a.dimension * b.dimension,
        interval=(-bound, bound),
    )


@function("complex_contract", "a", "b", "set", "set", "…")
def complex_contract(graph: Graph, a: Node, b: Node, part: str, *names: str) -> Node:
    """Matrix product of complex quantities: the sum over one or more sets of a·b."""
    a, b = number(graph, a), number(graph, b)
    _parts(graph, part, a, b)
    for name in names:
        if name == part or name not in a.index or name not in b.index:
            raise Finding(
                "index-mismatch",
                f"two quantities that run over '{name}', which is not their parts",
                f"indices ({', '.join(a.index)}) and ({', '.join(b.index)})",
                "use complex_times where nothing is summed",
            )
    layout = graph.joined(a.index, b.index)
    graph.charge(layout)
    bound = 2 * math.prod(graph.sizes(names)) * _largest(a, b)
    return graph.structured(
        "complex_contract",
        a,
        b,
        attribute=(graph.axis(part, layout), tuple(sorted(graph.axis(n, layout) for n in names))),
        layout=layout,
        index=tuple(s for s in layout if s not in names),
        dimension=a.dimension * b.dimension,
        interval=(-bound, bound),
    )


@function("conjugate", "z", "set")
def conjugate(graph: Graph, z: Node, part: str) -> Node:
    """Complex conjugate."""
    _parts(graph, part, z)
    return times(graph, z, graph.constant([1.0, -1.0], DIMENSIONLESS, (part,)))


@function("modulus", "z", "set")
def modulus(graph: Graph, z: Node, part: str) -> Node:
    """Absolute value of a complex quantity."""
    _parts(graph, part, z)
    return hypotenuse(graph, element(graph, z, part, 0), element(graph, z, part, 1))


@function("squared_modulus", "z", "set")
def squared_modulus(graph: Graph, z: Node, part: str) -> Node:
    """Squared absolute value of a complex quantity: the power of an amplitude."""
    _parts(graph, part, z)
    return total(graph, times(graph, z, z), part)


@function("argument", "z", "set")
def argument(graph: Graph, z: Node, part: str) -> Node:
    """Angle of a complex quantity, from -pi to pi."""
    _parts(graph, part, z)
    return quadrant_angle(graph, element(graph, z, part, 1), element(graph, z, part, 0))


@function("least_powers", "gram", "sinr", "limit", "set", "set", "set")
def least_powers(
    graph: Graph, gram: Node, sinr: Node, limit: Node, user: str, other: str, part: str
) -> Node:
    """Powers of the users whose sum is the least that gives every user its SINR.

    ``gram`` holds the inner products of the users' channels over noise, by pairs. The dual uplink
    is solved by fixed-point rounds from zero forcing, so that the powers suffice after any number
    of rounds; their sum is that of the downlink. Powers are cut at ``limit`` each.
    """
    gram, limit = number(graph, gram), number(graph, limit)
    sinr = dimensionless(graph, sinr, "the SINR of least_powers")
    _parts(graph, part, gram)
    fits = user in gram.index and other in gram.index and user != other
    if not fits or not graph.sets[user] == graph.sets[other] <= LARGEST_MATRIX:
        raise Finding(
            "index-mismatch",
            f"a matrix over a set of at most {LARGEST_MATRIX} and its alias",
            f"index ({', '.join(gram.index)})",
            "write least_powers(gram, sinr, limit, user, user_b, part)",
        )
    if other in (*sinr.index, *limit.index) or part in (*sinr.index, *limit.index):
        raise Finding(
            "index-mismatch",
            f"targets and limits over '{user}' at most",
            f"indices ({', '.join(sinr.index)}) and ({', '.join(limit.index)})",
            "index them by the first set",
        )
    alike(graph, times(graph, gram, limit), graph.constant(1.0))
    if sinr.interval[0] < 0 or limit.interval[0] < 0:
        raise Finding(
            "domain",
            "targets and limits that are not negative",
            f"between {min(sinr.interval[0], limit.interval[0]):.4g} and …",
            "write max(x, 0)",
        )
    layout = graph.joined(gram.index, sinr.index, limit.index)
    for _ in range(graph.sets[user]):
        graph.charge(layout)
    index = tuple(s for s in layout if s not in (other, part))
    return graph.structured(
        "least_powers",
        gram,
        sinr,
        limit,
        attribute=(
            graph.axis(part, layout),
            graph.axis(user, layout),
            graph.axis(other, layout),
            tuple(sorted(graph.axis(s, layout) for s in (other, part))),
            graph.axis(user, index),
        ),
        layout=layout,
        index=index,
        dimension=limit.dimension,
        interval=intervals.checked((0.0, limit.interval[1]), "least_powers"),
    )
