"""The compiler: from a spec of the right shape to a typed, bounded, ordered problem.

Everything that can be reported is reported, as typed diagnostics.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from envs.compiler import functions, over_sets, processes, recorded, states
from envs.compiler.graph import Level, Node
from envs.compiler.model import (
    Compiled,
    ConstraintPlan,
    MetricPlan,
    ObservationPlan,
    ProcessPlan,
)
from envs.compiler.scope import Scope
from envs.spec import schema
from envs.spec.canonical import digest
from envs.spec.diagnostics import Finding, SpecError, nearest, shorten
from envs.spec.units import Unit, parse_unit
from envs.traces import Access

_ONE, _GRAM, _ENERGY = parse_unit("1"), parse_unit("gCO2e"), parse_unit("J")
MAX_EPISODE_ELEMENTS = 10_000_000

_T = TypeVar("_T")


class _Compiler:
    """Compiles one spec; see `compile_spec`."""

    def __init__(self, spec: schema.Spec, access: Access) -> None:
        self.spec = recorded.sealed(spec, access)
        self.scope = Scope(self.spec, access)
        self.graph = self.scope.graph

    def compile(self) -> Compiled:
        """Compile everything.

        Raises:
            SpecError: With all findings.
        """
        for name in self.scope.known():
            with self.scope.place(name):
                self.scope.resolve(name)
        self.scope.stop_if_refused()
        spec = self.spec
        carbon = self._scalar(
            "objective.carbon", spec.objective.carbon.expr, spec.objective.carbon.unit, _GRAM
        )
        constraints = _present(self._constraint(n, item) for n, item in spec.constraints.items())
        metrics = _present(self._metric(n, item) for n, item in spec.metrics.items())
        observations = self._observations()
        heuristics = {name: self._heuristic(name, item) for name, item in spec.heuristics.items()}
        moving = _present(states.plan(self.scope, n, item) for n, item in spec.states.items())
        self._check_references()
        self.scope.stop_if_refused()
        assert carbon is not None
        plans = processes.with_lengths(self.scope.processes, spec.time.horizon)
        plans = recorded.with_starts(plans)
        self._check_episode_size(plans)
        return Compiled(
            spec=spec,
            digest=digest(spec),
            graph=self.graph,
            labels=self.scope.labels,
            step_s=self.scope.step_s,
            sampled=tuple(self.scope.sampled),
            processes=tuple(plans),
            states=tuple(moving),
            decisions=tuple(self.scope.decisions[name] for name in spec.decisions),
            carbon=carbon,
            penalty=self._penalty(constraints),
            terminal_during=self._total([(s.potential_next, s.potential_now) for s in moving]),
            terminal_last=self._total([(s.terminal_cost, s.potential_now) for s in moving]),
            constraints=tuple(constraints),
            metrics=tuple(metrics),
            observations=tuple(observations),
            heuristics=heuristics,
            named={name: (self.scope.nodes[name], unit) for name, unit in self.scope.units.items()},
            clock={
                str(node.attribute): node for node in self.scope.nodes.values() if node.op == "time"
            },
        )

    def _scalar(self, path: str, expr: str, unit: str, must_fit: Unit | None = None) -> Node | None:
        with self.scope.place(f"{path}.expr"):
            node = self.scope.fitting(self.scope.lowering().text(expr), parse_unit(unit))
            if must_fit is not None:
                node = self.scope.fitting(node, must_fit)
            if node.index:
                raise Finding(
                    "index-mismatch",
                    "one number",
                    f"an index over ({', '.join(node.index)})",
                    "sum(…, set) it",
                )
            return node
        return None

    def _constraint(self, name: str, item: schema.Constraint) -> ConstraintPlan | None:
        with self.scope.place(f"constraints.{name}.expr"):
            unit = parse_unit(item.unit)
            node = self.scope.fitting(self.scope.lowering().text(item.expr), unit)
            excess = functions.FUNCTIONS["max"].build(self.graph, node, self.graph.constant(0.0))
            total = over_sets.total(self.graph, excess, *excess.index)
            violation = functions.divided(
                self.graph, total, self.graph.constant(unit.factor, unit.dimension)
            )
            return ConstraintPlan(name, unit, violation, item.penalty)
        return None

    def _penalty(self, constraints: list[ConstraintPlan]) -> Node:
        total = self.graph.constant(0.0, _GRAM.dimension)
        for plan in constraints:
            price = self.graph.constant(plan.penalty_g, _GRAM.dimension)
            total = functions.plus(
                self.graph, total, functions.times(self.graph, plan.violation, price)
            )
        return total

    def _total(self, differences: list[tuple[Node | None, Node | None]]) -> Node | None:
        """The sum of a - b over pairs; a missing part counts as 0, None when all are missing."""
        total: Node | None = None
        for sign, part in ((sign, pair[sign]) for pair in differences for sign in (0, 1)):
            if part is not None:
                start = total or self.graph.constant(0.0, _GRAM.dimension)
                total = (functions.minus if sign else functions.plus)(self.graph, start, part)
        return total

    def _metric(self, name: str, item: schema.Metric) -> MetricPlan | None:
        node = self._scalar(f"metrics.{name}", item.expr, item.unit)
        return None if node is None else MetricPlan(name, parse_unit(item.unit), node, item.reduce)

    def _observations(self) -> list[ObservationPlan]:
        plans: list[ObservationPlan] = []
        offset = 0
        for name, item in self.spec.observe.items():
            with self.scope.place(f"observe.{name}"):
                unit = parse_unit(item.unit)
                shown = self.scope.fitting(self.scope.lowering().text(item.expr), unit)
                self.scope.at_most(shown, Level.STATE)
                node = self._scaled(shown, item, unit)
                count = int(np.prod(self.graph.sizes(node.index)))
                plans.append(ObservationPlan(name, unit, node, shown, offset, count))
                offset += count
        return plans

    def _scaled(self, node: Node, item: schema.Observation, unit: Unit) -> Node:
        """The shown quantity mapped so that its range becomes [-1, 1]."""
        graph = self.graph
        low, high = item.linear or item.log or [0.0, 1.0]
        if low >= high or (item.log and low <= 0):
            raise Finding(
                "bad-bounds",
                "low < high (above 0 for log)",
                f"[{low:g}, {high:g}]",
                "mend the range",
            )
        low, high = low * unit.factor, high * unit.factor
        plain = graph.alias(node, _ONE.dimension)
        if item.log:
            plain = graph.elementwise("log", plain, dimension=_ONE.dimension)
            low, high = math.log(low), math.log(high)
        slope = 2 / (high - low)
        stretched = functions.times(graph, plain, graph.constant(slope))
        return functions.minus(graph, stretched, graph.constant((low + high) / 2 * slope))

    def _heuristic(self, name: str, item: schema.Heuristic) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for decision in self.spec.decisions:
            path = f"heuristics.{name}.decisions.{decision}"
            with self.scope.place(path):
                if decision not in item.decisions:
                    raise Finding(
                        "missing-key",
                        f"an expression for '{decision}'",
                        "nothing",
                        "a policy sets every decision",
                    )
                plan = self.scope.decisions[decision]
                node = self.scope.fitting(
                    self.scope.lowering().text(item.decisions[decision]), self.scope.units[decision]
                )
                self.scope.at_most(node, Level.STATE)
                if not set(node.index) <= set(plan.node.index):
                    raise Finding(
                        "index-mismatch",
                        f"index {list(plan.node.index)}",
                        f"{list(node.index)}",
                        "reduce it",
                    )
                nodes[decision] = node
        for extra in set(item.decisions) - set(self.spec.decisions):
            hint = nearest(extra, self.spec.decisions)
            finding = Finding("unknown-name", "a decision", f"'{shorten(extra)}'", hint)
            self.scope.found.append(finding.at(f"heuristics.{name}.decisions.{shorten(extra, 48)}"))
        return nodes

    def _check_references(self) -> None:
        """What must exist by name: the energy metric and the functional unit's metric."""
        metrics = self.spec.metrics
        if "energy" not in metrics:
            finding = Finding(
                "missing-key", "a metric 'energy'", "none", "add energy: {unit: J, expr: …}"
            )
            self.scope.found.append(finding.at("metrics"))
        elif parse_unit(metrics["energy"].unit).dimension != _ENERGY.dimension:
            finding = Finding(
                "unit-mismatch", "an energy", metrics["energy"].unit, "give it in J or kWh"
            )
            self.scope.found.append(finding.at("metrics.energy.unit"))
        certified = self.spec.meta.certified
        if certified is not None:
            self.scope.found.extend(schema.check_name(certified, "meta.certified"))
        functional = self.spec.meta.functional_unit
        if functional is not None and functional.metric not in metrics:
            finding = Finding(
                "unknown-name",
                "a metric",
                f"'{shorten(functional.metric)}'",
                nearest(functional.metric, metrics),
            )
            self.scope.found.append(finding.at("meta.functional_unit.metric"))

    def _check_episode_size(self, plans: list[ProcessPlan]) -> None:
        elements = sum(int(np.prod(self.graph.sizes(p.node.index))) * p.steps for p in plans)
        if elements > MAX_EPISODE_ELEMENTS:
            expected = f"at most {MAX_EPISODE_ELEMENTS} process values an episode"
            raise SpecError(
                [
                    Finding("budget", expected, f"{elements}", "shorten the horizon").at(
                        "time.horizon"
                    )
                ]
            )


def _present(plans: Iterable[_T | None]) -> list[_T]:
    """Those that were not refused."""
    return [plan for plan in plans if plan is not None]


def compile_spec(spec: schema.Spec, access: Access | None = None) -> Compiled:
    """Compile a spec of the right shape.

    Args:
        spec: The document.
        access: What its traces may read; by default only what lies in the data folder.

    Raises:
        SpecError: With everything that was found.
    """
    compiler = _Compiler(spec, access or Access())
    try:
        return compiler.compile()
    except RecursionError:
        finding = Finding(
            "too-deep", "a flat spec", "too deep a nesting of definitions", "shorten the chains"
        )
        raise SpecError([finding.at("document")]) from None
