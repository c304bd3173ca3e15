"""How each operator and function of the language is typeset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from envs.mathematics import tree as t
from envs.mathematics.prose import number_text, unit_text
from envs.spec.expressions import Call, Element, Expression, Name, Number

if TYPE_CHECKING:
    from envs.mathematics.formulas import Formulas

SUM, PRODUCT, UNARY, POWER, ATOM = range(5)
"""How tightly a formula binds, from the loosest."""
LONG = 64
"""Characters of a formula beyond which a sum is broken into lines."""

RELATIONS = {
    "<": t.Operator("<", "<"),
    "<=": t.Operator(r"\le", "≤"),
    ">": t.Operator(">", ">"),
    ">=": t.Operator(r"\ge", "≥"),
    "==": t.Operator("=", "="),
    "!=": t.Operator(r"\ne", "≠"),
}
PLUS, MINUS, DOT = t.Operator("+", "+"), t.Operator("-", "−"), t.Operator(r"\cdot", "⋅")
COMMA, EQUALS = t.Operator(",", ","), t.Operator("=", "=")
OPEN, CLOSE, QUAD = t.Operator("(", "("), t.Operator(")", ")"), t.Operator(r"\quad", "")
SIGMA, PI = t.Operator(r"\sum", "∑"), t.Operator(r"\prod", "∏")

Below = Mapping[str, t.Formula]
"""What stands for a set in subscripts, where that is not its own letter."""

Typeset = Callable[["Formulas", tuple[Expression, ...], Below], tuple[t.Formula, int]]


def quantity(value: float, unit: str) -> t.Formula:
    """A number with its unit."""
    if unit == "1":
        return t.Number(number_text(value))
    return t.Row(
        (t.Number(number_text(value)), t.Operator(r"\,", "\u2009"), t.Text(unit_text(unit)))
    )


def width(expression: Expression) -> int:
    """About how many characters an expression takes on one line."""
    match expression:
        case Name(name):
            return len(name)
        case Call("/", (a, b)):
            return max(width(a), width(b))
        case Call(_, arguments):
            return 2 + sum(2 + width(argument) for argument in arguments)
        case Element(of, _):
            return 2 + width(of)
    return 4


def _add(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f.at(a[0], SUM, below), PLUS, f.at(a[1], SUM, below))), SUM


def _subtract(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f.at(a[0], SUM, below), MINUS, f.at(a[1], PRODUCT, below))), SUM


def _multiply(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f.at(a[0], PRODUCT, below), DOT, f.at(a[1], PRODUCT, below))), PRODUCT


def _divide(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Fraction(f.formula(a[0], below), f.formula(a[1], below)), PRODUCT


def _power(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    base = f.at(a[0], ATOM, below)
    if isinstance(a[0], Name | Element):
        base = t.Row((base,))
        if f.names.scripted(a[0]):
            base = t.Fenced("(", base, ")")
    elif not isinstance(base, t.Fenced) and not isinstance(a[0], Number):
        base = t.Fenced("(", base, ")")
    return t.Script(base, None, f.formula(a[1], below)), POWER


def _negate(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((MINUS, f.at(a[0], PRODUCT, below))), UNARY


def _logical(f: Formulas, a: tuple[Expression, ...], below: Below, name: str) -> t.Formula:
    return f.truth(Call(name, a), below)


def _over(sign: t.Operator) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        inner = {
            k: v
            for k, v in below.items()
            if k not in {s.name for s in a[1:] if isinstance(s, Name)}
        }
        return t.Row((t.Under(sign, f.letters(a[1:], below)), f.at(a[0], PRODUCT, inner))), SUM

    return typeset


def _named_over(word: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        return t.Row(
            (t.Under(t.Word(word), f.letters(a[1:], below)), f.at(a[0], PRODUCT, below))
        ), SUM

    return typeset


def _where(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    rows: list[tuple[t.Formula, t.Formula]] = []
    rest: Expression = Call("where", a)
    while isinstance(rest, Call) and rest.function == "where" and len(rows) < 4:
        condition, yes, rest = rest.arguments
        when = t.Row((t.Text("if"), t.Operator(r"\;", "\u2005"), f.condition(condition, below)))
        rows.append((f.formula(yes, below), when))
    rows.append((f.formula(rest, below), t.Text("otherwise")))
    return t.Cases(tuple(rows)), SUM


def _between(left: str, right: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        return t.Fenced(left, f.formula(a[0], below), right), ATOM

    return typeset


def _sqrt(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Root(f.formula(a[0], below)), ATOM


def _logarithm(base: str) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        name = t.Script(t.Word("log"), t.Number(base)) if base else t.Word("ln")
        return f.applied(name, [f.formula(a[0], below)]), ATOM

    return typeset


def _exp(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    if width(a[0]) > 24:
        return f.applied(t.Word("exp"), [f.formula(a[0], below)]), ATOM
    return t.Script(t.Letter("e"), None, f.formula(a[0], below)), POWER


def _take(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, over, at = a
    assert isinstance(over, Name)
    if isinstance(of, Name):
        return f.formula(of, {**below, over.name: f.formula(at, below)}), ATOM
    place = t.Row((f.names.index(over.name, {}), EQUALS, f.formula(at, below)))
    return t.Script(t.Fenced("[", f.formula(of, below), "]"), place), ATOM


def _shift(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, over, places = a
    assert isinstance(over, Name)
    letter = f.names.index(over.name, below)
    moved = t.Row((letter, PLUS, f.at(places, PRODUCT, below)))
    return f.formula(of, {**below, over.name: moved}), ATOM


def _relabel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    of, old, new = a
    assert isinstance(old, Name) and isinstance(new, Name)
    formula, level = f.typeset(of, {**below, old.name: f.names.index(new.name, below)})
    return formula, level


def _one_hot(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    assert isinstance(a[1], Name)
    at = f.formula(a[0], below)
    if isinstance(a[0], Number) and 0 <= a[0].value < len(f.names.labels[a[1].name]):
        at = t.Text(f.names.labels[a[1].name][int(a[0].value)])
    place = t.Row((f.names.index(a[1].name, below), EQUALS, at))
    return t.Fenced("[", place, "]"), ATOM


def _position(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    assert isinstance(a[0], Name)
    return f.names.index(a[0].name, below), ATOM


def _contract(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    x, y = f.at(a[0], PRODUCT, below), f.at(a[1], PRODUCT, below)
    return t.Row((t.Under(SIGMA, f.letters(a[2:], below)), x, DOT, y)), SUM


def _complex_product(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    return t.Row((f.at(a[0], PRODUCT, below), DOT, f.at(a[1], PRODUCT, below))), PRODUCT


def _complex_contract(
    f: Formulas, a: tuple[Expression, ...], below: Below
) -> tuple[t.Formula, int]:
    x, y = f.at(a[0], PRODUCT, below), f.at(a[1], PRODUCT, below)
    return t.Row((t.Under(SIGMA, f.letters(a[3:], below)), x, DOT, y)), SUM


def _polar(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    angle = t.Row((t.Word("i"), t.Operator(r"\,", ""), f.at(a[1], PRODUCT, below)))
    turned = t.Script(t.Word("e"), None, angle)
    if a[0] == Number(1.0):
        return turned, POWER
    return t.Row((f.at(a[0], PRODUCT, below), DOT, turned)), PRODUCT


def _conjugate(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    base = f.at(a[0], ATOM, below)
    star = t.Operator(r"\ast", "∗")
    if isinstance(base, t.Script) and base.above is None:
        return t.Script(base.base, base.below, star), ATOM
    return t.Script(base, None, star), POWER


def _modulus(squared: bool) -> Typeset:
    def typeset(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
        size = t.Fenced("|", f.formula(a[0], below), "‖")
        return (t.Script(size, None, t.Number("2")), POWER) if squared else (size, ATOM)

    return typeset


def _from_decibel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    high = t.Row((f.at(a[0], PRODUCT, below), t.Operator("/", "/"), t.Number("10")))
    return t.Script(t.Number("10"), None, high), POWER


def _to_decibel(f: Formulas, a: tuple[Expression, ...], below: Below) -> tuple[t.Formula, int]:
    log = f.applied(t.Script(t.Word("log"), t.Number("10")), [f.formula(a[0], below)])
    return t.Row((t.Number("10"), t.Operator(r"\,", "\u2009"), log)), PRODUCT


OPERATORS: dict[str, Typeset] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "**": _power,
    "negate": _negate,
    "and": lambda f, a, below: (_logical(f, a, below, "and"), ATOM),
    "or": lambda f, a, below: (_logical(f, a, below, "or"), ATOM),
    "not": lambda f, a, below: (_logical(f, a, below, "not"), ATOM),
}
SPECIAL: dict[str, Typeset] = {
    "sum": _over(SIGMA),
    "prod": _over(PI),
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
    "complex_times": _complex_product,
    "complex_contract": _complex_contract,
    "polar": _polar,
    "conjugate": _conjugate,
    "modulus": _modulus(squared=False),
    "squared_modulus": _modulus(squared=True),
    "from_db": _from_decibel,
    "to_db": _to_decibel,
}
