"""What a registered formula is.

Each is a definition in the language itself, over plain numbers in the stated units: so it is
unit-checked at the call, runs in NumPy and torch alike, is differentiable, and its domain is proven
by the same interval analysis. What no expression can say, such as an iteration, is built from nodes
with a kernel of its own, over the same plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from envs.compiler.graph import Node

SET = "set"
"""In place of the unit of a parameter that takes the name of a set."""


@dataclass(frozen=True)
class DomainFunction:
    """A registered formula.

    Attributes:
        name: As written in expressions.
        parameters: Unit of each parameter, in order; `SET` for the name of a set.
        unit: Unit of the result.
        definition: The formula, on plain numbers in those units; for people where ``build`` is
            given.
        summary: What it computes.
        source: Where it comes from.
        latex: The formula as mathematics.
        build: Makes the node from the graph, the plain numbers and the sets, where the definition
            is no expression.
    """

    name: str
    parameters: Mapping[str, str]
    unit: str
    definition: str
    summary: str
    source: str
    latex: str
    build: Callable[..., Node] | None = None

    def __str__(self) -> str:
        """The signature with units."""
        parameters = ", ".join(
            name if unit == SET else f"{name} [{unit}]" for name, unit in self.parameters.items()
        )
        return f"{self.name}({parameters}) [{self.unit}]"
