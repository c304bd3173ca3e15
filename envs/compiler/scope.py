"""Names: what each stands for, resolved on demand, and the expressions that use them.

Definitions may stand in any order; a name that needs itself is a cycle. One item's failure does not
hide another's, and is not repeated by those that use it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import TracebackType
from typing import Any

from envs.compiler import decisions as decision_plans
from envs.compiler import functions, parameters, processes
from envs.compiler.fields import DOMAIN_FUNCTIONS
from envs.compiler.functions import FUNCTIONS
from envs.compiler.graph import Graph, Level, Node
from envs.compiler.lowering import Lowering
from envs.compiler.model import DecisionPlan, ProcessPlan, SampledParameter
from envs.spec import schema
from envs.spec.diagnostics import Diagnostic, Finding, SpecError, nearest, shorten
from envs.spec.units import Unit, parse_unit
from envs.traces import Access

_ONE, _SECOND = parse_unit("1"), parse_unit("s")

TIME_NAMES = ("time_step", "step_index", "hour_of_day", "day_index", "time_remaining", "pi")

_WHEN = {
    Level.SCENARIO: "a constant or a parameter",
    Level.EXOGENOUS: "something that does not depend on states or decisions",
    Level.STATE: "something known before the decision",
    Level.CONSTANT: "a constant",
}


class _Poisoned(Exception):
    """A name whose own definition was refused and reported already."""


class _Place:
    """Reports findings raised inside under a path; what is poisoned was reported already."""

    def __init__(self, found: list[Diagnostic], path: str) -> None:
        self._found, self._path = found, path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Finding):
            self._found.append(error.at(self._path))
        return isinstance(error, Finding | _Poisoned)


class Scope:
    """The names of one spec and their nodes.

    Attributes:
        spec: The document.
        access: What its traces may read.
        found: All diagnostics so far.
        graph: Where nodes are made.
        labels: The labels of each set.
        step_s: Length of a time step.
        sampled: Parameters drawn once per scenario, in order of dependence.
        processes: Processes in order of dependence.
        decisions: Decisions by name.
        units: Declared unit of each resolved name.
        nodes: Resolved names.
    """

    def __init__(self, spec: schema.Spec, access: Access) -> None:
        """Check sets, time step and uniqueness of names: what everything else stands on.

        Raises:
            SpecError: When any of them is refused.
        """
        self.spec = spec
        self.access = access
        self.found: list[Diagnostic] = []
        self.labels: dict[str, list[str]] = {}
        self.graph = Graph({})
        self.step_s = 1.0
        self.nodes: dict[str, Node] = {}
        self.units: dict[str, Unit] = {}
        self.sampled: list[SampledParameter] = []
        self.processes: list[ProcessPlan] = []
        self.decisions: dict[str, DecisionPlan] = {}
        self._poisoned: set[str] = set()
        self._active: list[str] = []
        self._prepare()

    def _prepare(self) -> None:
        """Sets, time step and uniqueness of names: what everything else stands on."""
        spec = self.spec
        sizes: dict[str, int] = {}
        for name, item in spec.sets.items():
            original = spec.sets.get(item.alias_of) if item.alias_of else item
            if original is None or original.alias_of:
                hint = nearest(item.alias_of or "", spec.sets)
                finding = Finding(
                    "unknown-name", "alias_of: a set", f"'{shorten(item.alias_of)}'", hint
                )
                self.found.append(finding.at(f"sets.{name}.alias_of"))
                continue
            labels = original.labels or [str(i) for i in range(original.size or 0)]
            if len(set(labels)) != len(labels):
                finding = Finding(
                    "yaml-duplicate", "each label once", shorten(labels), "rename one"
                )
                self.found.append(finding.at(f"sets.{name}"))
            self.labels[name], sizes[name] = labels, len(labels)
        self.graph = Graph(sizes)
        with self.place("time.step"):
            self.step_s = processes.duration_s(spec.time.step)
            if not 1e-6 <= self.step_s <= 1e10:
                raise Finding(
                    "bad-value",
                    "a time above 0",
                    f"{self.step_s:g} s",
                    "write for instance step: 5 min",
                )
        seen = {
            **dict.fromkeys(TIME_NAMES, "built-in names"),
            **dict.fromkeys(DOMAIN_FUNCTIONS, "functions"),
        }
        seen.update(dict.fromkeys(FUNCTIONS, "functions"))
        for section in ("sets", "parameters", "processes", "states", "decisions", "equations"):
            for name in getattr(spec, section):
                if name in seen:
                    finding = Finding(
                        "name-taken",
                        "a name of its own",
                        f"'{name}', also in {seen[name]}",
                        "rename it",
                    )
                    self.found.append(finding.at(f"{section}.{name}"))
                seen[name] = section
        self.stop_if_refused()

    def place(self, path: str) -> _Place:
        """Report findings raised inside under a path, and go on."""
        return _Place(self.found, path)

    def stop_if_refused(self) -> None:
        """Raise everything that was found so far."""
        if self.found:
            raise SpecError(self.found)

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
        if name in self.nodes:
            return self.nodes[name]
        if name in self._poisoned:
            raise _Poisoned
        if name in TIME_NAMES:
            self.nodes[name] = self._time(name)
            return self.nodes[name]
        section, item = self._definition(name)
        if name in self._active:
            chain = " -> ".join([*self._active[self._active.index(name) :], name])
            raise Finding(
                "cycle",
                "definitions without a cycle",
                shorten(chain, 200),
                "only a state may depend on its own past",
            )
        if len(self._active) > 200:
            raise Finding(
                "too-deep", "chains of at most 200 definitions", "a longer one", "shorten the chain"
            )
        self._active.append(name)
        depth = len(self.found)
        try:
            with self.place(f"{section}.{name}"):
                self.nodes[name] = self._define(name, section, item)
        finally:
            self._active.pop()
        if len(self.found) > depth or name not in self.nodes:
            self._poisoned.add(name)
            raise _Poisoned
        return self.nodes[name]

    def _definition(self, name: str) -> tuple[str, Any]:
        for section in ("parameters", "processes", "states", "decisions", "equations"):
            items = getattr(self.spec, section)
            if name in items:
                return section, items[name]
        raise KeyError(name)

    def _define(self, name: str, section: str, item: Any) -> Node:
        unit = parse_unit(item.unit)
        self.units[name] = unit
        match section:
            case "parameters":
                return parameters.node(self, name, item, unit)
            case "processes":
                plan = processes.plan(self, name, item)
                self.processes.append(plan)
                return plan.node
            case "states":
                low, high = (bound * unit.factor for bound in item.bounds)
                if low > high:
                    raise Finding(
                        "bad-bounds", "bounds: [low, high]", f"{item.bounds}", "swap the two ends"
                    )
                return self.graph.source(
                    "state", name, self.index(item.index), unit.dimension, (low, high), Level.STATE
                )
            case "decisions":
                self.decisions[name] = decision_plans.plan(self, name, item, unit)
                return self.decisions[name].node
            case _:
                node = self.fitting(self.lowering().text(item.expr), unit)
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
        return self.graph.source(
            "time", name, (), unit.dimension, interval, Level.EXOGENOUS, batched=False
        )

    def index(self, names: list[str]) -> tuple[str, ...]:
        """A written index in canonical order.

        Raises:
            Finding: ``unknown-name`` or ``index-mismatch``.
        """
        for name in names:
            if name not in self.graph.sets:
                raise Finding(
                    "unknown-name",
                    "the name of a set",
                    f"'{shorten(name)}'",
                    nearest(name, self.graph.sets),
                )
        ordered = self.graph.joined(tuple(names))
        self.graph.charge(ordered)
        if tuple(names) != ordered:
            raise Finding(
                "index-mismatch",
                f"sets once each, in the order of 'sets': {list(ordered)}",
                f"{names}",
                "reorder it",
            )
        return ordered

    def lowering(self, resolve: Callable[[str], Node] | None = None) -> Lowering:
        """A lowering in the scope of the whole spec, or another one."""
        return Lowering(self.graph, self.labels, resolve or self.resolve, self.known)

    def fitting(self, node: Node, unit: Unit) -> Node:
        """Require that a value has the dimension of a unit; a literal 0 fits all.

        Raises:
            Finding: ``unit-mismatch``.
        """
        node = functions.number(self.graph, node)
        zero = functions.is_zero(node)
        if node.dimension != unit.dimension and not zero:
            hint = "convert it, or declare the unit that the expression has"
            if "gCO2e" in (str(unit.dimension), str(node.dimension)):
                hint = (
                    "carbon is CO2e mass, written gCO2e; a 'g' is a gram of matter; "
                    "energy times intensity is carbon"
                )
            raise Finding(
                "unit-mismatch", f"{unit.text}, that is {unit.dimension}", str(node.dimension), hint
            )
        return self.graph.constant(0.0, unit.dimension) if zero else node

    def quantifier(
        self, index: tuple[str, ...] | None, level: Level
    ) -> Callable[[schema.ExpressionOrNumber, Unit], Node]:
        """A function that lowers a number in a unit, or an expression that fits it, up to a level.

        ``index`` is what the expression may run over; None allows everything.
        """

        def quantify(value: schema.ExpressionOrNumber, unit: Unit) -> Node:
            if isinstance(value, int | float):
                return self.graph.constant(value * unit.factor, unit.dimension)
            node = self.fitting(self.lowering().text(value), unit)
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
            kind = {Level.DECISION: "a decision", Level.STATE: "a state"}.get(
                node.level, "a process or time"
            )
            raise Finding(
                "not-known-yet",
                _WHEN[level],
                f"an expression that depends on {kind}",
                "use only what is known by then",
            )
