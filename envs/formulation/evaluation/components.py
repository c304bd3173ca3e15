"""Which parts of a formulation are right, though the whole may not be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from envs.compiler.model import Compiled
from envs.formulation.evaluation.behaviour import Array, Behaviour
from envs.formulation.evaluation.equivalence import Points, agree, carried
from envs.formulation.evaluation.matching import match, same_bounds
from envs.formulation.evaluation.mutants import expressions_of
from envs.formulation.evaluation.writing import sites
from envs.spec.expressions import Quantity, parse

KINDS = ("decisions", "states", "constraints", "objective terms", "parameters")
_POINTS = 128


@dataclass(frozen=True)
class Found:
    """Counts of one kind of part.

    Attributes:
        right: In both.
        reference: In the reference.
        candidate: In the candidate.
    """

    right: int
    reference: int
    candidate: int


def components(reference: Compiled, candidate: Compiled) -> dict[str, Found]:
    """Right parts of each kind, over all elements.

    A decision is right when unit, kind and bounds are; a state, when its next and first values are
    at all points; a constraint or a term of the objective, when the other spec has one of the same
    grams at all points (all of them, when their sums are the same: one may be split in the other);
    a parameter, when the other spec has the same quantity somewhere.
    """
    r, c = Behaviour(reference), Behaviour(candidate)
    matching = match(r, c)
    sample = list(Points(r, _POINTS, 3).each())
    outputs = [
        (r.outputs(values, step), c.outputs(carried(c, matching, values), step))
        for step, values in sample
    ]

    def joined(part: str) -> tuple[Array, Array]:
        sides = ([getattr(pair[side], part) for pair in outputs] for side in (0, 1))
        a, b = (np.concatenate(side, axis=1) for side in sides)
        return a, b

    following, first = joined("following"), joined("first")
    right = Counter[str]()
    for i, j in matching.pairs:
        one, other = r.inputs[i], c.inputs[j]
        if one.kind == "decision":
            right["decisions"] += same_bounds(one, other)
        elif one.kind == "state":
            a, b = r.position(i), c.position(j)
            right["states"] += all(bool(agree(x[a], y[b]).all()) for x, y in (following, first))

    def count(problem: Behaviour, kind: str) -> int:
        return sum(one.kind == kind for one in problem.inputs)

    return {
        "decisions": Found(right["decisions"], count(r, "decision"), count(c, "decision")),
        "states": Found(right["states"], count(r, "state"), count(c, "state")),
        "constraints": _alike(*joined("costs")),
        "objective terms": _alike(*joined("terms")),
        "parameters": _parameters(reference, candidate),
    }


def _alike(a: Array, b: Array) -> Found:
    """How many rows of one have an equal among those of the other, each used once."""
    if agree(a.sum(axis=0), b.sum(axis=0)).all():
        return Found(len(a), len(a), len(a))
    free = list(range(len(b)))
    right = 0
    for row in a:
        for j in free:
            if agree(row, b[j]).all():
                free.remove(j)
                right += 1
                break
    return Found(right, len(a), len(b))


def _parameters(reference: Compiled, candidate: Compiled) -> Found:
    mine, others = _given(reference), _given(candidate)
    # A constant that stands in an expression is there as well as one with a name.
    anywhere = others + _literal(candidate)
    right = sum((mine & anywhere).values())
    wrong = sum((others - mine - _literal(reference)).values())
    return Found(right, sum(mine.values()), right + wrong)


def _given(compiled: Compiled) -> Counter[tuple[str, str]]:
    """Fixed parameters, by dimension and value."""
    found = Counter[tuple[str, str]]()
    for name, item in compiled.spec.parameters.items():
        node = compiled.named[name][0]
        if item.value is not None and node.value is not None:
            values: Sequence[float] = node.value.ravel().tolist()
            found.update((str(node.dimension), f"{value:.9g}") for value in values)
    return found


def _literal(compiled: Compiled) -> Counter[tuple[str, str]]:
    """Quantities written in expressions."""
    document = compiled.spec.model_dump(exclude_none=True)
    return Counter(
        (str(node.unit.dimension), f"{node.value * node.unit.factor:.9g}")
        for _, text in expressions_of(document)
        for node, _ in sites(parse(text))
        if isinstance(node, Quantity)
    )
