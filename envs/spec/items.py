"""What the items of a spec document are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e300, le=1e300)]
Text = Annotated[str, Field(max_length=4000)]
Expression = Annotated[str, Field(min_length=1, max_length=4000)]
ExpressionOrNumber = Number | Expression
UnitText = Annotated[
    str,
    # YAML reads a bare 1, the dimensionless unit, as a number.
    BeforeValidator(lambda value: "1" if value == 1 and not isinstance(value, bool) else value),
    Field(min_length=1, max_length=64),
]
Pair = Annotated[list[ExpressionOrNumber], Field(min_length=2, max_length=2)]
NumberPair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Index = Annotated[list[str], Field(max_length=4)]
Source = Annotated[str, Field(max_length=4000)] | None


class Item(BaseModel):
    """Anything in a spec: unknown keys are refused, instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def exactly_one(item: Item, kinds: tuple[str, ...]) -> str:
    """Which of several keys an item has; it has one and no more."""
    given = [kind for kind in kinds if getattr(item, kind) is not None]
    if len(given) != 1:
        raise PydanticCustomError(
            "one_of",
            "exactly one of {kinds}|{given}",
            {"kinds": ", ".join(kinds), "given": ", ".join(given) or "none of them"},
        )
    return given[0]
