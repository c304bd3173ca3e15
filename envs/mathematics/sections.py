"""A spec as a document of headings, sentences, formulas and tables, not yet written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from envs.compiler.fields import DOMAIN_FUNCTIONS
from envs.mathematics import tree as t
from envs.mathematics.blocks import Block, Cell, Equation, Heading, Paragraph, Source, Table
from envs.mathematics.formulas import Formulas
from envs.mathematics.laws import law_of_parameter, law_of_process, value_of
from envs.mathematics.names import Names
from envs.mathematics.prose import plain_number, unit_text
from envs.problem import Problem
from envs.spec.expressions import (
    Call,
    Expression,
    functions_in,
    names_in,
    parse,
)

_PLUS, _EQUALS = t.Operator("+", "+"), t.Operator("=", "=")
_LESS = t.Operator(r"\le", "≤")
_NEXT = t.Row((t.Letter("t"), _PLUS, t.Number("1")))


class Document:
    """The document of one problem.

    Attributes:
        title: Plain words.
        summary: Plain words.
        blocks: Everything else, in order.
    """

    def __init__(self, problem: Problem) -> None:
        """Write it."""
        self._problem, self._spec = problem, problem.spec
        self._names = Names(problem)
        self._formulas = Formulas(self._names)
        self.title = problem.title or problem.name
        self.summary = problem.summary
        self.blocks: tuple[Block, ...] = tuple(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        yield from self._time()
        yield from self._objective()
        yield from self._constraints()
        yield from self._sets()
        yield from self._decisions()
        yield from self._states()
        yield from self._equations()
        yield from self._processes()
        yield from self._parameters()
        yield from self._reported()
        yield from self._heuristics()
        yield from self._field_formulas()
        yield from self._splits()
        yield from self._origin()

    def _time(self) -> Iterator[Block]:
        problem, time = self._problem, self._spec.time
        step = value_of(time.step, "s", self._formulas)
        steps = "one step" if problem.horizon == 1 else f"{problem.horizon} steps"
        end = "" if problem.horizon == 1 else f", from {time.start}"
        yield Paragraph((f"{problem.id}. An episode has {steps} of ", step, f"{end}."))
        unit = problem.functional_unit
        if unit:
            yield Paragraph((f"The score is expressed per {unit[0]}.",))

    def _objective(self) -> Iterator[Block]:
        yield Heading("Objective")
        total = t.Row(
            (
                t.Under(t.Word("min"), t.Row(self._joined(self._spec.decisions))),
                t.Under(t.Operator(r"\sum", "∑"), t.Letter("t")),
                t.Fenced("(", t.Row((self._carbon(), _PLUS, t.Word("penalties"))), ")"),
            )
        )
        yield Equation(total, "gCO2e")
        item = self._spec.objective.carbon
        formula = self._formulas.equation(self._carbon(), parse(item.expr))
        yield Equation(formula, item.unit, item.summary)

    @staticmethod
    def _carbon() -> t.Formula:
        return t.Word("carbon")

    def _joined(self, names: Any) -> tuple[t.Formula, ...]:
        parts: list[t.Formula] = []
        for name in names:
            parts += [t.Operator(",", ",")] if parts else []
            parts.append(self._names.symbol(name, {}))
        return tuple(parts)

    def _constraints(self) -> Iterator[Block]:
        if not self._spec.constraints:
            return
        yield Heading("Constraints")
        yield Paragraph(
            (
                "What is violated is summed over elements and steps and priced in grams of CO₂e, "
                "a part of the score.",
            )
        )
        for name, item in self._spec.constraints.items():
            price = f"{item.penalty:g} gCO₂e per {unit_text(item.unit) or '1'}"
            words = f": {item.summary}" if item.summary else ""
            yield Equation(self._at_most_zero(parse(item.expr)), "", f"{name}, {price}{words}")

    def _at_most_zero(self, expression: Expression) -> t.Formula:
        """``a - b <= 0`` reads as ``a <= b``."""
        f = self._formulas
        if isinstance(expression, Call) and expression.function == "-":
            a, b = expression.arguments
            return t.Row((f.formula(a), _LESS, f.formula(b)))
        return t.Row((f.formula(expression), _LESS, t.Number("0")))

    def _sets(self) -> Iterator[Block]:
        if not self._spec.sets:
            return
        yield Heading("Sets")
        rows: list[tuple[Cell, ...]] = []
        for name, item in self._spec.sets.items():
            if item.alias_of:
                elements = f"another letter for {item.alias_of}"
            elif item.labels:
                elements = ", ".join(item.labels)
            else:
                elements = f"0 … {item.size - 1}" if item.size > 1 else "0"
            rows.append(((self._names.sets[name],), (name,), (elements,)))
        yield Table(("letter", "set", "elements"), tuple(rows))

    def _decisions(self) -> Iterator[Block]:
        yield Heading("Decisions")
        rows: list[tuple[Cell, ...]] = []
        for name, item in self._spec.decisions.items():
            words = {"log": "by equal ratios", "integer": "whole numbers"}.get(item.kind, "")
            if item.kind == "simplex":
                span: Cell = (f"shares that sum to 1 over {item.simplex}",)
            else:
                low, high = item.box or item.log or item.integer
                span = (
                    f"{plain_number(low)} … {plain_number(high)} {unit_text(item.unit)}".rstrip(),
                )
            note = ", ".join(part for part in (words, item.summary) if part)
            rows.append(((self._names.symbol(name, {}),), span, (note,)))
        yield Table(("symbol", "range", ""), tuple(rows))

    def _states(self) -> Iterator[Block]:
        if not self._spec.states:
            return
        yield Heading("States")
        for name, item in self._spec.states.items():
            now = self._names.symbol(name, {})
            after = self._names.symbol(name, {}, _NEXT)
            low, high = item.bounds
            span = f"{plain_number(low)} … {plain_number(high)} {unit_text(item.unit)}".rstrip()
            words = f", {item.summary}" if item.summary else ""
            yield Paragraph(
                (
                    now,
                    f" in {span}{words}, starts at ",
                    value_of(item.init, item.unit, self._formulas),
                )
            )
            yield Equation(self._formulas.equation(after, parse(item.next)), item.unit)
            if item.terminal:
                left = t.Word("final cost")
                formula = self._formulas.equation(left, parse(item.terminal.cost))
                yield Equation(formula, "gCO2e", f"of {name} after the last step")
                if item.terminal.potential:
                    formula = self._formulas.equation(
                        t.Letter("phi"), parse(item.terminal.potential)
                    )
                    yield Equation(formula, "gCO2e", "the potential that spreads it over the steps")

    def _equations(self) -> Iterator[Block]:
        if not self._spec.equations:
            return
        yield Heading("Equations")
        yield Paragraph(
            (
                "All at one time; where another is meant it stands behind the indices. A condition "
                "in brackets is 1 where it holds and 0 elsewhere.",
            )
        )
        for name in self._in_order():
            item = self._spec.equations[name]
            left = self._names.symbol(name, {})
            note = "; ".join(part for part in (item.summary, item.source or "") if part)
            yield Equation(self._formulas.equation(left, parse(item.expr)), item.unit, note)

    def _in_order(self) -> list[str]:
        """Equations after what they are made of."""
        done: list[str] = []

        def visit(name: str) -> None:
            if name in done:
                return
            for other in names_in(parse(self._spec.equations[name].expr)):
                if other in self._spec.equations:
                    visit(other)
            done.append(name)

        for name in self._spec.equations:
            visit(name)
        return done

    def _processes(self) -> Iterator[Block]:
        if not self._spec.processes:
            return
        yield Heading("What happens from outside")
        rows: list[tuple[Cell, ...]] = []
        derived: list[Block] = []
        for name, item in self._spec.processes.items():
            note = "; ".join(part for part in (item.summary, item.source or "") if part)
            if item.kind == "expr":
                left = self._names.symbol(name, {})
                formula = self._formulas.equation(left, parse(item.expr))
                derived.append(Equation(formula, item.unit, note))
            else:
                law = law_of_process(item, self._formulas)
                rows.append(((self._names.symbol(name, {}),), law, (note,)))
        if rows:
            yield Table(("symbol", "law", ""), tuple(rows))
        yield from derived

    def _parameters(self) -> Iterator[Block]:
        if not self._spec.parameters:
            return
        yield Heading("Parameters")
        rows: list[tuple[Cell, ...]] = []
        derived: list[Block] = []
        for name, item in self._spec.parameters.items():
            note = "; ".join(part for part in (item.summary, item.source or "") if part)
            symbol = self._names.symbol(name, {})
            if item.expr is not None:
                formula = self._formulas.equation(symbol, parse(item.expr))
                derived.append(Equation(formula, item.unit, note))
            else:
                rows.append(((symbol,), law_of_parameter(item, self._formulas), (note,)))
        if rows:
            yield Table(("symbol", "value", "source"), tuple(rows))
        yield from derived

    def _reported(self) -> Iterator[Block]:
        yield Heading("What is reported, and what is observed")
        rows: list[tuple[Cell, ...]] = [
            (
                (name,),
                (self._formulas.formula(parse(item.expr)),),
                (
                    " ".join(
                        part for part in (item.reduce, "in", unit_text(item.unit) or "1") if part
                    ),
                ),
            )
            for name, item in self._spec.metrics.items()
        ]
        yield Table(("metric", "of each step", "over the episode"), tuple(rows))
        seen: list[tuple[Cell, ...]] = []
        for name, item in self._spec.observe.items():
            low, high = item.linear or item.log
            scale = " by equal ratios" if item.log else ""
            span = f"{plain_number(low)} … {plain_number(high)} {unit_text(item.unit)}".rstrip()
            seen.append(((name,), (self._formulas.formula(parse(item.expr)),), (span + scale,)))
        yield Table(("observation", "is", "shown as −1 … 1 from"), tuple(seen))

    def _heuristics(self) -> Iterator[Block]:
        if not self._spec.heuristics:
            return
        yield Heading("Rules")
        for name, item in self._spec.heuristics.items():
            yield Paragraph((f"{name}: {item.summary}" if item.summary else name,))
            for decision, text in item.decisions.items():
                left = self._names.symbol(decision, {})
                yield Equation(self._formulas.equation(left, parse(text)))

    def _field_formulas(self) -> Iterator[Block]:
        used = {name for text in self._texts() for name in functions_in(parse(text))}
        known = [f for name, f in DOMAIN_FUNCTIONS.items() if name in used]
        if not known:
            return
        yield Heading("Formulas of the field")
        for f in known:
            yield Source(str(f), f.latex, f"{f.summary} ({f.source})")

    def _texts(self) -> Iterator[str]:
        def texts(value: Any) -> Iterator[str]:
            if isinstance(value, dict):
                for key, item in value.items():
                    if key in ("expr", "next", "init", "cost", "potential") and isinstance(
                        item, str
                    ):
                        yield item
                    elif key == "decisions" and all(isinstance(v, str) for v in item.values()):
                        yield from item.values()
                    else:
                        yield from texts(item)

        yield from texts(self._spec.model_dump(exclude_none=True, exclude={"provenance", "splits"}))

    def _splits(self) -> Iterator[Block]:
        for name, split in self._spec.splits.items():
            yield Heading(f"The shifted split {name}")
            if split.summary:
                yield Paragraph((split.summary,))
            rows = tuple(
                ((item,), (_compact(change),))
                for section in (split.parameters, split.processes)
                for item, change in section.items()
            )
            yield Table(("what", "becomes"), rows)

    def _origin(self) -> Iterator[Block]:
        yield Heading("Where it comes from")
        for source in self._spec.meta.sources:
            yield Paragraph((source,))
        for line in _lines(self._spec.provenance):
            yield Paragraph((line,))
        yield Paragraph((f"Digest {self._problem.digest}",))


def _compact(change: Any) -> str:
    return json.dumps(change, ensure_ascii=False).replace('"', "").strip("{}")


def _lines(value: Any, lead: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _lines(item, f"{lead}{key}: ")
    elif isinstance(value, list):
        for item in value:
            yield from _lines(item, lead)
    elif value is not None:
        yield f"{lead}{value}"
