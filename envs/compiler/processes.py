"""Plans for processes: how each path is drawn, and the interval its values cannot leave."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from envs.compiler import distributions, functions, recorded
from envs.compiler.distributions import NORMAL_LIMIT
from envs.compiler.graph import Level, Node
from envs.compiler.intervals import Interval
from envs.compiler.model import ProcessPlan
from envs.compiler.tape import needed
from envs.spec import schema
from envs.spec.diagnostics import Finding
from envs.spec.units import Unit, parse_quantity, parse_unit

if TYPE_CHECKING:
    from envs.compiler.scope import Scope

_SECOND = parse_unit("s")
_ONE = parse_unit("1")
MAX_LOOKAHEAD = 100_000


def plan(scope: Scope, name: str, item: schema.Process) -> ProcessPlan:
    """Lower one process.

    Raises:
        Finding: Whatever is wrong with it.
    """
    unit = parse_unit(item.unit)
    index = scope.index(item.index)
    hold = _steps(scope, item.hold, "hold") if item.hold is not None else 1
    if hold > 1 and item.kind in ("expr", "trace", "forecast", "window"):
        raise Finding(
            "bad-value",
            "hold on what is drawn: sample, ar1 or markov",
            f"hold on {item.kind}",
            "hold the processes it is made of",
        )
    parts: dict[str, object] = {}
    match item.kind:
        case "sample":
            assert item.sample is not None
            quantify = scope.quantifier(index, Level.EXOGENOUS)
            draw, interval = distributions.lower(item.sample, unit, quantify)
            parts = {"draw": draw}
        case "ar1":
            assert item.ar1 is not None
            arguments, interval = _ar1(scope, item.ar1, unit, index, hold)
            parts = {"arguments": arguments}
        case "markov":
            assert item.markov is not None
            values, transition = _markov(item.markov, unit)
            interval = float(values.min()), float(values.max())
            parts = {"values": values, "transition": transition}
        case "expr":
            assert item.expr is not None
            value = scope.quantifier(index, Level.EXOGENOUS)(item.expr, unit)
            interval = value.interval
            parts = {"arguments": {"value": value}}
        case "trace":
            assert item.trace is not None
            recording = recorded.plan(scope, name, item.trace, unit, index)
            interval = float(recording.values.min()), float(recording.values.max())
            parts = {"recording": recording}
        case "window":
            assert item.window is not None
            parts, interval = _window(scope, item.window, unit, index)
        case _:
            assert item.forecast is not None
            parts, interval = _forecast(scope, item.forecast, unit, index)
    interval = bounded(interval, item.bounds, unit)
    node = scope.graph.source("process", name, index, unit.dimension, interval, Level.EXOGENOUS)
    return ProcessPlan(name, node, item.kind, hold, **parts)  # type: ignore[arg-type]


def with_lengths(plans: list[ProcessPlan], horizon: int) -> list[ProcessPlan]:
    """Give each plan the length of its path: as far as forecasts look ahead on it.

    Plans are in the order in which they depend on each other.
    """
    lengths = {plan.name: horizon for plan in plans}
    for plan in reversed(plans):
        if plan.leads:
            lengths[plan.of] = max(lengths[plan.of], lengths[plan.name] + max(plan.leads))
            continue
        for node in needed(plan.roots):
            if node.op == "process":
                name = str(node.attribute)
                lengths[name] = max(lengths[name], lengths[plan.name])
    return [replace(plan, steps=lengths[plan.name]) for plan in plans]


def bounded(interval: Interval, bounds: list[float] | None, unit: Unit) -> Interval:
    """The interval cut to declared bounds.

    Raises:
        Finding: ``bad-bounds``.
    """
    if bounds is None:
        return interval
    low, high = (bound * unit.factor for bound in bounds)
    if low > high:
        raise Finding("bad-bounds", "bounds: [low, high]", f"{bounds}", "swap the two ends")
    return max(low, min(interval[0], high)), min(high, max(interval[1], low))


def _steps(scope: Scope, duration: schema.ExpressionOrNumber, what: str) -> int:
    steps = duration_s(duration) / scope.step_s
    if not 1 <= round(steps) <= MAX_LOOKAHEAD or abs(steps - round(steps)) > 1e-6:
        raise Finding(
            "bad-value",
            f"{what}: a whole number of steps",
            f"{steps:g} steps",
            "choose a multiple of time.step",
        )
    return round(steps)


def duration_s(duration: schema.ExpressionOrNumber) -> float:
    """A constant duration in seconds: a number of seconds, or a quantity such as ``5 min``.

    Raises:
        Finding: ``unit-mismatch`` or ``bad-value``.
    """
    if isinstance(duration, int | float):
        return float(duration)
    number, unit = parse_quantity(duration.strip().strip("'"))
    if unit.dimension != _SECOND.dimension:
        raise Finding(
            "unit-mismatch", "a time, such as 5 min", f"'{duration}'", "use s, min, h or day"
        )
    return number * unit.factor


def _ar1(
    scope: Scope, item: schema.Ar1, unit: Unit, index: tuple[str, ...], hold: int
) -> tuple[dict[str, Node], Interval]:
    quantify = scope.quantifier(index, Level.SCENARIO)
    mean, std = quantify(item.mean, unit), quantify(item.std, unit)
    correlation = quantify(item.correlation, _ONE)
    if std.interval[0] < 0:
        raise Finding("bad-distribution", "a std of at least 0", f"{std.interval[0]:g}", "mend std")
    if not 0 <= correlation.interval[0] <= correlation.interval[1] < 1:
        raise Finding(
            "bad-distribution",
            "a correlation from 0 to below 1",
            f"{correlation.interval[0]:g} … {correlation.interval[1]:g}",
            "an AR(1) with correlation 1 is not stationary; use for instance 0.99",
        )
    if item.per is not None:
        per = duration_s(item.per)
        if per <= 0:
            raise Finding(
                "bad-value", "per: a time above 0", f"{per:g} s", "write for instance per: 1 h"
            )
        exponent = scope.graph.constant(hold * scope.step_s / per)
        correlation = functions.power(scope.graph, correlation, exponent)
    rho = correlation.interval[1]
    reach = std.interval[1] * NORMAL_LIMIT * math.sqrt((1 + rho) / max(1 - rho, 1e-12))
    interval = mean.interval[0] - reach, mean.interval[1] + reach
    return {"mean": mean, "std": std, "correlation": correlation}, interval


def _markov(item: schema.Markov, unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    values = np.array(item.values) * unit.factor
    size = len(values)
    if any(len(row) != size for row in item.transition) or len(item.transition) != size:
        raise Finding(
            "bad-shape",
            f"a {size} x {size} transition matrix",
            "another shape",
            "one row for each value",
        )
    transition = np.array(item.transition)
    if transition.min() < 0 or np.abs(transition.sum(axis=1) - 1).max() > 1e-9:
        raise Finding(
            "bad-distribution",
            "rows of probabilities that sum to 1",
            f"{item.transition}",
            "mend the matrix",
        )
    return values, transition


def _forecast(
    scope: Scope, item: schema.Forecast, unit: Unit, index: tuple[str, ...]
) -> tuple[dict[str, object], Interval]:
    of = _other(scope, item.of, unit)
    lead = _constant_times(scope, item.lead, "leads")
    if len(lead.index) > 1:
        raise Finding(
            "index-mismatch",
            "leads over one set at most",
            f"{lead.index}",
            "index the leads by one set",
        )
    _expect_index(scope, (of, lead), index, "the process and its leads")
    leads = tuple(_whole_steps(scope, lead, "leads").ravel().tolist())
    if not 0 <= item.correlation < 1:
        raise Finding(
            "bad-distribution",
            "a correlation from 0 to below 1",
            f"{item.correlation:g}",
            "mend it",
        )
    error = scope.quantifier(index, Level.SCENARIO)(item.error, unit)
    if error.interval[0] < 0:
        raise Finding(
            "bad-distribution", "an error of at least 0", f"{error.interval[0]:g}", "mend error"
        )
    reach = (
        error.interval[1]
        * NORMAL_LIMIT
        * math.sqrt((1 + item.correlation) / (1 - item.correlation))
    )
    parts: dict[str, object] = {
        "arguments": {"error": error},
        "of": item.of,
        "leads": leads,
        "lead_set": lead.index[0] if lead.index else None,
        "correlation": item.correlation,
    }
    return parts, (of.interval[0] - reach, of.interval[1] + reach)


def _window(
    scope: Scope, item: schema.Window, unit: Unit, index: tuple[str, ...]
) -> tuple[dict[str, object], Interval]:
    of = _other(scope, item.of, unit)
    over = _constant_times(scope, item.over, "over")
    _expect_index(scope, (of, over), index, "the process and its durations")
    lengths = _whole_steps(scope, over, "over")
    longest = int(lengths.max())
    interval = min(of.interval[0] * longest, 0.0), max(of.interval[1] * longest, 0.0)
    aligned = scope.graph.aligned(over, lengths, index)[..., 0]
    return {"of": item.of, "leads": (0,), "lengths": aligned}, interval


def _other(scope: Scope, name: str, unit: Unit) -> Node:
    """The process that another one is made of; both have one dimension."""
    if name not in scope.spec.processes:
        raise Finding("unknown-name", "of: a process", f"'{name}'", "name a process of this spec")
    of = scope.resolve(name)
    if of.dimension != unit.dimension:
        raise Finding(
            "unit-mismatch",
            f"the dimension of {name}, {of.dimension}",
            str(unit.dimension),
            "mend unit",
        )
    return of


def _constant_times(scope: Scope, expression: str, what: str) -> Node:
    times = scope.quantifier(None, Level.CONSTANT)(expression, _SECOND)
    if times.value is None:
        raise Finding(
            "index-mismatch", f"{what} known at compile time", "others", "use constant parameters"
        )
    return times


def _expect_index(scope: Scope, nodes: tuple[Node, ...], index: tuple[str, ...], what: str) -> None:
    expected = scope.graph.joined(*(node.index for node in nodes))
    if expected != index:
        raise Finding(
            "index-mismatch",
            f"index {list(expected)}",
            f"{list(index)}",
            f"name the sets of {what}",
        )


def _whole_steps(scope: Scope, times: Node, what: str) -> np.ndarray:
    """Constant times as whole steps, in the shape of the node."""
    assert times.value is not None
    steps = times.value / scope.step_s
    whole = np.rint(steps)
    if np.abs(steps - whole).max() > 1e-6:
        raise Finding(
            "bad-value",
            f"{what} of whole steps",
            f"{', '.join(f'{s:g}' for s in steps.ravel()[:8])} steps",
            "choose multiples of time.step",
        )
    if whole.min() < 0 or whole.max() > MAX_LOOKAHEAD:
        raise Finding(
            "bad-value",
            f"{what} of 0 or more",
            f"{whole.min():g} … {whole.max():g} steps",
            f"mend {what}",
        )
    return whole.astype(np.int64)
