"""Symbols for the names of a spec: words upright, further words and index sets as subscripts."""

from __future__ import annotations

from collections.abc import Mapping

from envs.mathematics import tree as t
from envs.problem import Problem
from envs.spec.expressions import Call, Element, Expression, Name

_COMMA = t.Operator(",", ",")
_CLOCK: dict[str, t.Formula] = {
    "time_step": t.Row((t.Letter("Delta"), t.Letter("t"))),
    "step_index": t.Letter("t"),
    "pi": t.Letter("pi"),
}


class Names:
    """The symbols of one spec.

    Attributes:
        sets: The index sets, by name, with the letter that runs over each.
        labels: Labels of each set.
    """

    def __init__(self, problem: Problem) -> None:
        """Give each set a letter."""
        self._named = problem.compiled().named
        self.labels: Mapping[str, list[str]] = problem.compiled().labels
        self.sets: dict[str, t.Formula] = {}
        taken: set[str] = {"e", "t"}
        for name, item in problem.spec.sets.items():
            if item.alias_of:
                original = self.sets.get(item.alias_of, t.Letter(name[0]))
                self.sets[name] = t.Script(original, None, t.Operator(r"\prime", "′"))
                continue
            letter = next(
                (c for c in name + "ijklmnopqrsuvwxyzabcdfgh" if c.isalpha() and c not in taken),
                name[0],
            )
            taken.add(letter)
            self.sets[name] = t.Letter(letter)

    def index_of(self, expression: Expression) -> tuple[str, ...]:
        """The sets that an expression runs over, as far as its names tell."""
        match expression:
            case Name(name):
                return self._named[name][0].index if name in self._named else ()
            case Element(of, _):
                return self.index_of(of)
            case Call(_, arguments):
                found = [s for argument in arguments for s in self.index_of(argument)]
                return tuple(dict.fromkeys(found))
        return ()

    def index(self, name: str, below: Mapping[str, t.Formula]) -> t.Formula:
        """What stands for a set in a subscript."""
        return below.get(name, self.sets[name])

    def scripted(self, expression: Expression) -> bool:
        """Whether the symbol of a name has something below or above it on its right."""
        return isinstance(expression, Element) or (
            isinstance(expression, Name)
            and expression.name not in _CLOCK
            and ("_" in expression.name or bool(self.index_of(expression)))
        )

    def symbol(
        self, name: str, below: Mapping[str, t.Formula], after: t.Formula | None = None
    ) -> t.Formula:
        """The symbol of a quantity with its indices, and what else stands behind them."""
        if name in _CLOCK:
            return _CLOCK[name]
        indices = [self.index(one, below) for one in self.index_of(Name(name))]
        return self.plain(name, [*indices, *([after] if after is not None else [])])

    def plain(self, name: str, indices: list[t.Formula] | None = None) -> t.Formula:
        """The symbol of a name: its first word, the others below it."""
        first, *others = [word for word in name.split("_") if word] or [name]
        base: t.Formula = t.Word(first)
        if first in t.GREEK or len(first) == 1:
            base = t.Letter(first)
        parts: list[t.Formula] = [t.Text(" ".join(others))] if others else []
        for one in indices or []:
            parts += [_COMMA] if parts else []
            parts.append(one)
        if not parts:
            return base
        return t.Script(base, parts[0] if len(parts) == 1 else t.Row(tuple(parts)))
