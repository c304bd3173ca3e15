"""Expressions: from untrusted text to a small tree, by a whitelist.

Python's own parser reads the text (`ast.parse`, which executes and folds nothing); everything that
is not on the whitelist is refused with a typed finding. Budgets are held before and while the tree
is built.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from envs.spec.diagnostics import Finding, shorten
from envs.spec.units import Unit, parse_quantity

MAX_LENGTH = 2000
MAX_DEPTH = 48
MAX_NODES = 600


@dataclass(frozen=True, slots=True)
class Number:
    """A dimensionless literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Quantity:
    """A literal with a unit, written in quotes."""

    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Name:
    """A reference to a named quantity."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator applied to arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an indexed quantity."""

    of: Expression
    label: str | int


Expression = Number | Quantity | Name | Call | Element

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_TEACH: dict[type, str] = {
    ast.Attribute: "names have no attributes; write the name alone",
    ast.IfExp: "write where(condition, a, b)",
    ast.BitXor: "write ** for powers",
    ast.Mod: "write mod(x, y)",
    ast.FloorDiv: "write floor(x / y)",
    ast.Subscript: "an element is named by one label or number: x['DE'] or x[0]",
    ast.MatMult: "write contract(a, b, set)",
    ast.BitAnd: "write and",
    ast.BitOr: "write or",
}


def _refuse(code: str, expected: str, actual: str, hint: str) -> Finding:
    return Finding(code, expected, actual, hint)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        Finding: ``bad-expression``, ``too-large``, ``too-deep``, ``bad-unit`` or ``bad-value``.
    """
    if len(text) > MAX_LENGTH:
        raise _refuse(
            "too-large",
            f"at most {MAX_LENGTH} characters",
            f"{len(text)}",
            "split it into several equations",
        )
    if not text.isascii():
        odd = next(c for c in text if not c.isascii())
        raise _refuse(
            "bad-expression",
            "plain ASCII",
            f"U+{ord(odd):04X} in '{shorten(text)}'",
            "retype it: look-alike letters and invisible characters are refused",
        )
    if "#" in text:
        hint = "comments belong in the YAML, outside the expression"
        raise _refuse("bad-expression", "an expression without comments", "'#'", hint)
    if re.search(r"[0-9_]{25,}", text):
        raise _refuse(
            "bad-expression", "ordinary numbers", "a very long one", "write for instance 1e20"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, Warning, ValueError, RecursionError, MemoryError) as error:
        reason = shorten(getattr(error, "msg", None) or type(error).__name__, 100)
        raise _refuse(
            "bad-expression",
            "an expression",
            f"'{shorten(text)}' ({reason})",
            "write infix arithmetic such as 'power * gain / noise'",
        ) from None
    return _Converter().convert(tree, 0)


class _Converter:
    def __init__(self) -> None:
        self._nodes = 0

    def convert(self, node: ast.AST, depth: int) -> Expression:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise _refuse(
                "too-deep", f"at most {MAX_DEPTH} levels", "more", "split it into several equations"
            )
        if self._nodes > MAX_NODES:
            raise _refuse(
                "too-large", f"at most {MAX_NODES} terms", "more", "split it into several equations"
            )
        if isinstance(node, ast.Constant):
            return _constant(node.value)
        if isinstance(node, ast.Name):
            return Name(node.id)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return self._call(_BINARY[type(node.op)], (node.left, node.right), depth)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node, depth)
        if isinstance(node, ast.Compare):
            if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
                raise _unsupported(node, "compare two things at a time: a < b and b < c")
            return self._call(_COMPARE[type(node.ops[0])], (node.left, node.comparators[0]), depth)
        if isinstance(node, ast.BoolOp):
            return self._call(
                "and" if isinstance(node.op, ast.And) else "or", tuple(node.values), depth
            )
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.keywords:
                raise _unsupported(
                    node, "call a function of the language by name, with positional arguments"
                )
            return self._call(node.func.id, tuple(node.args), depth)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            label = node.slice.value
            if isinstance(label, str) or (isinstance(label, int) and not isinstance(label, bool)):
                return Element(self.convert(node.value, depth + 1), label)
        kind = type(getattr(node, "op", node))
        raise _unsupported(node, _TEACH.get(kind, "see docs/language.md for expressions"))

    def _call(self, name: str, arguments: tuple[ast.AST, ...], depth: int) -> Call:
        return Call(name, tuple(self.convert(argument, depth + 1) for argument in arguments))

    def _unary(self, node: ast.UnaryOp, depth: int) -> Expression:
        if isinstance(node.op, ast.Invert):
            raise _unsupported(node, "write not")
        inner = self.convert(node.operand, depth + 1)
        if isinstance(node.op, ast.UAdd):
            return inner
        if isinstance(node.op, ast.Not):
            return Call("not", (inner,))
        return Number(-inner.value) if isinstance(inner, Number) else Call("negate", (inner,))


def _constant(value: object) -> Expression:
    if isinstance(value, str):
        return Quantity(*parse_quantity(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= 1e300 and math.isfinite(value):
            return Number(float(value))
        raise _refuse("bad-value", "a finite number", shorten(value), "use a number below 1e300")
    raise _refuse("bad-expression", "a number", shorten(value), "write 0 or 1 for false and true")


def _unsupported(node: ast.AST, hint: str) -> Finding:
    op = getattr(node, "op", node)
    kind = type(op if isinstance(node, ast.BinOp | ast.UnaryOp) else node).__name__
    return _refuse(
        "bad-expression",
        "arithmetic, comparisons and calls of listed functions",
        f"Python's {kind}",
        hint,
    )


def names_in(expression: Expression) -> Iterator[str]:
    """The names an expression refers to, as often as it does."""
    match expression:
        case Name(name):
            yield name
        case Element(of, _):
            yield from names_in(of)
        case Call(_, arguments):
            for argument in arguments:
                yield from names_in(argument)
        case Number() | Quantity():
            return


def functions_in(expression: Expression) -> Iterator[str]:
    """The functions and operators it calls, as often as it does."""
    match expression:
        case Call(function, arguments):
            yield function
            for argument in arguments:
                yield from functions_in(argument)
        case Element(of, _):
            yield from functions_in(of)
        case _:
            return
