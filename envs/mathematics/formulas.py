"""From expressions of the language to typeset formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from envs.mathematics import tree as t
from envs.mathematics.names import Names
from envs.mathematics.prose import number_text, unit_text
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(9)
_LONG = 64
"""Characters of a formula beyond which a sum is broken into lines."""

_RELATIONS = {
    "<": t.Operator("<", "<"),
    "<=": t.Operator(r"\le", "≤"),
    ">": t.Operator(">", ">"),
    ">=": t.Operator(r"\ge", "≥"),
    "==": t.Operator("=", "="),
    "!=": t.Operator(r"\ne", "≠"),
}
_PLUS, _MINUS, _DOT = t.Operator("+", "+"), t.Operator("-", "−"), t.Operator(r"\cdot", "⋅")
_COMMA, _EQUALS = t.Operator(",", ","), t.Operator("=", "=")
_OPEN, _CLOSE, _QUAD = t.Operator("(", "("), t.Operator(")", ")"), t.Operator(r"\quad", "")
_SIGMA, _PI = t.Operator(r"\sum", "∑"), t.Operator(r"\prod", "∏")
_PLAIN = {"min", "max", "clip", "exp", "log", "sin", "cos", "tanh", "sign", "mod", "floor", "ceil"}

Below = Mapping[str, t.Formula]
"""What stands for a set in subscripts, where that is not its own letter."""


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
        return t.Row((left, _EQUALS, self.formula(expression)))

    def _lines(self, expression: Expression) -> tuple[t.Formula, ...] | None:
        """A long sum by its summands, a long choice by its arguments; None for others."""
        if _width(expression) <= _LONG:
            return None
        match expression:
            case Call(("min" | "max" | "clip") as name, arguments):
                return self._by_argument(name, arguments)
            case Call("+" | "-", _):
                return self._by_summand(expression)
        return None

    def _by_argument(self, name: str, arguments: tuple[Expression, ...]) -> tuple[t.Formula, ...]:
        lines: list[t.Formula] = [t.Row((t.Word(name), _OPEN))]
        for argument in arguments:
            inner = self._lines(argument) or (self.formula(argument),)
            end = _COMMA if argument is not arguments[-1] else _CLOSE
            lines += [t.Row((_QUAD, line)) for line in inner[:-1]]
            lines.append(t.Row((_QUAD, inner[-1], end)))
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
        width = 0
        for sign, node in terms:
            if lines[-1] and width + _width(node) > _LONG:
                lines.append([])
                width = 0
            width += _width(node)
            if sign == "-" or len(lines) > 1 or lines[-1]:
                lines[-1].append(_MINUS if sign == "-" else _PLUS)
            lines[-1].append(self._at(node, _PRODUCT, {}))
        return tuple(t.Row(tuple(line)) for line in lines)

    def formula(self, expression: Expression, below: Below | None = None) -> t.Formula:
        """An expression on one line."""
        return self._typeset(expression, below or {})[0]

    def _at(self, expression: Expression, level: int, below: Below) -> t.Formula:
        """An expression in parentheses where it binds less than its place asks for."""
        formula, own = self._typeset(expression, below)
        return formula if own >= level else t.Fenced("(", formula, ")")

    def _typeset(self, expression: Expression, below: Below) -> tuple[t.Formula, int]:
        match expression:
            case Number(value):
                return t.Number(number_text(value)), _ATOM if value >= 0 else _UNARY
            case Quantity(value, unit):
                return _quantity(value, unit.text), _PRODUCT if unit.text != "1" else _ATOM
            case Name(name):
                return self.names.symbol(name, below), _ATOM
            case Element(of, label):
                return self._element(of, label, below), _ATOM
            case Call(function, arguments):
                return self._call(function, arguments, below)

    def _call(
        self, function: str, arguments: tuple[Expression, ...], below: Below
    ) -> tuple[t.Formula, int]:
        if function in _RELATIONS:
            return self._truth(Call(function, arguments), below), _ATOM
        operator = _OPERATORS.get(function)
        if operator is not None:
            return operator(self, arguments, below)
        special = _SPECIAL.get(function)
        if special is not None:
            return special(self, arguments, below)
        name: t.Formula = t.Word(function)
        if function not in _PLAIN:
            name = self.names.plain(function)
        return self._applied(name, [self._argument(a, below) for a in arguments]), _ATOM

    def _argument(self, argument: Expression, below: Below) -> t.Formula:
        if isinstance(argument, Name) and argument.name in self.names.sets:
            return self.names.index(argument.name, below)
        return self.formula(argument, below)

    def _applied(self, name: t.Formula, arguments: list[t.Formula]) -> t.Formula:
        parts: list[t.Formula] = []
        for argument in arguments:
            parts += [_COMMA, argument] if parts else [argument]
        return t.Row((name, t.Fenced("(", t.Row(tuple(parts)), ")")))

    def _element(self, of: Expression, label: str | int, below: Below) -> t.Formula:
        index = self.names.index_of(of)
        over = [s for s in index if not isinstance(label, str) or label in self.names.labels[s]]
        if over and isinstance(of, Name):
            return self.formula(of, {**below, over[0]: t.Text(str(label))})
        inner = self._at(of, _ATOM, below)
        return t.Script(t.Fenced("[", inner, "]"), t.Text(str(label)))

    def _truth(self, expression: Expression, below: Below) -> t.Formula:
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
            case Call(relation, (a, b)) if relation in _RELATIONS:
                return t.Row(
                    (self._at(a, _SUM, below), _RELATIONS[relation], self._at(b, _SUM, below))
                )
        return t.Row((self._at(expression, _SUM, below), _RELATIONS["!="], t.Number("0")))

    def _letters(self, sets: tuple[Expression, ...], below: Below) -> t.Formula:
        parts: list[t.Formula] = []
        for one in sets:
            assert isinstance(one, Name)
            parts += [_COMMA] if parts else []
            parts.append(self.names.index(one.name, {}))
        return t.Row(tuple(parts)) if len(parts) > 1 else parts[0]


Typeset = Callable[[Formulas, tuple[Expression, ...], Below], tuple[t.Formula, int]]


def _quantity(value: float, unit: str) -> t.Formula:
    if unit == "1":
        return t.Number(number_text(value))
    return t.Row(
        (t.Number(number_text(value)), t.Operator(r"\,", "\u2009"), t.Text(unit_text(unit)))
    )


def _width(expression: Expression) -> int:
    """About how many characters an expression takes on one line."""
    match expression:
        case Name(name):
            return len(name)
        case Call("/", (a, b)):
            return max(_width(a), _width(b))
        case Call(_, arguments):
            return 2 + sum(2 + _width(argument) for argument in arguments)
        case Element(of, _):
            return 2 + _width(of)
    return 4


def _add(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f._at(a[0], _SUM, below), _PLUS, f._at(a[1], _SUM, below))), _SUM


def _subtract(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f._at(a[0], _SUM, below), _MINUS, f._at(a[1], _PRODUCT, below))), _SUM


def _multiply(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f._at(a[0], _PRODUCT, below), _DOT, f._at(a[1], _PRODUCT, below))), _PRODUCT


def _divide(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Fraction(f.formula(a[0], below), f.formula(a[1], below)), _PRODUCT


def _power(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    base = f._at(a[0], _ATOM, below)
    if isinstance(a[0], Name | Element):
        base = t.Row((base,))
        if f.names.scripted(a[0]):
            base = t.Fenced("(", base, ")")
    elif not isinstance(base, t.Fenced) and not isinstance(a[0], Number):
        base = t.Fenced("(", base, ")")
    return t.Script(base, None, f.formula(a[1], below)), _POWER


def _negate(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((_MINUS, f._at(a[0], _PRODUCT, below))), _UNARY


def _logical(f: Formulas, a: tuple[Expression, ...], below: Below, name: str) -> t.Formula:
    return f._truth(Call(name, a), below)


def _over(sign: t.Operator) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        inner = {
            k: v
            for k, v in below.items()
            if k not in {s.name for s in a[1:] if isinstance(s, Name)}
        }
        return t.Row((t.Under(sign, f._letters(a[1:], below)), f._at(a[0], _PRODUCT, inner))), _SUM

    return typeset


def _named_over(word: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        return t.Row(
            (t.Under(t.Word(word), f._letters(a[1:], below)), f._at(a[0], _PRODUCT, below))
        ), _SUM

    return typeset


def _where(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    rows: list[tuple[t.Formula, t.Formula]] = []
    rest: Expression = Call("where", a)
    while isinstance(rest, Call) and rest.function == "where" and len(rows) < 4:
        condition, yes, rest = rest.arguments
        when = t.Row((t.Text("if"), t.Operator(r"\;", "\u2005"), f.condition(condition, below)))
        rows.append((f.formula(yes, below), when))
    rows.append((f.formula(rest, below), t.Text("otherwise")))
    return t.Cases(tuple(rows)), _SUM


def _between(left: str, right: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        return t.Fenced(left, f.formula(a[0], below), right), _ATOM

    return typeset


def _sqrt(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Root(f.formula(a[0], below)), _ATOM


def _logarithm(base: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        name = t.Script(t.Word("log"), t.Number(base)) if base else t.Word("ln")
        return f._applied(name, [f.formula(a[0], below)]), _ATOM

    return typeset


def _exp(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    if _width(a[0]) > 24:
        return f._applied(t.Word("exp"), [f.formula(a[0], below)]), _ATOM
    return t.Script(t.Letter("e"), None, f.formula(a[0], below)), _POWER


def _take(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, over, at = a
    assert isinstance(over, Name)
    if isinstance(of, Name):
        return f.formula(of, {**below, over.name: f.formula(at, below)}), _ATOM
    place = t.Row((f.names.index(over.name, {}), _EQUALS, f.formula(at, below)))
    return t.Script(t.Fenced("[", f.formula(of, below), "]"), place), _ATOM


def _shift(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, over, places = a
    assert isinstance(over, Name)
    letter = f.names.index(over.name, below)
    moved = t.Row((letter, _PLUS, f._at(places, _PRODUCT, below)))
    return f.formula(of, {**below, over.name: moved}), _ATOM


def _relabel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, old, new = a
    assert isinstance(old, Name) and isinstance(new, Name)
    formula, level = f._typeset(of, {**below, old.name: f.names.index(new.name, below)})
    return formula, level


def _one_hot(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    assert isinstance(a[1], Name)
    at = f.formula(a[0], below)
    if isinstance(a[0], Number) and 0 <= a[0].value < len(f.names.labels[a[1].name]):
        at = t.Text(f.names.labels[a[1].name][int(a[0].value)])
    place = t.Row((f.names.index(a[1].name, below), _EQUALS, at))
    return t.Fenced("[", place, "]"), _ATOM


def _position(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    assert isinstance(a[0], Name)
    return f.names.index(a[0].name, below), _ATOM


def _contract(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    x, y = f._at(a[0], _PRODUCT, below), f._at(a[1], _PRODUCT, below)
    return t.Row((t.Under(_SIGMA, f._letters(a[2:], below)), x, _DOT, y)), _SUM


def _from_decibel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    high = t.Row((f._at(a[0], _PRODUCT, below), t.Operator("/", "/"), t.Number("10")))
    return t.Script(t.Number("10"), None, high), _POWER


def _to_decibel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    log = f._applied(t.Script(t.Word("log"), t.Number("10")), [f.formula(a[0], below)])
    return t.Row((t.Number("10"), t.Operator(r"\,", "\u2009"), log)), _PRODUCT


_OPERATORS: dict[str, Typeset] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "**": _power,
    "negate": _negate,
    "and": lambda f, a, below: (_logical(f, a, below, "and"), _ATOM),
    "or": lambda f, a, below: (_logical(f, a, below, "or"), _ATOM),
    "not": lambda f, a, below: (_logical(f, a, below, "not"), _ATOM),
}
_SPECIAL: dict[str, Typeset] = {
    "sum": _over(_SIGMA),
    "prod": _over(_PI),
    "mean": _named_over("mean"),
    "min_over": _named_over("min"),
    "max_over": _named_over("max"),
    "argmin": _named_over("arg min"),
    "argmax": _named_over("arg max"),
    "where": _where,
    "abs": _between("|", "‖"),
    "floor": _between("⌊", "⌋"),
    "ceil": _between("⌈", "⌉"),
    "round": _between("⌊", "⌉"),
    "sqrt": _sqrt,
    "log": _logarithm(""),
    "log2": _logarithm("2"),
    "log10": _logarithm("10"),
    "exp": _exp,
    "take": _take,
    "shift": _shift,
    "relabel": _relabel,
    "one_hot": _one_hot,
    "position": _position,
    "contract": _contract,
    "from_db": _from_decibel,
    "to_db": _to_decibel,
}
