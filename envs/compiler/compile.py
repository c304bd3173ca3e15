"""The compiler: from a spec of the right shape to a typed, bounded, ordered problem, or typed diagnostics.

Names are resolved on demand, so that definitions may stand in any order; a name that needs itself is a cycle. Everything
that can be reported is reported: one item's failure does not hide another's, and is not repeated by those that use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from envs.compiler import decisions as decision_plans
from envs.compiler import distributions, functions, processes
from envs.compiler.domain import DOMAIN_FUNCTIONS
from envs.compiler.functions import FUNCTIONS
from envs.compiler.graph import Graph, Level, Node
from envs.compiler.lowering import Lowering
from envs.compiler.model import (
    Compiled,
    ConstraintPlan,
    DecisionPlan,
    MetricPlan,
    ObservationPlan,
    ProcessPlan,
    SampledParameter,
    StatePlan,
)
from envs.spec import schema
from envs.spec.canonical import digest
from envs.spec.diagnostics import Diagnostic, Finding, SpecError, nearest, shorten
from envs.spec.units import Unit, parse_quantity, parse_unit

_ONE, _SECOND, _GRAM, _ENERGY = parse_unit("1"), parse_unit("s"), parse_unit("gCO2e"), parse_unit("J")
MAX_EPISODE_ELEMENTS = 10_000_000

TIME_NAMES = ("time_step", "step_index", "hour_of_day", "day_index", "time_remaining", "pi")

_WHEN = {
    Level.SCENARIO: "a constant or a parameter",
    Level.EXOGENOUS: "something that does not depend on states or decisions",
    Level.STATE: "something known before the decision",
    Level.CONSTANT: "a constant",
}


class _Poisoned(Exception):
    """A name whose own definition was refused and reported already."""


class Compiler:
    """Compiles one spec; see `compile_spec`."""

    def __init__(self, spec: schema.Spec) -> None:
        self.spec = spec
        self.found: list[Diagnostic] = []
        self.labels: dict[str, list[str]] = {}
        self.graph = Graph({})
        self.step_s = 1.0
        self.decisions: dict[str, DecisionPlan] = {}
        self._memo: dict[str, Node] = {}
        self._poisoned: set[str] = set()
        self._active: list[str] = []
        self._units: dict[str, Unit] = {}
        self.sampled: list[SampledParameter] = []
        self.processes: list[ProcessPlan] = []

    # --- reporting --------------------------------------------------------------------------------------------------

    @contextmanager
    def place(self, path: str) -> Iterator[None]:
        """Report findings raised inside under a path, and go on."""
        try:
            yield
        except Finding as finding:
            self.found.append(finding.at(path))
        except _Poisoned:
            pass

    def stop_if_refused(self) -> None:
        """Raise everything that was found so far."""
        if self.found:
            raise SpecError(self.found)

    # --- names ------------------------------------------------------------------------------------------------------

    def known(self) -> list[str]:
        """All names an expression may use."""
        spec = self.spec
        sections = (spec.parameters, spec.processes, spec.states, spec.decisions, spec.equations)
        return [*TIME_NAMES, *(name for section in sections for name in section)]

    def resolve(self, name: str) -> Node:
        """The node of a name.

        Raises:
            KeyError: There is no such name.
            Finding: ``cycle``, or whatever is wrong with its definition the first time it is met.
        """
        if name in self._memo:
            return self._memo[name]
        if name in self._poisoned:
            raise _Poisoned
        if name in TIME_NAMES:
            self._memo[name] = self._time(name)
            return self._memo[name]
        section, item = self._definition(name)
        if name in self._active:
            chain = " -> ".join([*self._active[self._active.index(name) :], name])
            raise Finding(
                "cycle", "definitions without a cycle", shorten(chain, 200), "only a state may depend on its own past"
            )
        if len(self._active) > 200:
            raise Finding("too-deep", "chains of at most 200 definitions", "a longer one", "shorten the chain")
        self._active.append(name)
        depth = len(self.found)
        try:
            with self.place(f"{section}.{name}"):
                self._memo[name] = self._define(name, section, item)
        finally:
            self._active.pop()
        if len(self.found) > depth or name not in self._memo:
            self._poisoned.add(name)
            raise _Poisoned
        return self._memo[name]

    def _definition(self, name: str) -> tuple[str, Any]:
        for section in ("parameters", "processes", "states", "decisions", "equations"):
            items = getattr(self.spec, section)
            if name in items:
                return section, items[name]
        raise KeyError(name)

    def _define(self, name: str, section: str, item: Any) -> Node:
        unit = parse_unit(item.unit)
        self._units[name] = unit
        match section:
            case "parameters":
                return self._parameter(name, item, unit)
            case "processes":
                plan = processes.plan(self, name, item)
                self.processes.append(plan)
                return plan.node
            case "states":
                low, high = (bound * unit.factor for bound in item.bounds)
                if low > high:
                    raise Finding("bad-bounds", "bounds: [low, high]", f"{item.bounds}", "swap the two ends")
                return self.graph.source("state", name, self.index(item.index), unit.dimension, (low, high), Level.STATE)
            case "decisions":
                plan = decision_plans.plan(self, name, item, unit)
                self.decisions[name] = plan
                return plan.node
            case _:
                node = self._fitting(self.lowering().text(item.expr), unit)
                if item.index is not None and self.index(item.index) != node.index:
                    raise Finding(
                        "index-mismatch",
                        f"index {list(node.index)}, which the expression runs over",
                        f"{item.index}",
                        "mend the index, or leave it out",
                    )
                return node

    def _time(self, name: str) -> Node:
        horizon = float(self.spec.time.horizon)
        if name == "pi":
            return self.graph.constant(math.pi)
        if name == "time_step":
            return self.graph.constant(self.step_s, _SECOND.dimension)
        days = horizon * self.step_s / 86400 + 1
        unit, interval = {
            "step_index": (_ONE, (0.0, horizon - 1)),
            "hour_of_day": (_SECOND, (0.0, 86400.0)),
            "day_index": (_ONE, (0.0, days)),
            "time_remaining": (_ONE, (1 / horizon, 1.0)),
        }[name]
        return self.graph.source("time", name, (), unit.dimension, interval, Level.EXOGENOUS, batched=False)

    def index(self, names: list[str]) -> tuple[str, ...]:
        """A written index in canonical order.

        Raises:
            Finding: ``unknown-name`` or ``index-mismatch``.
        """
        for name in names:
            if name not in self.graph.sets:
                raise Finding("unknown-name", "the name of a set", f"'{shorten(name)}'", nearest(name, self.graph.sets))
        ordered = self.graph.joined(tuple(names))
        if tuple(names) != ordered:
            raise Finding(
                "index-mismatch", f"sets once each, in the order of 'sets': {list(ordered)}", f"{names}", "reorder it"
            )
        return ordered

    # --- expressions ------------------------------------------------------------------------------------------------

    def lowering(self, resolve: Callable[[str], Node] | None = None) -> Lowering:
        """A lowering in the scope of the whole spec, or another one."""
        return Lowering(self.graph, self.labels, resolve or self.resolve, self.known)

    def _fitting(self, node: Node, unit: Unit) -> Node:
        node = functions.number(self.graph, node)
        zero = node.constant and node.interval == (0.0, 0.0)
        if node.dimension != unit.dimension and not zero:
            hint = "convert it, or declare the unit that the expression has"
            if "gCO2e" in (str(unit.dimension), str(node.dimension)):
                hint = "carbon is CO2e mass, written gCO2e; a 'g' is a gram of matter; energy times intensity is carbon"
            raise Finding("unit-mismatch", f"{unit.text}, that is {unit.dimension}", str(node.dimension), hint)
        return self.graph.constant(0.0, unit.dimension) if zero and not node.index else node

    def quantifier(self, index: tuple[str, ...] | None, level: Level) -> Callable[[schema.ExpressionOrNumber, Unit], Node]:
        """A function that lowers a number in a unit, or an expression that must fit it, at most at a level.

        ``index`` is what the expression may run over; None allows everything.
        """

        def quantify(value: schema.ExpressionOrNumber, unit: Unit) -> Node:
            if isinstance(value, int | float):
                return self.graph.constant(value * unit.factor, unit.dimension)
            node = self._fitting(self.lowering().text(value), unit)
            self.at_most(node, level)
            if index is not None and not set(node.index) <= set(index):
                raise Finding(
                    "index-mismatch",
                    f"an expression over at most ({', '.join(index) or 'none'})",
                    f"({', '.join(node.index)})",
                    "declare the missing sets in 'index', or reduce over them",
                )
            return node

        return quantify

    def at_most(self, node: Node, level: Level) -> None:
        """Require that a value is known early enough.

        Raises:
            Finding: ``not-known-yet``.
        """
        if node.level > level:
            kind = {Level.DECISION: "a decision", Level.STATE: "a state"}.get(node.level, "a process or time")
            raise Finding(
                "not-known-yet", _WHEN[level], f"an expression that depends on {kind}", "use only what is known by then"
            )

    def _parameter(self, name: str, item: schema.Parameter, unit: Unit) -> Node:
        index = self.index(item.index)
        if item.sample is not None:
            draw, interval = distributions.lower(item.sample, unit, self.quantifier(index, Level.SCENARIO))
            interval = processes.bounded(interval, item.bounds, unit)
            node = self.graph.source("parameter", name, index, unit.dimension, interval, Level.SCENARIO)
            self.sampled.append(SampledParameter(name, node, draw))
            return node
        if item.expr is not None:
            return self.quantifier(index, Level.SCENARIO)(item.expr, unit)
        return self.graph.constant(self._values(item, index, unit), unit.dimension, index)

    def _values(self, item: schema.Parameter, index: tuple[str, ...], unit: Unit) -> Any:
        value: Any = item.value
        shape = self.graph.sizes(index)
        if isinstance(value, str):
            number, given = parse_quantity(value)
            if given.dimension != unit.dimension:
                raise Finding(
                    "unit-mismatch", f"a quantity in {unit.text}", f"'{shorten(value)}' ({given.dimension})", "mend the unit"
                )
            return np.full(shape, number * given.factor)
        try:
            array = np.array(value, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            raise Finding("bad-shape", f"numbers in shape {shape}", shorten(value), "one number for each element") from None
        if any(isinstance(v, bool | str) for v in _leaves(value)) or not np.isfinite(array).all():
            raise Finding("bad-value", "finite numbers", shorten(value), "write plain numbers in the declared unit")
        if array.shape == () and shape:
            array = np.full(shape, float(array))
        if array.shape != shape:
            raise Finding("bad-shape", f"numbers in shape {shape}", f"shape {array.shape}", "one number for each element")
        return array * unit.factor

    # --- the whole --------------------------------------------------------------------------------------------------

    def compile(self) -> Compiled:
        """Compile everything.

        Raises:
            SpecError: With all findings.
        """
        self._prepare()
        for name in self.known():
            with self.place(name):
                self.resolve(name)
        self.stop_if_refused()
        spec = self.spec
        carbon = self._scalar("objective.carbon", spec.objective.carbon.expr, spec.objective.carbon.unit, _GRAM)
        constraints = [plan for name, item in spec.constraints.items() if (plan := self._constraint(name, item))]
        metrics = [plan for name, item in spec.metrics.items() if (plan := self._metric(name, item))]
        observations = self._observations()
        heuristics = {name: self._heuristic(name, item) for name, item in spec.heuristics.items()}
        states = [plan for name, item in spec.states.items() if (plan := self._state(name, item))]
        self._check_references()
        self.stop_if_refused()
        assert carbon is not None
        lookahead = max((max(p.leads) for p in self.processes if p.leads), default=0)
        self._check_episode_size(lookahead)
        return Compiled(
            spec=spec,
            digest=digest(spec),
            graph=self.graph,
            labels=self.labels,
            step_s=self.step_s,
            sampled=tuple(self.sampled),
            processes=tuple(self.processes),
            lookahead=lookahead,
            states=tuple(states),
            decisions=tuple(self.decisions[name] for name in spec.decisions),
            carbon=carbon,
            penalty=self._penalty(constraints),
            terminal_during=self._total([(s.potential_next, s.potential_now) for s in states]),
            terminal_last=self._total([(s.terminal_cost, s.potential_now) for s in states]),
            constraints=tuple(constraints),
            metrics=tuple(metrics),
            observations=tuple(observations),
            heuristics=heuristics,
            named={name: (self._memo[name], unit) for name, unit in self._units.items()},
            clock={name: node for name, node in self._memo.items() if node.op == "time"},
        )

    def _prepare(self) -> None:
        """Sets, time step and uniqueness of names: what everything else stands on."""
        spec = self.spec
        sizes: dict[str, int] = {}
        for name, item in spec.sets.items():
            original = spec.sets.get(item.alias_of) if item.alias_of else item
            if original is None or original.alias_of:
                hint = nearest(item.alias_of or "", spec.sets)
                finding = Finding("unknown-name", "alias_of: a set", f"'{shorten(item.alias_of)}'", hint)
                self.found.append(finding.at(f"sets.{name}.alias_of"))
                continue
            labels = original.labels or [str(i) for i in range(original.size or 0)]
            if len(set(labels)) != len(labels):
                finding = Finding("yaml-duplicate", "each label once", shorten(labels), "rename one")
                self.found.append(finding.at(f"sets.{name}"))
            self.labels[name], sizes[name] = labels, len(labels)
        self.graph = Graph(sizes)
        with self.place("time.step"):
            self.step_s = processes.duration_s(spec.time.step)
            if not 1e-6 <= self.step_s <= 1e10:
                raise Finding("bad-value", "a time above 0", f"{self.step_s:g} s", "write for instance step: 5 min")
        seen = {**dict.fromkeys(TIME_NAMES, "built-in names"), **dict.fromkeys(DOMAIN_FUNCTIONS, "functions")}
        seen.update(dict.fromkeys(FUNCTIONS, "functions"))
        for section in ("sets", "parameters", "processes", "states", "decisions", "equations"):
            for name in getattr(spec, section):
                if name in seen:
                    finding = Finding("name-taken", "a name of its own", f"'{name}', also in {seen[name]}", "rename it")
                    self.found.append(finding.at(f"{section}.{name}"))
                seen[name] = section
        self.stop_if_refused()

    def _scalar(self, path: str, expr: str, unit: str, must_fit: Unit | None = None) -> Node | None:
        with self.place(f"{path}.expr"):
            node = self._fitting(self.lowering().text(expr), parse_unit(unit))
            if must_fit is not None:
                node = self._fitting(node, must_fit)
            if node.index:
                raise Finding(
                    "index-mismatch", "one number", f"an index over ({', '.join(node.index)})", "sum(…, set) it"
                )
            return node
        return None

    def _constraint(self, name: str, item: schema.Constraint) -> ConstraintPlan | None:
        with self.place(f"constraints.{name}.expr"):
            unit = parse_unit(item.unit)
            node = self._fitting(self.lowering().text(item.expr), unit)
            excess = functions.FUNCTIONS["max"].build(self.graph, node, self.graph.constant(0.0))
            total = functions.total(self.graph, excess, *excess.index)
            violation = functions.divided(self.graph, total, self.graph.constant(unit.factor, unit.dimension))
            return ConstraintPlan(name, unit, violation, item.penalty)
        return None

    def _penalty(self, constraints: list[ConstraintPlan]) -> Node:
        total = self.graph.constant(0.0, _GRAM.dimension)
        for plan in constraints:
            price = self.graph.constant(plan.penalty_g, _GRAM.dimension)
            total = functions.plus(self.graph, total, functions.times(self.graph, plan.violation, price))
        return total

    def _total(self, differences: list[tuple[Node | None, Node | None]]) -> Node | None:
        """The sum of a - b over pairs, where a missing part counts as 0; None when all are missing."""
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
            with self.place(f"observe.{name}"):
                unit = parse_unit(item.unit)
                shown = self._fitting(self.lowering().text(item.expr), unit)
                self.at_most(shown, Level.STATE)
                node = self._scaled(shown, item, unit)
                count = int(np.prod(self.graph.sizes(node.index)))
                plans.append(ObservationPlan(name, unit, node, shown, offset, count))
                offset += count
        return plans

    def _scaled(self, node: Node, item: schema.Observation, unit: Unit) -> Node:
        graph = self.graph
        plain = functions.divided(graph, node, graph.constant(unit.factor, unit.dimension))
        low, high = item.linear or item.log or [0.0, 1.0]
        if low >= high or (item.log and low <= 0):
            raise Finding("bad-bounds", "low < high (above 0 for log)", f"[{low:g}, {high:g}]", "mend the range")
        if item.log:
            plain = graph.elementwise("log", plain, dimension=_ONE.dimension)
            low, high = math.log(low), math.log(high)
        centred = functions.minus(graph, plain, graph.constant((low + high) / 2))
        return functions.times(graph, centred, graph.constant(2 / (high - low)))

    def _heuristic(self, name: str, item: schema.Heuristic) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        for decision in self.spec.decisions:
            path = f"heuristics.{name}.decisions.{decision}"
            with self.place(path):
                if decision not in item.decisions:
                    raise Finding("missing-key", f"an expression for '{decision}'", "nothing", "a policy sets every decision")
                plan = self.decisions[decision]
                node = self._fitting(self.lowering().text(item.decisions[decision]), self._units[decision])
                self.at_most(node, Level.STATE)
                if not set(node.index) <= set(plan.node.index):
                    raise Finding("index-mismatch", f"index {list(plan.node.index)}", f"{list(node.index)}", "reduce it")
                nodes[decision] = node
        for extra in set(item.decisions) - set(self.spec.decisions):
            hint = nearest(extra, self.spec.decisions)
            finding = Finding("unknown-name", "a decision", f"'{shorten(extra)}'", hint)
            self.found.append(finding.at(f"heuristics.{name}.decisions.{shorten(extra, 48)}"))
        return nodes

    def _state(self, name: str, item: schema.State) -> StatePlan | None:
        path, unit, node = f"states.{name}", self._units[name], self._memo[name]
        with self.place(f"{path}.init"):
            init = self.quantifier(node.index, Level.SCENARIO)(item.init, unit)
            self._within(init, node, "the initial value")
            with self.place(f"{path}.next"):
                following = self._fitting(self.lowering().text(item.next), unit)
                if not set(following.index) <= set(node.index):
                    raise Finding("index-mismatch", f"index {list(node.index)}", f"{list(following.index)}", "reduce it")
                self._within(following, node, "the next value")
                with self.place(f"{path}.terminal"):
                    return StatePlan(name, node, init, following, *self._terminal(name, item, following))
        return None

    def _within(self, value: Node, state: Node, what: str) -> None:
        (low, high), (a, b) = state.interval, value.interval
        slack = 1e-9 * max(abs(low), abs(high), 1e-30)
        if a < low - slack or b > high + slack:
            raise Finding(
                "leaves-bounds",
                f"{what} between {low:.6g} and {high:.6g} (in base units)",
                f"one that may be {a:.6g} … {b:.6g}",
                "end it with clip(…, low, high), and make the physics respect the bounds before that",
            )

    def _terminal(self, name: str, item: schema.State, following: Node) -> tuple[Node | None, Node | None, Node | None]:
        if item.terminal is None:
            return None, None, None

        def at(state: Node) -> Lowering:
            return self.lowering(lambda other: state if other == name else self.resolve(other))

        def grams(text: str, state: Node) -> Node:
            node = self._fitting(at(state).text(text), _GRAM)
            return functions.total(self.graph, node, *node.index)

        potential = item.terminal.potential
        self.at_most(grams(item.terminal.cost, self._memo[name]), Level.STATE)
        return (
            grams(item.terminal.cost, following),
            grams(potential, self._memo[name]) if potential else None,
            grams(potential, following) if potential else None,
        )

    def _check_references(self) -> None:
        """What must exist by name: the energy metric and the functional unit's metric."""
        metrics = self.spec.metrics
        if "energy" not in metrics:
            finding = Finding("missing-key", "a metric 'energy'", "none", "add energy: {unit: J, expr: …}")
            self.found.append(finding.at("metrics"))
        elif parse_unit(metrics["energy"].unit).dimension != _ENERGY.dimension:
            finding = Finding("unit-mismatch", "an energy", metrics["energy"].unit, "give it in J or kWh")
            self.found.append(finding.at("metrics.energy.unit"))
        functional = self.spec.meta.functional_unit
        if functional is not None and functional.metric not in metrics:
            finding = Finding("unknown-name", "a metric", f"'{shorten(functional.metric)}'", nearest(functional.metric, metrics))
            self.found.append(finding.at("meta.functional_unit.metric"))

    def _check_episode_size(self, lookahead: int) -> None:
        steps = self.spec.time.horizon + lookahead
        elements = sum(int(np.prod(self.graph.sizes(p.node.index))) for p in self.processes) * steps
        if elements > MAX_EPISODE_ELEMENTS:
            finding = Finding(
                "budget", f"at most {MAX_EPISODE_ELEMENTS} process values an episode", f"{elements}", "shorten the horizon"
            )
            raise SpecError([finding.at("time.horizon")])


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def compile_spec(spec: schema.Spec) -> Compiled:
    """Compile a spec of the right shape.

    Raises:
        SpecError: With everything that was found.
    """
    compiler = Compiler(spec)
    try:
        return compiler.compile()
    except RecursionError:
        finding = Finding("too-deep", "a flat spec", "too deep a nesting of definitions", "shorten the chains")
        raise SpecError([finding.at("document")]) from None
