"""A compiled problem as one function of plain numbers: what it is, apart from how it is written.

Its inputs are scalar components: decisions and states in base units, and *noise*. Every draw of
the language is the inversion of a uniform, so noise is uniform whatever the distribution: a
normal process with a daily mean, and an autoregression of mean 0 added to that mean, are the same
function of the same noise. What tells two noises apart is their law in time. The outputs are all
that J is made of: carbon, priced violations, terminal cost, and the next and first states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.compiler.decisions import to_action
from envs.compiler.graph import Level, Node
from envs.compiler.model import Compiled, DecisionPlan
from envs.compiler.tape import evaluate, needed
from envs.formulation.evaluation.inputs import influential, inputs_of
from envs.formulation.evaluation.noise import inverted, middle, value_of
from envs.simulation.scenarios import clock_paths

Array = NDArray[np.float64]
Truth = NDArray[np.bool_]

BRANCHES = frozenset({"minimum", "maximum", "where"})
_EDGE = 1e-9
"""Uniforms keep this far from 0 and 1, where inversions have their poles."""
_SMALLEST_SHARE = 0.05


@dataclass(frozen=True)
class Outputs:
    """What comes out for a batch, base units, each ``(…, batch)``.

    Attributes:
        carbon: Of the step.
        penalty: Priced violations of the step, without terminal costs.
        terminal: Terminal costs, were this the last step.
        costs: Grams of each constraint, ``(constraints, batch)``.
        free: Violations of constraints without a price, sorted: ``(free, batch)``.
        following: Next values, one row for each component of a state.
        first: Initial values, likewise.
        correlation: Of each noise from draw to draw, one row for each noise.
        branches: For each choice in the problem, the least and the largest over its elements of
            one side less the other: ``(2, choices, batch)``.
        terms: The summands of the carbon.
    """

    carbon: Array
    penalty: Array
    terminal: Array
    costs: Array
    free: Array
    following: Array
    first: Array
    correlation: Array
    branches: Array
    terms: Array


class Behaviour:
    """A problem as a function.

    Attributes:
        compiled: The problem.
        inputs: Its components: decisions, states, then noises that the outputs depend on.
    """

    def __init__(self, compiled: Compiled) -> None:
        """Find inputs and outputs."""
        self.compiled = compiled
        self.horizon = compiled.spec.time.horizon
        self._clock = clock_paths(compiled, self.horizon)
        zero = compiled.graph.constant(0.0)
        self._terminal = [s.terminal_cost or zero for s in compiled.states]
        self._roots = [
            compiled.carbon,
            *(c.violation for c in compiled.constraints),
            *self._terminal,
            *(s.next for s in compiled.states),
            *(s.init for s in compiled.states),
        ]
        self._terms = _summands(compiled.carbon)
        self._reached = influential(compiled, self._roots)
        self._branches = [
            _deciding(node)
            for node in needed(self._roots)
            if node.op in BRANCHES and node.value is None
        ]
        self.inputs = inputs_of(compiled, self._reached)

    def position(self, number: int) -> int:
        """Where an input stands among those of its kind."""
        return self._of_kind(self.inputs[number].kind).index(number)

    def _of_kind(self, kind: str) -> list[int]:
        return [i for i, one in enumerate(self.inputs) if one.kind == kind]

    def physical(self, q: Array) -> Array:
        """Inputs in base units from positions in [0, 1], ``(inputs, batch)``."""
        values = np.array(q, dtype=np.float64)
        for i, one in enumerate(self.inputs):
            if one.kind == "noise":
                values[i] = np.clip(q[i], _EDGE, 1 - _EDGE)
            elif one.spaced:
                values[i] = np.clip(one.low * (one.high / one.low) ** q[i], one.low, one.high)
            else:
                values[i] = np.clip(one.low + q[i] * (one.high - one.low), one.low, one.high)
        for plan, rows in self._decision_rows():
            if plan.kind == "integer":
                values[rows] = np.rint(values[rows] / plan.scale) * plan.scale
            elif plan.kind == "simplex":
                weights = (_SMALLEST_SHARE + q[rows]).reshape(plan.shape(q.shape[1]))
                shares = weights / weights.sum(axis=plan.simplex_axis, keepdims=True)
                values[rows] = shares.reshape(len(rows), -1)
        return values

    def _decision_rows(self) -> list[tuple[DecisionPlan, list[int]]]:
        return [
            (plan, list(range(plan.offset, plan.offset + plan.count)))
            for plan in self.compiled.decisions
        ]

    def action(self, values: Array) -> Array:
        """The action in Box(-1, 1) for decisions in base units, ``(batch, action_size)``."""
        parts = [
            to_action(plan, values[rows].reshape(plan.shape(values.shape[1]))).reshape(
                plan.count, -1
            )
            for plan, rows in self._decision_rows()
        ]
        return np.concatenate(parts).T

    def outputs(self, values: Array, step: int) -> Outputs:
        """Everything J is made of, at one time.

        Args:
            values: Inputs in base units (noise as uniforms), ``(inputs, batch)``.
            step: Which step of the episode it is.
        """
        with np.errstate(all="ignore"):
            return self._outputs(values, min(step, self.horizon - 1))

    def rule(self, name: str, values: Array, step: int) -> Array:
        """What a rule of the spec decides, ``(decisions, batch)`` in base units."""
        batch, graph = values.shape[1], self.compiled.graph
        wanted = self.compiled.heuristics[name]
        with np.errstate(all="ignore"):
            known, _ = self._given(values, min(step, self.horizon - 1))
            found = evaluate(graph, list(wanted.values()), known, batch)
        parts = [np.zeros((0, batch))]
        for plan, node, value in zip(self.compiled.decisions, wanted.values(), found, strict=True):
            aligned = graph.aligned(node, value, plan.node.index)
            physical = np.broadcast_to(aligned, plan.shape(batch)).astype(np.float64)
            low, high = (0.0, 1.0) if plan.kind == "simplex" else (plan.low, plan.high)
            parts.append(np.clip(physical, low, high).reshape(plan.count, batch))
        return np.concatenate(parts)

    def _given(self, values: Array, step: int) -> tuple[dict[int, Array], Array]:
        """Registers of everything from outside, and the correlation of each noise."""
        batch = values.shape[1]
        compiled, graph = self.compiled, self.compiled.graph
        known: dict[int, Array] = {n: path[step] for n, path in self._clock.items()}
        correlation = self._draw(values, known, batch)
        row = 0
        for decision, rows in self._decision_rows():
            shaped = values[rows].reshape(decision.shape(batch))
            known[decision.raw.number] = to_action(decision, shaped)
            known[decision.node.origin.number] = shaped
            row += decision.count
        for state in compiled.states:
            count = int(np.prod(graph.sizes(state.node.index)))
            shape = (*graph.sizes(state.node.index), batch)
            known[state.node.number] = values[row : row + count].reshape(shape)
            row += count
        return known, correlation

    def _outputs(self, values: Array, step: int) -> Outputs:
        batch, compiled = values.shape[1], self.compiled
        known, correlation = self._given(values, step)
        sides = [side for pair in self._branches for side in pair]
        found = evaluate(compiled.graph, [*self._roots, *self._terms, *sides], known, batch)
        wide = [_rows(value, batch) for value in found]
        states, costs = len(compiled.states), len(compiled.constraints)
        start = 1 + costs
        violations = np.concatenate([np.zeros((0, batch)), *wide[1:start]])
        prices = np.array([c.penalty_g for c in compiled.constraints]).reshape(-1, 1)
        terminal = np.concatenate([np.zeros((1, batch)), *wide[start : start + states]]).sum(axis=0)
        start += states
        # A value that is the same for all elements is stored once; its rows are the state's.
        following = self._over_elements(wide[start : start + states], batch)
        start += states
        first = self._over_elements(wide[start : start + states], batch)
        start += states
        terms = np.concatenate(wide[start : start + len(self._terms)])
        start += len(self._terms)
        spreads = (
            [
                self._spread(a, b, x, y, batch)
                for (a, b), x, y in zip(
                    self._branches,
                    found[-len(sides) :: 2],
                    found[-len(sides) + 1 :: 2],
                    strict=True,
                )
            ]
            if sides
            else []
        )
        return Outputs(
            carbon=wide[0][0],
            penalty=(violations * prices).sum(axis=0),
            terminal=terminal,
            costs=violations * prices,
            free=np.sort(violations[prices[:, 0] == 0], axis=0),
            following=following,
            first=first,
            correlation=correlation,
            branches=np.stack(spreads, axis=1) if spreads else np.zeros((2, 0, batch)),
            terms=terms,
        )

    def _spread(self, a: Node, b: Node, x: Array, y: Array, batch: int) -> Array:
        """The least and the largest over the elements of what decides a choice, ``(2, batch)``."""
        graph, index = self.compiled.graph, self.compiled.graph.joined(a.index, b.index)
        difference = graph.aligned(a, x, index) - graph.aligned(b, y, index) * 1.0
        wide = _rows(difference, batch)
        return np.stack([wide.min(axis=0), wide.max(axis=0)])

    def _over_elements(self, found: list[Array], batch: int) -> Array:
        parts = [np.zeros((0, batch))]
        for state, value in zip(self.compiled.states, found, strict=True):
            count = int(np.prod(self.compiled.graph.sizes(state.node.index)))
            parts.append(np.broadcast_to(value, (count, batch)))
        return np.concatenate(parts)

    def _draw(self, values: Array, known: dict[int, Array], batch: int) -> Array:
        """Load sampled parameters and processes; returns the correlation of each noise."""
        graph = self.compiled.graph
        noises = self._of_kind("noise")
        cursor = noises[0] if noises else 0
        correlation: list[Array] = [np.zeros((0, batch))]

        def arguments(roots: Mapping[str, Node], index: tuple[str, ...]) -> dict[str, Array]:
            found = evaluate(graph, list(roots.values()), known, batch)
            return {
                role: graph.aligned(roots[role], value, index)
                for role, value in zip(roots, found, strict=True)
            }

        for parameter in self.compiled.sampled:
            if parameter.name not in self._reached:
                known[parameter.node.number] = middle(
                    graph.sizes(parameter.node.index), batch, parameter.node
                )
                continue
            sizes = graph.sizes(parameter.node.index)
            count = int(np.prod(sizes))
            u = values[cursor : cursor + count].reshape((*sizes, batch))
            cursor += count
            correlation.append(np.zeros((count, batch)))
            drawn = inverted(
                parameter.draw, u, arguments(parameter.draw.arguments, parameter.node.index)
            )
            known[parameter.node.number] = np.clip(drawn, *parameter.node.interval)
        for plan in self.compiled.processes:
            sizes = graph.sizes(plan.node.index)
            if plan.kind == "expr":
                assert plan.arguments is not None
                (value,) = arguments(plan.arguments, plan.node.index).values()
            elif plan.name not in self._reached:
                value = middle(sizes, batch, plan.node)
            else:
                count = 1 if plan.kind == "trace" else int(np.prod(sizes))
                u = values[cursor : cursor + count]
                cursor += count
                u = u if plan.kind == "trace" else u.reshape((*sizes, batch))
                roots = {**(plan.arguments or {}), **(plan.draw.arguments if plan.draw else {})}
                given = arguments(roots, plan.node.index)
                value = value_of(plan, u, given)
                rho = np.broadcast_to(given.get("correlation", np.zeros(1)), value.shape)
                correlation.append(rho.reshape(-1, batch)[:count])
            full = np.broadcast_to(value, (*sizes, batch))
            known[plan.node.number] = np.clip(full, *plan.node.interval)
        return np.concatenate(correlation)


def _deciding(node: Node) -> tuple[Node, Node]:
    """The two values whose order decides a choice."""
    if node.op != "where":
        return node.arguments[0], node.arguments[1]
    condition = node.arguments[0]
    if len(condition.arguments) == 2 and not condition.arguments[0].boolean:
        return condition.arguments[0], condition.arguments[1]
    return node.arguments[1], node.arguments[2]


def _rows(value: Array, batch: int) -> Array:
    wide = np.broadcast_to(value, (*value.shape[:-1], batch))
    return wide.astype(np.float64).reshape(-1, batch)


def _summands(node: Node) -> list[Node]:
    """The terms of a sum, as deep as sums go."""
    terms: list[Node] = []
    stack = [node]
    while stack:
        one = stack.pop().origin
        if one.op == "add" and one.level > Level.CONSTANT:
            stack += one.arguments
        else:
            terms.append(one)
    return terms
