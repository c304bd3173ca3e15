"""Expression trees back to text, and the same tree with a part of it replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity

_INFIX = frozenset({"+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or"})

Change = Callable[[Expression], Expression]


def written(tree: Expression) -> str:
    """An expression as text that parses to the same tree."""
    match tree:
        case Number(value):
            return repr(value) if value >= 0 else f"(-{-value!r})"
        case Quantity(value, unit):
            return f"'{value!r} {unit.text}'"
        case Name(name):
            return name
        case Element(of, label):
            return f"{written(of)}[{label!r}]"
        case Call(function, arguments):
            parts = [written(argument) for argument in arguments]
            if function in _INFIX:
                return f"({f' {function} '.join(parts)})"
            if function == "negate":
                return f"(-{parts[0]})"
            if function == "not":
                return f"(not {parts[0]})"
            return f"{function}({', '.join(parts)})"


def everywhere(tree: Expression, change: Change) -> Expression:
    """The tree with every node changed, leaves first."""
    match tree:
        case Call(function, arguments):
            return change(Call(function, tuple(everywhere(a, change) for a in arguments)))
        case Element(of, label):
            return change(Element(everywhere(of, change), label))
        case _:
            return change(tree)


def sites(tree: Expression) -> Iterator[tuple[Expression, Callable[[Expression], Expression]]]:
    """Every node, with a function that gives the whole tree with another one in its place."""
    yield tree, lambda new: new
    match tree:
        case Call(function, arguments):
            for position, argument in enumerate(arguments):
                for node, put in sites(argument):
                    yield node, _within(function, arguments, position, put)
        case Element(of, label):
            for node, put in sites(of):
                yield node, _of_element(label, put)
        case _:
            pass


def _within(
    function: str, arguments: tuple[Expression, ...], position: int, put: Change
) -> Callable[[Expression], Expression]:
    def whole(new: Expression) -> Expression:
        return Call(function, (*arguments[:position], put(new), *arguments[position + 1 :]))

    return whole


def _of_element(label: str | int, put: Change) -> Callable[[Expression], Expression]:
    return lambda new: Element(put(new), label)
