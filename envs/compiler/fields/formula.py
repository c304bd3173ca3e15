"""What a registered formula is.

Each is a definition in the language itself, over plain numbers in the stated units: so it is
unit-checked at the call, runs in NumPy and torch alike, is differentiable, and its domain is proven
by the same interval analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DomainFunction:
    """A registered formula.

    Attributes:
        name: As written in expressions.
        parameters: Unit of each parameter, in order.
        unit: Unit of the result.
        definition: The formula, on plain numbers in those units.
        summary: What it computes.
        source: Where it comes from.
        latex: The formula as mathematics.
    """

    name: str
    parameters: Mapping[str, str]
    unit: str
    definition: str
    summary: str
    source: str
    latex: str

    def __str__(self) -> str:
        """The signature with units."""
        parameters = ", ".join(f"{name} [{unit}]" for name, unit in self.parameters.items())
        return f"{self.name}({parameters}) [{self.unit}]"
