"""The shape of a spec document: which sections, keys and plain values there are.

Only shape is checked here. Names, units, indices and domains are the compiler's business.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from envs.spec.diagnostics import Diagnostic, SpecError
from envs.spec.exogenous import (
    PROCESS_KINDS,
    Ar1,
    Distribution,
    Forecast,
    Markov,
    Parameter,
    Process,
    Trace,
    Window,
)
from envs.spec.findings import (
    NAMED_SECTIONS,
    as_map,
    bad_names,
    check_name,
    diagnostic,
    distinct,
)
from envs.spec.items import (
    Expression,
    ExpressionOrNumber,
    Index,
    Item,
    NumberPair,
    Source,
    Text,
    UnitText,
    exactly_one,
)

__all__ = [
    "DECISION_KINDS",
    "NAMED_SECTIONS",
    "PROCESS_KINDS",
    "Ar1",
    "Constraint",
    "Decision",
    "Distribution",
    "Equation",
    "Expression",
    "ExpressionOrNumber",
    "Forecast",
    "Heuristic",
    "Item",
    "Markov",
    "Meta",
    "Metric",
    "Objective",
    "Observation",
    "Parameter",
    "Process",
    "SetDefinition",
    "Spec",
    "Split",
    "State",
    "Terminal",
    "Time",
    "Trace",
    "Window",
    "check_name",
    "validate",
]
"""All models of the language, wherever they are written."""


class FunctionalUnit(Item):
    """What the score is expressed per: J divided by the episode total of a metric."""

    name: Text
    metric: Text


class Meta(Item):
    """Name, version and prose of the problem."""

    name: str
    version: Annotated[int, Field(strict=True, ge=0, le=999)] = 0
    title: Text = ""
    summary: Text = ""
    functional_unit: FunctionalUnit | None = None
    control: bool = False
    certified: str | None = None
    sources: Annotated[list[Text], Field(max_length=50)] = []


class Time(Item):
    """Discrete time: the step, how many there are, and when the day starts."""

    step: ExpressionOrNumber
    horizon: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    start: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "00:00"
    discount: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.99
    utc_offset: ExpressionOrNumber | None = None


class SetDefinition(Item):
    """An index set by size, by labels, or as another name of a set."""

    size: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    labels: Annotated[list[Text], Field(min_length=1, max_length=4096)] | None = None
    alias_of: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        if isinstance(data, int) and not isinstance(data, bool):
            return {"size": data}
        return {"labels": data} if isinstance(data, list) else data

    @model_validator(mode="after")
    def _one(self) -> SetDefinition:
        exactly_one(self, ("size", "labels", "alias_of"))
        return self


class Terminal(Item):
    """What the final value of a state costs, and a potential that spreads it over the steps."""

    cost: Expression
    potential: Expression | None = None


class State(Item):
    """A quantity with memory."""

    unit: UnitText
    index: Index = []
    init: ExpressionOrNumber
    next: Expression
    bounds: NumberPair
    terminal: Terminal | None = None
    source: Source = None
    summary: Text = ""


class Decision(Item):
    """What the agent chooses."""

    unit: UnitText = "1"
    index: Index = []
    box: NumberPair | None = None
    log: NumberPair | None = None
    integer: NumberPair | None = None
    simplex: str | None = None
    scale: Annotated[float, Field(strict=True, gt=0, le=20)] | None = None
    source: Source = None
    summary: Text = ""

    @model_validator(mode="after")
    def _one(self) -> Decision:
        exactly_one(self, DECISION_KINDS)
        return self

    @property
    def kind(self) -> str:
        """How Box(-1, 1) is mapped to the quantity."""
        return exactly_one(self, DECISION_KINDS)


DECISION_KINDS = ("box", "log", "integer", "simplex")


class Equation(Item):
    """A named intermediate quantity."""

    unit: UnitText
    index: Index | None = None
    expr: Expression
    source: Source = None
    summary: Text = ""


class Constraint(Item):
    """``expr <= 0``, priced per unit of violation."""

    unit: UnitText
    expr: Expression
    penalty: Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
    source: Source = None
    summary: Text = ""


class Metric(Item):
    """A reported scalar."""

    unit: UnitText
    expr: Expression
    reduce: Literal["sum", "mean", "max", "last"] = "sum"
    summary: Text = ""


class Observation(Item):
    """One entry of the observation and the range that is mapped to [-1, 1]."""

    unit: UnitText = "1"
    expr: Expression
    linear: NumberPair | None = None
    log: NumberPair | None = None
    summary: Text = ""

    @model_validator(mode="after")
    def _one(self) -> Observation:
        exactly_one(self, ("linear", "log"))
        return self


class Heuristic(Item):
    """A closed-form policy."""

    summary: Text = ""
    decisions: dict[str, Expression]


class Split(Item):
    """Definitions that replace those of the problem in a shifted split."""

    summary: Text = ""
    parameters: dict[str, dict[str, Any]] = {}
    processes: dict[str, dict[str, Any]] = {}


class Objective(Item):
    """The carbon of one step."""

    carbon: Equation


class Spec(Item):
    """A whole document."""

    spec: Literal[1] = 1
    meta: Meta
    time: Time
    sets: dict[str, SetDefinition] = {}
    parameters: dict[str, Parameter] = {}
    processes: dict[str, Process] = {}
    states: dict[str, State] = {}
    decisions: Annotated[dict[str, Decision], Field(min_length=1)]
    equations: dict[str, Equation] = {}
    objective: Objective
    constraints: dict[str, Constraint] = {}
    metrics: dict[str, Metric]
    observe: Annotated[dict[str, Observation], Field(min_length=1)]
    heuristics: dict[str, Heuristic] = {}
    splits: dict[Literal["ood"], Split] = {}
    provenance: Any = None


def validate(document: dict[str, Any]) -> Spec:
    """Check the shape of a document.

    Raises:
        SpecError: With every finding.
    """
    found: list[Diagnostic] = []
    shaped = {
        key: as_map(key, value, found) if key in NAMED_SECTIONS and value is not None else value
        for key, value in document.items()
    }
    if found:
        raise SpecError(found)
    found.extend(bad_names(shaped))
    try:
        spec = Spec.model_validate(shaped)
    except ValidationError as error:
        found.extend(diagnostic(detail, Spec) for detail in error.errors(include_url=False)[:20])
        raise SpecError(distinct(found)) from None
    if found:
        raise SpecError(found)
    return spec
