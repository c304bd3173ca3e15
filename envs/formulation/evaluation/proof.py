"""A proof that two compiled specs are the same problem, by a way of its own: no point is sampled.

Both are written down as terms over named sources, in which a choice that the compiler's interval
analysis decides is replaced by the side that is taken. Equal terms mean equal functions, as the
intervals are guaranteed. The converse does not hold: most equivalent specs have other terms. It
serves to tell mistakes that change nothing (a clip that is never reached, the hour at which a
day starts that no expression asks for) from mistakes that the comparison overlooked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable

from envs.compiler.graph import Node
from envs.compiler.model import Compiled
from envs.compiler.tape import needed


def proven_equal(a: Compiled, b: Compiled) -> bool:
    """Whether two specs with the same names are the same problem, term by term."""
    return _terms(a) == _terms(b)


def _terms(compiled: Compiled) -> Hashable:
    term = _writer()
    outputs = [
        compiled.carbon,
        *(s.next for s in compiled.states),
        *(s.init for s in compiled.states),
        *(s.terminal_cost for s in compiled.states if s.terminal_cost is not None),
        *(c.violation for c in compiled.constraints if c.penalty_g > 0),
    ]
    drawn = [root for plan in compiled.processes for root in plan.roots]
    drawn += [root for plan in compiled.sampled for root in plan.draw.arguments.values()]
    everything = needed([*outputs, *drawn])
    clocked = any(
        n.op == "time" and n.attribute in ("hour_of_day", "day_index") for n in everything
    )
    time = compiled.spec.time
    return (
        (compiled.step_s, time.horizon, time.start if clocked else ""),
        term(compiled.carbon),
        tuple((s.name, term(s.next), term(s.init)) for s in compiled.states),
        tuple((s.name, s.terminal_cost and term(s.terminal_cost)) for s in compiled.states),
        tuple(sorted((term(c.violation), c.penalty_g) for c in compiled.constraints)),
        tuple((d.name, d.kind, d.low, d.high, d.scale, d.sizes) for d in compiled.decisions),
        tuple(
            (p.name, p.node.interval, p.draw.kind, p.draw.factor, p.draw.table)
            + tuple((role, term(node)) for role, node in p.draw.arguments.items())
            for p in compiled.sampled
        ),
        tuple(
            (p.name, p.node.interval, p.kind, p.hold, p.of, p.leads, p.correlation)
            + (p.draw and (p.draw.kind, p.draw.factor, p.draw.table),)
            + tuple(None if a is None else a.tobytes() for a in (p.lengths, p.values, p.transition))
            + (p.recording and hashlib.sha256(p.recording.values.tobytes()).hexdigest(),)
            + tuple(term(node) for node in p.roots)
            for p in compiled.processes
        ),
    )


def _writer() -> Callable[[Node], str]:
    """A function that names the term of a node: equal names, equal terms."""
    names: dict[int, str] = {}

    def term(node: Node) -> str:
        for one in needed([node]):
            if one.number not in names:
                names[one.number] = _named(one, names)
        return names[node.origin.number]

    return term


def _named(node: Node, names: dict[int, str]) -> str:
    if node.value is not None:
        parts: tuple[Hashable, ...] = ("constant", node.index, node.value.tobytes())
    else:
        arguments = [a.origin for a in node.arguments]
        if node.op in ("minimum", "maximum"):
            taken = _decided(node.op, *arguments)
            # An argument over fewer sets would have to be repeated: leave that choice standing.
            if taken is not None and taken.index == node.index:
                return names[taken.number]
        below = tuple(names[a.number] for a in arguments)
        parts = (node.op, str(node.attribute), node.index, node.layout, below)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _decided(op: str, a: Node, b: Node) -> Node | None:
    """The side of a minimum or maximum that is always taken, if the intervals tell."""
    low, high = (a, b) if a.interval[1] <= b.interval[0] else (b, a)
    if low.interval[1] > high.interval[0]:
        return None
    return low if op == "minimum" else high
