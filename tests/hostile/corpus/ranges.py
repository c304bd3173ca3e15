"""Shapes, bounds and domains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.hostile.corpus.spec import (
    BASE_TEXT,
    Case,
    case,
    changed,
    edited,
    equation,
    process,
)


def shapes() -> Iterator[Case]:
    """Indices and array shapes."""
    shape = "bad-shape bad-value index-mismatch"
    values: dict[str, Any] = {
        "too few values": [1.0],
        "too many values": [1, 2, 3],
        "no values": [],
        "a matrix for a vector": [[1, 2], [3, 4]],
        "a ragged list": [[1], [2, 3]],
        "a list with text": [1, "two"],
        "a list with null": [1, None],
        "a list with a map": [1, {"a": 1}],
        "a list with true": [1, True],
        "a deep list": [[[[[[1]]]]]],
        "a list with 1e309 as text": ["1e309", 1],
    }
    for what, value in values.items():
        yield case(what, shape, changed("parameters.weight.value", value))
    yield case("a list for a scalar", shape, changed("parameters.noise.value", [1, 2]))
    yield case(
        "10,000 values for two",
        shape + " too-large",
        changed("parameters.weight.value", [1] * 10_000),
    )
    yield case(
        "a metric over a set",
        "index-mismatch",
        changed("metrics.delivered.expr", "rate * time_step"),
    )
    yield case(
        "an objective over a set",
        "index-mismatch",
        changed("objective.carbon.expr", "intensity * energy"),
    )
    yield case(
        "a declared index that is not the index",
        "index-mismatch",
        changed("equations.rate.index", ["zone"]),
    )
    yield case(
        "a declared index that is missing", "index-mismatch", changed("equations.rate.index", [])
    )
    yield case(
        "a state that grows a set",
        "index-mismatch",
        changed("states.stored.next", "clip(stored + power * time_step, '0 Wh', capacity)"),
    )
    yield case(
        "a state that starts over a set",
        "index-mismatch",
        changed("states.stored.init", "capacity / 9 * demand / '1 Mbit/s'"),
    )
    yield case(
        "a heuristic over a foreign set",
        "index-mismatch",
        changed("heuristics.full_power.decisions.charge", "'1 W' * weight"),
    )
    yield case("a sum over a set the operand lacks", "index-mismatch", equation("sum(gain, zone)"))
    yield case("an element of a scalar", "index-mismatch unknown-name", equation("load[0]"))
    yield case(
        "a negative element", "bad-expression unknown-name index-mismatch", equation("gain[-1]")
    )
    yield case(
        "a shift by a varying number",
        "bad-expression bad-value index-mismatch",
        equation("shift(gain, user, load)"),
    )
    yield case(
        "a relabel to a set of another size",
        "index-mismatch bad-value",
        equation("relabel(gain, user, zone)"),
    )
    yield case(
        "a distribution over a foreign set",
        "index-mismatch",
        process(sample={"uniform": [0, "weight"]}),
    )
    yield case(
        "a table over two sets",
        "index-mismatch bad-value bad-expression",
        equation("interp(load, weight, gain)"),
    )
    table = {"xs": [3, 1], "ys": [0, 1]}

    def falling(document: dict[str, Any]) -> None:
        for name, value in table.items():
            document["parameters"][name] = {"unit": "1", "index": ["zone"], "value": value}
        document["equations"]["probe"] = {"unit": "1", "expr": "interp(load, xs, ys)"}

    yield case("a table whose xs fall", "bad-value bad-bounds domain bad-shape", edited(falling))
    yield case(
        "a table with drawn ys",
        "bad-expression bad-value not-known-yet unit-mismatch",
        equation("interp(load, demand, demand)"),
    )


def bounds() -> Iterator[Case]:
    """Bounds, scales and what stays inside them."""
    swapped = "bad-bounds bad-value"
    yield case("a box upside down", swapped, changed("decisions.charge.box", [50, -50]))
    yield case("a box without width", swapped, changed("decisions.charge.box", [5, 5]))
    yield case("a box with one bound", swapped + " bad-shape", changed("decisions.charge.box", [5]))
    yield case(
        "a box with three bounds",
        swapped + " bad-shape",
        changed("decisions.charge.box", [0, 1, 2]),
    )
    yield case("a log decision from 0", swapped, changed("decisions.power.log", [0, 1]))
    yield case("a log decision from below 0", swapped, changed("decisions.power.log", [-1, 1]))
    yield case("a log decision upside down", swapped, changed("decisions.power.log", [1, 0.01]))

    def between_whole_numbers(document: dict[str, Any]) -> None:
        document["decisions"]["count"] = {"unit": "1", "integer": [0.2, 0.8]}
        document["heuristics"]["full_power"]["decisions"]["count"] = "1"

    yield case("whole numbers without one", swapped, edited(between_whole_numbers))
    yield case("a linear scale upside down", swapped, changed("observe.demand.linear", [5, 1]))
    yield case("a linear scale without width", swapped, changed("observe.demand.linear", [5, 5]))
    yield case("a log scale from 0", swapped, changed("observe.gain.log", [0, 1]))
    yield case("a log scale below 0", swapped, changed("observe.gain.log", [-2, -1]))
    yield case(
        "a log scale of what may be negative",
        "domain bad-bounds",
        changed("observe.probe", {"unit": "W", "expr": "'1 W' * (load - 0.5)", "log": [0.1, 1]}),
    )
    yield case("a process upside down", swapped, changed("processes.load.bounds", [1, 0]))
    yield case("a state upside down", swapped, changed("states.stored.bounds", [500, 0]))
    yield case(
        "a state that may leave its bounds",
        "leaves-bounds",
        changed("states.stored.next", "stored + charge * time_step"),
    )
    yield case(
        "a state clipped to more than its bounds",
        "leaves-bounds",
        changed("states.stored.bounds", [0, 400]),
    )
    yield case(
        "a state that starts outside", "leaves-bounds", changed("states.stored.init", "'900 Wh'")
    )
    yield case("a clip upside down", "bad-bounds domain", equation("clip(load, 1, 0)"))
    yield case("a simplex scale of 0", "bad-value", changed("decisions.share.scale", 0))
    yield case("a simplex scale of 1e9", "bad-value", changed("decisions.share.scale", 1e9))
    yield case("a penalty below 0", "bad-value", changed("constraints.rate_met.penalty", -1))
    yield case(
        "a penalty that is text", "bad-value", changed("constraints.rate_met.penalty", "a lot")
    )
    yield case(
        "a penalty of 1e300", "bad-value overflow", changed("constraints.rate_met.penalty", 1e300)
    )


def domains() -> Iterator[Case]:
    """Divisions by 0, logarithms of less, numbers without end."""
    domain = {
        "a division by 0": "1 / 0",
        "a division by what may be 0": "1 / load",
        "a division by a difference": "1 / (load - 0.5)",
        "a division by a rounded number": "1 / round(load)",
        "a negative power of what may be 0": "load ** -1",
        "0 to a negative power": "0 ** -1",
        "a root of a negative number": "(load - 2) ** 0.5",
        "a fractional power of what may be negative": "(load - 0.5) ** 1.5",
        "the log of 0": "log(0)",
        "the log of what may be 0": "log(load)",
        "the log of what may be negative": "log2(load - 0.5)",
        "the log1p of -1": "log1p(-1)",
        "the root of -1": "sqrt(-1)",
        "the root of what may be negative": "sqrt(load - 0.5)",
        "a remainder of 0": "mod(load, 0)",
        "a remainder of what may be 0": "mod(1, load)",
        "decibels of what may be 0": "to_db(load)",
        "a division by a decision that may be 0": "'1 W' / charge",
        "a division by a state that may be 0": "'1 Wh' / stored",
    }
    for what, text in domain.items():
        yield case(what, "domain", equation(text))
    overflow = {
        "exp of exp": "exp(exp(exp(10 * (1 + load))))",
        "exp of 1,000": "exp(1000)",
        "10 to the 5,000": "10 ** 5000",
        "from_db of 1e5": "from_db(100000)",
        "expm1 of 1e5": "expm1(100000)",
        "squares of squares": "((((1e40 * (1 + load)) ** 2) ** 2) ** 2) ** 2",
    }
    for what, text in overflow.items():
        yield case(what, "overflow domain bad-value", equation(text))
    for what, literal in {
        "infinity": ".inf",
        "minus infinity": "-.INF",
        "not a number": ".nan",
        "1e999": "1e999",
        "minus 1e999": "-1e999",
        "5,000 digits": "9" * 5000,
        "hexadecimal": "0xFFFFFFFFFFFF",
        "a number with an underscore": "1_000",
        "sexagesimal": "190:20:30",
        "a date": "2024-01-01",
        "yes": "yes",
        "null": "null",
    }.items():
        broken = BASE_TEXT.replace(
            "noise: {unit: W, value: 1.0e-13}", f"noise: {{unit: W, value: {literal}}}"
        )
        assert broken != BASE_TEXT
        yield case(f"a value of {what}", "bad-value bad-unit missing-key", broken)
