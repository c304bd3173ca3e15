"""The shape of what no decision changes: parameters, distributions and processes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from envs.spec.items import (
    Expression,
    ExpressionOrNumber,
    Index,
    Item,
    Number,
    NumberPair,
    Pair,
    Source,
    Text,
    UnitText,
    exactly_one,
)


class Gaussian(Item):
    """Mean and standard deviation."""

    mean: ExpressionOrNumber = 0.0
    std: ExpressionOrNumber


class LogNormal(Item):
    """Median and the standard deviation of the logarithm."""

    median: ExpressionOrNumber
    sigma: ExpressionOrNumber


class Mean(Item):
    """A distribution known by its mean."""

    mean: ExpressionOrNumber


class GammaShape(Item):
    """Shape (dimensionless) and scale (in the item's unit)."""

    shape: Number
    scale: ExpressionOrNumber


class BetaShape(Item):
    """The two shape parameters."""

    a: ExpressionOrNumber
    b: ExpressionOrNumber


class Choice(Item):
    """Values with weights (equal when left out)."""

    values: Annotated[list[Number], Field(min_length=1, max_length=1000)]
    weights: Annotated[list[Number], Field(min_length=1, max_length=1000)] | None = None


class Distribution(Item):
    """One probability distribution."""

    uniform: Pair | None = None
    normal: Gaussian | None = None
    lognormal: LogNormal | None = None
    exponential: Mean | None = None
    gamma: GammaShape | None = None
    beta: BetaShape | None = None
    poisson: Mean | None = None
    integers: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    choice: Choice | None = None

    @model_validator(mode="after")
    def _one(self) -> Distribution:
        exactly_one(self, tuple(Distribution.model_fields))
        return self

    @property
    def kind(self) -> str:
        """Which distribution this is."""
        return exactly_one(self, tuple(Distribution.model_fields))


class Parameter(Item):
    """A given quantity: fixed, derived from others, or sampled once per scenario."""

    unit: UnitText
    index: Index = []
    value: Number | list[Any] | Annotated[str, Field(max_length=64)] | None = None
    expr: Expression | None = None
    sample: Distribution | None = None
    bounds: NumberPair | None = None
    source: Source = None
    summary: Text = ""

    @model_validator(mode="after")
    def _one(self) -> Parameter:
        exactly_one(self, ("value", "expr", "sample"))
        return self


class Ar1(Item):
    """A stationary Gaussian autoregression of order one."""

    mean: ExpressionOrNumber = 0.0
    std: ExpressionOrNumber
    correlation: ExpressionOrNumber
    per: ExpressionOrNumber | None = None


class Markov(Item):
    """A finite Markov chain, started from its stationary distribution."""

    values: Annotated[list[Number], Field(min_length=2, max_length=64)]
    transition: Annotated[list[list[Number]], Field(min_length=2, max_length=64)]


FileName = Annotated[str, Field(min_length=1, max_length=1000)]
Column = Annotated[str, Field(min_length=1, max_length=200)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Trace(Item):
    """A recorded series: file and column for all elements, or one for each label.

    ``sha256`` of the unpacked bytes may be stated; it is filled in when the file is read.
    """

    file: FileName | dict[str, FileName]
    column: Column | dict[str, Column] | None = None
    interval: ExpressionOrNumber | None = None
    utc_offset: ExpressionOrNumber | None = None
    sha256: Sha256 | dict[str, Sha256] | None = None


class Forecast(Item):
    """What is known now of a process at a later time."""

    of: str
    lead: Expression
    error: ExpressionOrNumber
    correlation: Number = 0.9


class Window(Item):
    """The sum of a process over the steps of a duration up to now."""

    of: str
    over: Expression


class Process(Item):
    """An exogenous quantity that changes over time whatever the agent does."""

    unit: UnitText
    index: Index = []
    sample: Distribution | None = None
    ar1: Ar1 | None = None
    markov: Markov | None = None
    expr: Expression | None = None
    trace: Trace | None = None
    forecast: Forecast | None = None
    window: Window | None = None
    hold: ExpressionOrNumber | None = None
    bounds: NumberPair | None = None
    source: Source = None
    summary: Text = ""

    @model_validator(mode="after")
    def _one(self) -> Process:
        exactly_one(self, PROCESS_KINDS)
        return self

    @property
    def kind(self) -> str:
        """How the values come about."""
        return exactly_one(self, PROCESS_KINDS)


PROCESS_KINDS = ("sample", "ar1", "markov", "expr", "trace", "forecast", "window")
