"""What a problem is a function of, component by component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from envs.compiler.graph import Node
from envs.compiler.model import Compiled
from envs.compiler.tape import needed
from envs.formulation.evaluation.noise import law_of
from envs.spec.units import Dimension

_WIDE = 50.0
"""Ranges above 0 that span more than this factor are sampled by equal ratios."""


@dataclass(frozen=True)
class Input:
    """One scalar component of what a problem is a function of.

    Attributes:
        kind: ``decision``, ``state`` or ``noise``.
        name: The item of the spec.
        label: Which element, such as ``north``; empty for a scalar.
        place: Position among the elements of its item.
        dimension: Of the value; of a noise, that of what is drawn.
        law: What must agree beside the values: the domain of a decision, a noise's law in time.
        low: Lower bound in base units.
        high: Upper bound in base units.
        spaced: Whether values between the bounds are spaced by equal ratios.
    """

    kind: str
    name: str
    label: str
    place: int
    dimension: Dimension
    law: tuple[Any, ...]
    low: float
    high: float
    spaced: bool = False

    def __str__(self) -> str:
        """As it is written in a spec."""
        return f"{self.name}[{self.label}]" if self.label else self.name


def inputs_of(compiled: Compiled, reached: set[str]) -> list[Input]:
    """Decisions, states and noises, in this order.

    Args:
        compiled: The problem.
        reached: Names of what is drawn and matters.
    """
    return [*_decisions(compiled), *_states(compiled), *_noises(compiled, reached)]


def influential(compiled: Compiled, roots: list[Node]) -> set[str]:
    """Names of what is drawn and reaches an output, through processes made of others too."""
    plans = {p.name: p for p in compiled.processes}
    sampled = {p.name: p for p in compiled.sampled}
    found: set[str] = set()
    stack = list(needed(roots))
    while stack:
        node = stack.pop()
        name = str(node.attribute)
        if node.op not in ("process", "parameter") or name in found:
            continue
        found.add(name)
        if node.op == "process":
            plan = plans[name]
            stack += needed([*plan.roots, *([plans[plan.of].node] if plan.of else [])])
        else:
            stack += needed(sampled[name].draw.arguments.values())
    return found


def _elements(compiled: Compiled, index: tuple[str, ...]) -> list[str]:
    labels = [""]
    for one in index:
        labels = [f"{a},{b}" if a else b for a in labels for b in compiled.labels[one]]
    return labels


def _decisions(compiled: Compiled) -> list[Input]:
    found = []
    for plan in compiled.decisions:
        domain: tuple[Any, ...] = ("continuous",)
        if plan.kind in ("integer", "simplex"):
            domain = (plan.kind, plan.sizes[plan.simplex_axis] if plan.kind == "simplex" else 0)
        low, high = (0.0, 1.0) if plan.kind == "simplex" else (plan.low, plan.high)
        spaced = plan.kind != "simplex" and low > 0 and high / low > _WIDE
        for place, label in enumerate(_elements(compiled, plan.node.index)):
            dimension = plan.node.dimension
            found.append(
                Input("decision", plan.name, label, place, dimension, domain, low, high, spaced)
            )
    return found


def _states(compiled: Compiled) -> list[Input]:
    return [
        Input("state", s.name, label, place, s.node.dimension, (), *s.node.interval)
        for s in compiled.states
        for place, label in enumerate(_elements(compiled, s.node.index))
    ]


def _noises(compiled: Compiled, reached: set[str]) -> list[Input]:
    found = []
    for parameter in compiled.sampled:
        if parameter.name in reached:
            for place, label in enumerate(_elements(compiled, parameter.node.index)):
                dimension = parameter.node.dimension
                law = ("once",)
                found.append(Input("noise", parameter.name, label, place, dimension, law, 0.0, 1.0))
    for plan in compiled.processes:
        if plan.kind != "expr" and plan.name in reached:
            labels = [""] if plan.kind == "trace" else _elements(compiled, plan.node.index)
            for place, label in enumerate(labels):
                dimension = plan.node.dimension
                found.append(
                    Input("noise", plan.name, label, place, dimension, law_of(plan), 0.0, 1.0)
                )
    return found
