"""Wrong versions of a spec: one mistake each, of the kinds that formulations make."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from envs.formulation.evaluation.writing import sites, written
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity, parse
from envs.spec.units import parse_unit

Document = dict[str, Any]

_OPPOSITE = {"+": "-", "-": "+", "min": "max", "max": "min", "<": ">", ">": "<", "sum": "mean"}


@dataclass(frozen=True)
class Mutant:
    """A spec with one mistake.

    Attributes:
        kind: Of the mistake.
        place: Where it was made, and what it is.
        document: The whole spec.
    """

    kind: str
    place: str
    document: Document


def mutants(document: Document) -> Iterator[Mutant]:
    """Every mistake of every kind at every place; some of them do not compile."""
    yield from _structural(document)
    yield from _numbers(document)
    yield from _expressions(document)


def expressions_of(document: Document) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and text of every expression that J is made of."""
    for name, item in document.get("equations", {}).items():
        yield ("equations", name, "expr"), item["expr"]
    yield ("objective", "carbon", "expr"), document["objective"]["carbon"]["expr"]
    for name, item in document.get("constraints", {}).items():
        yield ("constraints", name, "expr"), item["expr"]
    for name, item in document.get("states", {}).items():
        yield ("states", name, "next"), item["next"]
        if isinstance(item["init"], str):
            yield ("states", name, "init"), item["init"]
        if "terminal" in item:
            yield ("states", name, "terminal", "cost"), item["terminal"]["cost"]
    for name, item in document.get("processes", {}).items():
        if "expr" in item:
            yield ("processes", name, "expr"), item["expr"]


def replaced(document: Document, path: tuple[str, ...], value: Any) -> Document:
    """A copy with another value at a path."""
    result = copy.deepcopy(document)
    item = result
    for key in path[:-1]:
        item = item[key]
    item[path[-1]] = value
    return result


def without(document: Document, path: tuple[str, ...]) -> Document:
    """A copy without what is at a path."""
    result = copy.deepcopy(document)
    item = result
    for key in path[:-1]:
        item = item[key]
    del item[path[-1]]
    return result


def _structural(document: Document) -> Iterator[Mutant]:
    for name, item in document.get("constraints", {}).items():
        yield Mutant("dropped constraint", name, without(document, ("constraints", name)))
        for factor in (0.1, 1000.0):
            path = ("constraints", name, "penalty")
            changed = replaced(document, path, item["penalty"] * factor)
            yield Mutant("wrong penalty", f"{name} × {factor:g}", changed)
    for name, item in document.get("states", {}).items():
        if "terminal" in item:
            dropped = without(document, ("states", name, "terminal"))
            yield Mutant("dropped terminal value", name, dropped)
    time = document["time"]
    for step in ("7 min", "2 h"):
        yield Mutant("wrong time step", step, replaced(document, ("time", "step"), step))
    yield Mutant(
        "wrong horizon", "half", replaced(document, ("time", "horizon"), time["horizon"] // 2)
    )
    yield Mutant("wrong start", "03:00", replaced(document, ("time", "start"), "03:00"))
    for name, item in document.get("decisions", {}).items():
        for kind in ("box", "log", "integer"):
            if kind in item:
                low, high = item[kind]
                for bounds in (
                    [low, high * 2],
                    [low, high * 1000],
                    [(low + high) // 2 or low / 2, high],
                ):
                    changed = replaced(document, ("decisions", name, kind), bounds)
                    yield Mutant("wrong bound", f"{name} {bounds}", changed)
        if "integer" in item:
            real = without(document, ("decisions", name, "integer"))
            real["decisions"][name]["box"] = item["integer"]
            yield Mutant("whole number made real", name, real)


def _numbers(document: Document) -> Iterator[Mutant]:
    for name, item in document.get("parameters", {}).items():
        path = ("parameters", name, "value")
        if isinstance(item.get("value"), int | float):
            for factor in (1000.0, 0.001, 1 / 3.6):
                changed = replaced(document, path, item["value"] * factor)
                yield Mutant("wrong unit", f"{name} × {factor:.4g}", changed)
        elif isinstance(item.get("value"), list):
            values = item["value"]
            yield Mutant("wrong index", f"{name} reversed", replaced(document, path, values[::-1]))
            changed = replaced(document, path, [values[0]] * len(values))
            yield Mutant("wrong index", f"{name} all as the first", changed)
    for section in ("parameters", "processes"):
        for name, item in document.get(section, {}).items():
            yield from _laws(document, section, name, item)
    for name, item in document.get("states", {}).items():
        if isinstance(item["init"], int | float):
            low, high = item["bounds"]
            other = low if item["init"] != low else low + 0.25 * (high - low)
            changed = replaced(document, ("states", name, "init"), other)
            yield Mutant("wrong initial value", name, changed)


def _laws(document: Document, section: str, name: str, item: Document) -> Iterator[Mutant]:
    """Mistakes in what is drawn."""
    path = (section, name)
    if "bounds" in item:
        low, high = item["bounds"]
        for bounds in ([low, low / 2 + high / 2], [low / 2 + high / 2, high]):
            changed = replaced(document, (*path, "bounds"), bounds)
            yield Mutant("wrong bound", f"{name} {bounds}", changed)
    if "ar1" in item:
        for key, factor in (("std", 2.0), ("correlation", 0.5), ("std", 0.001)):
            if isinstance(item["ar1"].get(key), int | float):
                changed = replaced(document, (*path, "ar1", key), item["ar1"][key] * factor)
                yield Mutant("wrong law", f"{name} {key} × {factor:g}", changed)
        if isinstance(item["ar1"].get("mean"), int | float):
            changed = replaced(document, (*path, "ar1", "mean"), item["ar1"]["mean"] * 1.3)
            yield Mutant("wrong law", f"{name} mean × 1.3", changed)
        held = replaced(document, (*path, "hold"), _twice(document))
        yield Mutant("wrong law", f"{name} held for two steps", held)
    for kind, parts in item.get("sample", {}).items():
        if kind == "uniform" and all(isinstance(p, int | float) for p in parts):
            low, high = parts
            changed = replaced(document, (*path, "sample", kind), [low, low + 2 * (high - low)])
            yield Mutant("wrong law", f"{name} wider", changed)
            normal = {"normal": {"mean": (low + high) / 2, "std": (high - low) / 12**0.5}}
            changed = replaced(document, (*path, "sample"), normal)
            yield Mutant("wrong law", f"{name} normal", changed)
        elif isinstance(parts, dict):
            for key, value in parts.items():
                if isinstance(value, int | float):
                    changed = replaced(document, (*path, "sample", kind, key), value * 1.5)
                    yield Mutant("wrong law", f"{name} {key} × 1.5", changed)


def _twice(document: Document) -> str:
    number, unit = str(document["time"]["step"]).split()
    return f"{2 * float(number):g} {unit}"


def _expressions(document: Document) -> Iterator[Mutant]:
    for path, text in expressions_of(document):
        for node, put in sites(parse(text)):
            for kind, what, new in _mistakes(document, node):
                changed = replaced(document, path, written(put(new)))
                yield Mutant(kind, f"{'.'.join(path)}: {what}", changed)


def _mistakes(document: Document, node: Expression) -> Iterator[tuple[str, str, Expression]]:
    match node:
        case Call(("+" | "-") as sign, (a, b)):
            yield "flipped sign", written(node), Call(_OPPOSITE[sign], (a, b))
            yield "dropped term", written(b), a
            yield "dropped term", written(a), b if sign == "+" else Call("negate", (b,))
        case Call(("*" | "/") as sign, (a, b)):
            if isinstance(b, Name) and _plain(document, b.name):
                yield "lost efficiency", written(node), a
            if isinstance(a, Name) and _plain(document, a.name) and sign == "*":
                yield "lost efficiency", written(node), b
            if isinstance(b, Name) and _plain(document, b.name):
                yield "inverted factor", written(node), Call("/" if sign == "*" else "*", (a, b))
        case Call(("min" | "max" | "<" | ">") as name, (a, b)):
            yield f"swapped {name}", written(node), Call(_OPPOSITE[name], (a, b))
            if name in ("min", "max"):
                yield f"dropped {name}", written(node), a
        case Call("clip", (x, low, high)):
            yield "dropped clip", written(node), Call("max", (x, low))
            yield "dropped clip", written(node), Call("min", (x, high))
        case Call("sum", arguments):
            yield "sum as mean", written(node), Call("mean", arguments)
        case Call(("sqrt" | "exp" | "cos" | "sin") as name, (a,)):
            other = {"sqrt": "abs", "exp": "expm1", "cos": "sin", "sin": "cos"}[name]
            yield "wrong function", written(node), Call(other, (a,))
        case Call("log2", (a,)):
            yield "wrong function", written(node), Call("log", (a,))
        case Element(of, str() as label):
            for labels in document.get("sets", {}).values():
                if isinstance(labels, list) and label in labels:
                    other = labels[(labels.index(label) + 1) % len(labels)]
                    yield "wrong index", f"{written(node)} as {other}", Element(of, other)
        case Name(name):
            for other in _lookalikes(document, name):
                yield "wrong quantity", f"{name} as {other}", Name(other)
        case Quantity(value, unit) if value:
            yield "wrong unit", written(node), Quantity(value * 1000, unit)
        case Number(value) if value:
            yield "wrong number", written(node), Number(value * 1.1)
        case _:
            pass


def _plain(document: Document, name: str) -> bool:
    item = document.get("parameters", {}).get(name)
    return item is not None and parse_unit(str(item["unit"])).dimension.dimensionless


def _lookalikes(document: Document, name: str) -> Iterator[str]:
    """Other quantities with the same dimension and index, of the same section."""
    for section in ("parameters", "processes", "decisions", "states", "equations"):
        items = document.get(section, {})
        if name in items:
            mine = items[name]
            for other, item in items.items():
                same = parse_unit(str(item.get("unit", "1"))).dimension == (
                    parse_unit(str(mine.get("unit", "1"))).dimension
                )
                if other != name and same and item.get("index") == mine.get("index"):
                    yield other
