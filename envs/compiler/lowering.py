"""From expression trees to typed nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from envs.compiler import complex_numbers, elementary, functions, linear, over_sets
from envs.compiler.fields import DOMAIN_FUNCTIONS
from envs.compiler.fields.formula import SET
from envs.compiler.functions import FUNCTIONS, Argument
from envs.compiler.graph import Graph, Node
from envs.spec import expressions
from envs.spec.diagnostics import Finding, nearest, shorten
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity
from envs.spec.units import DIMENSIONLESS, Dimension, parse_unit

# Importing these modules registers their functions.
__all__ = ["Lowering", "complex_numbers", "elementary", "linear"]

OPERATORS = {
    "+",
    "-",
    "*",
    "/",
    "**",
    "negate",
    "<",
    "<=",
    ">",
    ">=",
    "==",
    "!=",
    "and",
    "or",
    "not",
}

Resolve = Callable[[str], Node]


class Lowering:
    """Lowers expressions in one scope of names."""

    def __init__(
        self,
        graph: Graph,
        labels: Mapping[str, list[str]],
        resolve: Resolve,
        known: Callable[[], Iterable[str]],
        sets: Mapping[str, str] | None = None,
    ) -> None:
        """Lower over a graph.

        Args:
            graph: Where nodes are made.
            labels: The labels of each set, in order.
            resolve: Gives the node of a name, or raises a `Finding` or `KeyError` when there is
                none.
            known: The names that exist, for hints.
            sets: Sets by the names they have in here, where those are not their own.
        """
        self._graph = graph
        self._labels = labels
        self._resolve = resolve
        self._known = known
        self._sets = sets or {}

    def text(self, text: str) -> Node:
        """Lower an expression as written.

        Raises:
            Finding: Whatever is wrong with it.
        """
        return self.lower(expressions.parse(text))

    def lower(self, expression: Expression) -> Node:
        """Lower a tree.

        Raises:
            Finding: Whatever is wrong with it.
        """
        match expression:
            case Number(value):
                return self._graph.constant(value)
            case Quantity(value, unit):
                return self._graph.constant(value * unit.factor, unit.dimension)
            case Name(name):
                return self._name(name)
            case Element(of, label):
                return self._element(self.lower(of), label)
            case Call(name, arguments):
                return self._call(name, arguments)

    def _name(self, name: str) -> Node:
        if name in self._labels:
            hint = f"use position({name}) for the numbers 0, 1, 2, …"
            raise Finding("unknown-name", "a quantity", f"the set '{name}'", hint)
        try:
            return self._resolve(name)
        except KeyError:
            hint = nearest(name, self._known())
            if name in FUNCTIONS or name in DOMAIN_FUNCTIONS:
                hint = f"'{name}' is a function: write {name}(…)"
            raise Finding(
                "unknown-name", "a name defined in this spec", f"'{shorten(name)}'", hint
            ) from None

    def _call(self, name: str, arguments: tuple[Expression, ...]) -> Node:
        if name in DOMAIN_FUNCTIONS:
            return self._domain(name, arguments)
        known = FUNCTIONS.get(name)
        if known is None:
            words = [n for n in (*FUNCTIONS, *DOMAIN_FUNCTIONS) if n.isidentifier()]
            raise Finding(
                "unknown-function",
                "a function of the language",
                f"'{shorten(name)}'",
                nearest(name, words),
            )
        if not known.accepts(len(arguments)):
            raise Finding(
                "bad-expression", str(known), f"{len(arguments)} arguments", f"call it as {known}"
            )
        lowered: list[Argument] = []
        for position, argument in enumerate(arguments):
            lowered.append(
                self._set(argument, name) if known.takes_set(position) else self.lower(argument)
            )
        return known.build(self._graph, *lowered)

    def _set(self, argument: Expression, function: str) -> str:
        if isinstance(argument, Name):
            named = self._sets.get(argument.name, argument.name)
            if named in self._graph.sets:
                return named
        found = shorten(argument.name) if isinstance(argument, Name) else "an expression"
        hint = nearest(found, self._graph.sets)
        if function in ("min_over", "max_over"):
            hint += "; for elementwise choice write min(a, b) or max(a, b)"
        raise Finding("unknown-name", f"the name of a set in {function}", f"'{found}'", hint)

    def _element(self, node: Node, label: str | int) -> Node:
        if isinstance(label, str):
            matching = [s for s in node.index if label in self._labels[s]]
            if len(matching) == 1:
                return over_sets.element(
                    self._graph, node, matching[0], self._labels[matching[0]].index(label)
                )
            options = [text for s in node.index for text in self._labels[s]]
            raise Finding(
                "index-mismatch",
                "a label of its set",
                f"'{shorten(label)}'",
                nearest(label, options),
            )
        if len(node.index) == 1 and 0 <= label < self._graph.sets[node.index[0]]:
            return over_sets.element(self._graph, node, node.index[0], label)
        raise Finding(
            "index-mismatch",
            "a position within the single set of an indexed quantity",
            f"[{label}] of index ({', '.join(node.index) or 'none'})",
            "count from 0, or name the element by its label",
        )

    def _domain(self, name: str, arguments: tuple[Expression, ...]) -> Node:
        """Expand a domain function: its definition is an expression over its parameters."""
        known = DOMAIN_FUNCTIONS[name]
        if len(arguments) != len(known.parameters):
            raise Finding(
                "bad-expression", str(known), f"{len(arguments)} arguments", f"call it as {known}"
            )
        # The definition computes on plain numbers in the stated units, as the source writes it.
        plain: dict[str, Node] = {}
        sets: dict[str, str] = {}
        for (parameter, unit), argument in zip(known.parameters.items(), arguments, strict=True):
            if unit == SET:
                sets[parameter] = self._set(argument, name)
                continue
            node = functions.fitting(
                self._graph, self.lower(argument), unit, f"'{parameter}' of {name}"
            )
            plain[parameter] = functions.divided(
                self._graph, node, self._graph.constant(*_one(unit))
            )
        if known.build is not None:
            result = known.build(self._graph, *plain.values(), *sets.values())
        else:
            inner = Lowering(self._graph, {}, plain.__getitem__, lambda: plain, sets)
            result = functions.number(self._graph, inner.text(known.definition))
        assert result.dimension == DIMENSIONLESS, f"{name} must be defined on plain numbers"
        value, dimension = _one(known.unit)
        return functions.times(self._graph, result, self._graph.constant(value, dimension))


def _one(unit: str) -> tuple[float, Dimension]:
    parsed = parse_unit(unit)
    return parsed.factor, parsed.dimension
