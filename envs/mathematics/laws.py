"""Values, distributions and processes in words and formulas."""

from __future__ import annotations

from typing import Any

from envs.mathematics import tree as t
from envs.mathematics.blocks import Cell
from envs.mathematics.formulas import Formulas
from envs.mathematics.prose import number_text, plain_number, unit_text
from envs.spec import schema
from envs.spec.diagnostics import Finding
from envs.spec.expressions import Name, Quantity, parse
from envs.spec.units import parse_quantity, parse_unit

_SHOWN = 24
"""Numbers of a table that are printed; longer ones by their range."""


def value_of(value: Any, unit: str, formulas: Formulas) -> t.Formula:
    """A number in a unit, a quantity, or an expression."""
    if isinstance(value, int | float):
        return formulas.formula(Quantity(float(value), parse_unit(unit)))
    try:
        return formulas.formula(Quantity(*parse_quantity(value)))
    except Finding:  # then it is an expression, which the compiler has taken
        return formulas.formula(parse(value))


def law_of_parameter(item: schema.Parameter, formulas: Formulas) -> Cell:
    """The value of a parameter, or what it is drawn from."""
    if item.sample is not None:
        return (
            *_distribution(item.sample, item.unit, formulas),
            *_bounds(item),
            ", once a scenario",
        )
    if isinstance(item.value, list):
        flat = _flat(item.value)
        if len(flat) > _SHOWN:
            words = (
                f"{len(flat)} values from {plain_number(min(flat))} to {plain_number(max(flat))}"
            )
        else:
            words = _nested(item.value)
        return (f"{words} {unit_text(item.unit)}".rstrip(),)
    return (value_of(item.value, item.unit, formulas),)


def law_of_process(item: schema.Process, formulas: Formulas) -> Cell:
    """What a process is drawn from, and how it goes on in time."""
    held: Cell = () if item.hold is None else (", held for ", value_of(item.hold, "s", formulas))
    return (*_law(item, formulas), *_bounds(item), *held)


def _law(item: schema.Process, formulas: Formulas) -> Cell:
    if item.sample is not None:
        return (*_distribution(item.sample, item.unit, formulas), ", drawn anew each time")
    if item.ar1 is not None:
        given = item.ar1
        per: Cell = () if given.per is None else (" per ", value_of(given.per, "s", formulas))
        return (
            "AR(1), mean ",
            value_of(given.mean, item.unit, formulas),
            ", standard deviation ",
            value_of(given.std, item.unit, formulas),
            ", correlation ",
            value_of(given.correlation, "1", formulas),
            *per,
        )
    if item.markov is not None:
        values = ", ".join(plain_number(v) for v in item.markov.values)
        return (f"Markov chain on {values} {unit_text(item.unit)}".rstrip(),)
    if item.trace is not None:
        column = item.trace.column
        files = (
            item.trace.file
            if isinstance(item.trace.file, str)
            else ", ".join(item.trace.file.values())
        )
        return (f"recorded: {files}" + (f", column {column}" if isinstance(column, str) else ""),)
    if item.forecast is not None:
        return (
            "forecast of ",
            formulas.formula(Name(item.forecast.of)),
            " at ",
            value_of(item.forecast.lead, "s", formulas),
            " from now, error ",
            value_of(item.forecast.error, item.unit, formulas),
        )
    assert item.window is not None
    return (
        "sum of ",
        formulas.formula(Name(item.window.of)),
        " over the last ",
        value_of(item.window.over, "s", formulas),
    )


def _distribution(item: schema.Distribution, unit: str, formulas: Formulas) -> Cell:
    kind = item.kind
    given = getattr(item, kind)
    if kind == "integers":
        return (f"a whole number from {given[0]} to {given[1]}",)
    if kind == "choice":
        values = ", ".join(plain_number(v) for v in given.values)
        weights = ", ".join(number_text(w) for w in given.weights or [])
        words = f"one of {values} {unit_text(unit)}".rstrip()
        return (words + (f", with weights {weights}" if weights else ""),)
    if kind == "uniform":
        arguments = [("", given[0], unit), ("", given[1], unit)]
    else:
        own = {"mean", "std", "median", "scale"}
        arguments = [
            (key, value, unit if key in own else "1")
            for key in type(given).model_fields
            if (value := getattr(given, key)) is not None
        ]
    parts: list[t.Formula] = []
    for key, value, one in arguments:
        parts += [t.Operator(",", ",")] if parts else []
        if key in ("sigma", "a", "b"):
            parts += [t.Letter(key), t.Operator("=", "=")]
        elif key:
            parts += [t.Word(key), t.Operator("=", "=")]
        parts.append(value_of(value, one, formulas))
    return (t.Row((t.Word(kind), t.Fenced("(", t.Row(tuple(parts)), ")"))),)


def _bounds(item: schema.Parameter | schema.Process) -> Cell:
    if item.bounds is None:
        return ()
    low, high = item.bounds
    return (f", cut to {plain_number(low)} … {plain_number(high)} {unit_text(item.unit)}".rstrip(),)


def _flat(value: Any) -> list[float]:
    return [n for v in value for n in _flat(v)] if isinstance(value, list) else [float(value)]


def _nested(value: Any) -> str:
    if isinstance(value[0], list):
        return "; ".join(_nested(row) for row in value)
    return ", ".join(plain_number(v) for v in value)
