"""The shape of a spec document: which sections, keys and plain values there are.

Only shape is checked here. Names, units, indices and domains are the compiler's business.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from envs.spec.diagnostics import Diagnostic, SpecError, nearest, shorten

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

NAMED_SECTIONS = (
    "sets",
    "parameters",
    "processes",
    "states",
    "decisions",
    "equations",
    "objective",
    "constraints",
    "metrics",
    "observe",
    "heuristics",
    "splits",
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_T = TypeVar("_T", bound="Item")


class Item(BaseModel):
    """Anything in a spec: unknown keys are refused, instances are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _exactly_one(item: Item, kinds: tuple[str, ...]) -> str:
    given = [kind for kind in kinds if getattr(item, kind) is not None]
    if len(given) != 1:
        raise PydanticCustomError(
            "one_of",
            "exactly one of {kinds}|{given}",
            {"kinds": ", ".join(kinds), "given": ", ".join(given) or "none of them"},
        )
    return given[0]


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
        _exactly_one(self, ("size", "labels", "alias_of"))
        return self


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
        _exactly_one(self, tuple(Distribution.model_fields))
        return self

    @property
    def kind(self) -> str:
        """Which distribution this is."""
        return _exactly_one(self, tuple(Distribution.model_fields))


Index = Annotated[list[str], Field(max_length=4)]
Source = Annotated[str, Field(max_length=4000)] | None


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
        _exactly_one(self, ("value", "expr", "sample"))
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
        _exactly_one(self, PROCESS_KINDS)
        return self

    @property
    def kind(self) -> str:
        """How the values come about."""
        return _exactly_one(self, PROCESS_KINDS)


PROCESS_KINDS = ("sample", "ar1", "markov", "expr", "trace", "forecast", "window")


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
        _exactly_one(self, DECISION_KINDS)
        return self

    @property
    def kind(self) -> str:
        """How Box(-1, 1) is mapped to the quantity."""
        return _exactly_one(self, DECISION_KINDS)


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
        _exactly_one(self, ("linear", "log"))
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
        key: _as_map(key, value, found) if key in NAMED_SECTIONS and value is not None else value
        for key, value in document.items()
    }
    if found:
        raise SpecError(found)
    found.extend(_bad_names(shaped))
    try:
        spec = Spec.model_validate(shaped)
    except ValidationError as error:
        found.extend(_diagnostic(detail) for detail in error.errors(include_url=False)[:20])
        raise SpecError(_distinct(found)) from None
    if found:
        raise SpecError(found)
    return spec


def _as_map(section: str, value: Any, found: list[Diagnostic]) -> Any:
    """Turn the list form of a section, items with a ``name`` key, into its map form."""
    if not isinstance(value, list):
        return value
    items: dict[str, Any] = {}
    for position, item in enumerate(value):
        place = f"{section}.{position}"
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(name, str):
            hint = "write {name: ..., unit: ..., ...} or use a map from name to item"
            found.append(
                Diagnostic("missing-key", place, "an item with a name", shorten(item), hint)
            )
        elif name in items:
            found.append(
                Diagnostic(
                    "yaml-duplicate", place, "each name once", f"'{name}' twice", "rename one"
                )
            )
        else:
            items[name] = {key: part for key, part in item.items() if key != "name"}
    return items


def check_name(name: str, path: str) -> Iterator[Diagnostic]:
    """Say what is wrong with a name, if anything."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        actual = f"'{shorten(name)}'"
        if not name.isascii():
            odd = next(c for c in name if not c.isascii())
            actual += f" with U+{ord(odd):04X}"
        elif keyword.iskeyword(name):
            actual += ", a reserved word"
        yield Diagnostic(
            "bad-name",
            path,
            "a lower-case ASCII name such as 'transmit_power', at most 48 characters",
            actual,
            "rename it with letters a-z, digits and underscores",
        )


def _bad_names(document: dict[str, Any]) -> Iterator[Diagnostic]:
    for section in NAMED_SECTIONS:
        items = document.get(section)
        if isinstance(items, dict):
            for name in items:
                yield from check_name(name, f"{section}.{shorten(name, 48)}")
    meta = document.get("meta")
    if isinstance(meta, dict) and isinstance(meta.get("name"), str):
        yield from check_name(meta["name"], "meta.name")


def _distinct(found: list[Diagnostic]) -> list[Diagnostic]:
    """Keep one diagnostic per path: alternatives of a union each report themselves."""
    return list({d.path: d for d in reversed(found)}.values())[::-1]


def _diagnostic(detail: ErrorDetails) -> Diagnostic:
    kind, message, value = detail["type"], detail["msg"], detail.get("input")
    # Pydantic appends the branch of a union to the place; those parts are no keys of the document.
    head, *rest = detail["loc"] or ("document",)
    parts = [str(head), *(str(part) for part in rest if not _is_branch(part))]
    path = shorten(".".join(parts) or "document", 120)
    if kind == "extra_forbidden":
        hint = nearest(parts[-1], _known_keys(parts[:-1]))
        return Diagnostic(
            "unknown-key", path, "a key of the language", f"'{shorten(parts[-1])}'", hint
        )
    if kind == "missing":
        return Diagnostic(
            "missing-key",
            path,
            f"a value for '{parts[-1]}'",
            "nothing",
            "add it; see docs/language.md",
        )
    if kind == "one_of":
        expected, _, given = message.partition("|")
        return Diagnostic("bad-value", path, expected, given, "keep exactly one of them")
    return Diagnostic(
        "bad-value", path, message, shorten(value), "see docs/language.md for this section"
    )


def _is_branch(part: object) -> bool:
    return isinstance(part, str) and (
        "[" in part or part in {"float", "int", "str", "constrained-str"}
    )


def _known_keys(parts: list[str]) -> list[str]:
    model: Any = Spec
    for part in parts:
        fields = getattr(model, "model_fields", {})
        if part in fields:
            model = _model_in(fields[part].annotation) or model
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Item):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None
