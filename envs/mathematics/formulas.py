"""From expressions of the language to typeset formulas."""

from __future__ import annotations

from envs.mathematics import tree as t
from envs.mathematics.names import Names
from envs.mathematics.operators import (
    ATOM,
    CLOSE,
    COMMA,
    EQUALS,
    LONG,
    MINUS,
    OPEN,
    OPERATORS,
    PLUS,
    PRODUCT,
    QUAD,
    RELATIONS,
    SPECIAL,
    SUM,
    UNARY,
    Below,
    quantity,
    width,
)
from envs.mathematics.prose import number_text
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity


class Formulas:
    """Typesets the expressions of one spec."""

    def __init__(self, names: Names) -> None:
        """Use the symbols of a spec."""
        self.names = names

    def equation(self, left: t.Formula, expression: Expression) -> t.Formula:
        """``left = expression``, on several lines where it is long."""
        lines = self._lines(expression)
        if lines is not None:
            return t.Lines(left, lines)
        return t.Row((left, EQUALS, self.formula(expression)))

    def _lines(self, expression: Expression) -> tuple[t.Formula, ...] | None:
        """A long sum by its summands, a long choice by its arguments; None for others."""
        if width(expression) <= LONG:
            return None
        match expression:
            case Call(("min" | "max" | "clip") as name, arguments):
                return self._by_argument(name, arguments)
            case Call("+" | "-", _):
                return self._by_summand(expression)
        return None

    def _by_argument(self, name: str, arguments: tuple[Expression, ...]) -> tuple[t.Formula, ...]:
        lines: list[t.Formula] = [t.Row((t.Word(name), OPEN))]
        for argument in arguments:
            inner = self._lines(argument) or (self.formula(argument),)
            end = COMMA if argument is not arguments[-1] else CLOSE
            lines += [t.Row((QUAD, line)) for line in inner[:-1]]
            lines.append(t.Row((QUAD, inner[-1], end)))
        return tuple(lines)

    def _by_summand(self, expression: Expression) -> tuple[t.Formula, ...]:
        terms: list[tuple[str, Expression]] = []

        def gather(node: Expression, sign: str) -> None:
            match node:
                case Call("+", (a, b)):
                    gather(a, sign)
                    gather(b, sign)
                case Call("-", (a, b)):
                    gather(a, sign)
                    gather(b, "-" if sign == "+" else "+")
                case _:
                    terms.append((sign, node))

        gather(expression, "+")
        lines: list[list[t.Formula]] = [[]]
        taken = 0
        for sign, node in terms:
            if lines[-1] and taken + width(node) > LONG:
                lines.append([])
                taken = 0
            taken += width(node)
            if sign == "-" or len(lines) > 1 or lines[-1]:
                lines[-1].append(MINUS if sign == "-" else PLUS)
            lines[-1].append(self.at(node, PRODUCT, {}))
        return tuple(t.Row(tuple(line)) for line in lines)

    def formula(self, expression: Expression, below: Below | None = None) -> t.Formula:
        """An expression on one line."""
        return self.typeset(expression, below or {})[0]

    def at(self, expression: Expression, level: int, below: Below) -> t.Formula:
        """An expression in parentheses where it binds less than its place asks for."""
        formula, own = self.typeset(expression, below)
        return formula if own >= level else t.Fenced("(", formula, ")")

    def typeset(self, expression: Expression, below: Below) -> tuple[t.Formula, int]:
        """An expression and how tightly it binds."""
        match expression:
            case Number(value):
                return t.Number(number_text(value)), ATOM if value >= 0 else UNARY
            case Quantity(value, unit):
                return quantity(value, unit.text), PRODUCT if unit.text != "1" else ATOM
            case Name(name):
                return self.names.symbol(name, below), ATOM
            case Element(of, label):
                return self._element(of, label, below), ATOM
            case Call(function, arguments):
                return self._call(function, arguments, below)

    def _call(
        self, function: str, arguments: tuple[Expression, ...], below: Below
    ) -> tuple[t.Formula, int]:
        if function in RELATIONS:
            return self.truth(Call(function, arguments), below), ATOM
        operator = OPERATORS.get(function)
        if operator is not None:
            return operator(self, arguments, below)
        special = SPECIAL.get(function)
        if special is not None:
            return special(self, arguments, below)
        # A function's name is one thing, unlike that of a quantity, which has subscripts.
        name = t.Word(function.replace("_", " "))
        return self.applied(name, [self._argument(a, below) for a in arguments]), ATOM

    def _argument(self, argument: Expression, below: Below) -> t.Formula:
        if isinstance(argument, Name) and argument.name in self.names.sets:
            return self.names.index(argument.name, below)
        return self.formula(argument, below)

    def applied(self, name: t.Formula, arguments: list[t.Formula]) -> t.Formula:
        """A name with arguments in parentheses."""
        parts: list[t.Formula] = []
        for argument in arguments:
            parts += [COMMA, argument] if parts else [argument]
        return t.Row((name, t.Fenced("(", t.Row(tuple(parts)), ")")))

    def _element(self, of: Expression, label: str | int, below: Below) -> t.Formula:
        index = self.names.index_of(of)
        over = [s for s in index if not isinstance(label, str) or label in self.names.labels[s]]
        if over and isinstance(of, Name):
            return self.formula(of, {**below, over[0]: t.Text(str(label))})
        inner = self.at(of, ATOM, below)
        return t.Script(t.Fenced("[", inner, "]"), t.Text(str(label)))

    def truth(self, expression: Expression, below: Below) -> t.Formula:
        """A condition as a number: Iverson's bracket."""
        return t.Fenced("[", self.condition(expression, below), "]")

    def condition(self, expression: Expression, below: Below) -> t.Formula:
        """A condition, as it stands behind *if*."""
        match expression:
            case Call(("and" | "or") as word, parts):
                sign = t.Operator(r"\land", "∧") if word == "and" else t.Operator(r"\lor", "∨")
                row: list[t.Formula] = []
                for part in parts:
                    row += [sign] if row else []
                    row.append(self.condition(part, below))
                return t.Row(tuple(row))
            case Call("not", (inner,)):
                return t.Row(
                    (t.Operator(r"\lnot", "¬"), t.Fenced("(", self.condition(inner, below), ")"))
                )
            case Call(relation, (a, b)) if relation in RELATIONS:
                return t.Row((self.at(a, SUM, below), RELATIONS[relation], self.at(b, SUM, below)))
        return t.Row((self.at(expression, SUM, below), RELATIONS["!="], t.Number("0")))

    def letters(self, sets: tuple[Expression, ...], below: Below) -> t.Formula:
        """The letters of sets, as they stand below a sum."""
        parts: list[t.Formula] = []
        for one in sets:
            assert isinstance(one, Name)
            parts += [COMMA] if parts else []
            parts.append(self.names.index(one.name, {}))
        return t.Row(tuple(parts)) if len(parts) > 1 else parts[0]
