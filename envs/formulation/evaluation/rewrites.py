"""Other ways to write the same problem: each must be accepted as equivalent."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from envs.formulation.evaluation.mutants import Document, expressions_of, replaced
from envs.formulation.evaluation.writing import everywhere, sites, written
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity, parse
from envs.spec.schema import NAMED_SECTIONS
from envs.spec.units import parse_unit

_NAMED = ("sets", "parameters", "processes", "states", "decisions", "equations", "constraints")
_OTHER_UNITS = {
    "W": "kW", "kW": "W", "J": "Wh", "Wh": "kJ", "kWh": "MJ", "kJ": "Wh", "s": "min",
    "gCO2e": "kgCO2e", "kgCO2e": "gCO2e", "gCO2e/kWh": "kgCO2e/kWh", "EUR/tCO2e": "ct/kgCO2e",
    "MHz": "kHz", "Mbit/s": "bit/s", "Mbit": "byte", "Gbit": "kbit", "m": "km", "m^2": "km^2",
    "m/s": "km/h", "Gcycle": "Mcycle", "Tcycle": "Gcycle", "Gcycle/s": "Mcycle/s", "EUR": "ct",
    "W/Hz": "kW/MHz", "J/Gcycle": "Wh/Tcycle", "W/m^2": "kW/km^2", "J/image": "kJ/image",
    "kgCO2e/h": "gCO2e/s", "EUR/kWh": "ct/MJ", "1/Tcycle": "1/Gcycle", "1": "percent",
}  # fmt: skip


@dataclass(frozen=True)
class Rewrite:
    """A spec that says the same.

    Attributes:
        kind: What was done.
        document: The whole spec.
    """

    kind: str
    document: Document


def rewrites(document: Document, seeds: int = 6) -> Iterator[Rewrite]:
    """Every kind once, then all kinds together in random choice and order."""
    for name, change in KINDS.items():
        for seed in range(seeds if name in _RANDOM else 1):
            yield Rewrite(name, change(copy.deepcopy(document), random.Random(seed)))
    for seed in range(3 * seeds):
        rng = random.Random(1000 + seed)
        chosen = rng.sample(sorted(_TOGETHER), 4)
        # Names last: the other kinds look items up by their sections only, lists would hide them.
        result = copy.deepcopy(document)
        for name in [*chosen, *_LAST]:
            result = KINDS[name](result, rng)
        yield Rewrite(" + ".join(["all names", *chosen]), result)


def _each_expression(document: Document, change: Callable[[Expression], Expression]) -> Document:
    """Every expression that J is made of, changed; rules, metrics and observations stay."""
    for path, text in list(expressions_of(document)):
        document = replaced(document, path, written(change(parse(text))))
    return document


def _renamed(document: Document, rng: random.Random) -> Document:
    names = [name for section in _NAMED for name in document.get(section, {})]
    order = list(range(len(names)))
    rng.shuffle(order)
    new = {name: f"q{number}" for name, number in zip(names, order, strict=True)}
    word = re.compile(r"\b[a-z][a-z0-9_]*\b")

    def of_text(text: str) -> str:
        # Quoted units and labels stay: 'h' is an hour though a set may be called so.
        parts = re.split(r"('[^']*'|\"[^\"]*\")", text)
        parts[::2] = [
            word.sub(lambda m: new.get(m.group(), m.group()), part) for part in parts[::2]
        ]
        return "".join(parts)

    def of_value(key: str, value: Any) -> Any:
        if key in ("unit", "source", "summary", "reduce", "labels", "step", "start", "hold", "per"):
            return value
        if isinstance(value, str):
            return of_text(value)
        if isinstance(value, list):
            return [of_value("", item) for item in value]
        if isinstance(value, dict):
            return {k: of_value(k, v) for k, v in value.items()}
        return value

    for section in NAMED_SECTIONS:
        items = document.get(section, {})
        document[section] = {
            (new.get(name, name) if section in _NAMED else name): (
                item
                if section == "sets" and not isinstance(item, dict)
                else of_value(section, item)
            )
            for name, item in items.items()
        }
    for heuristic in document["heuristics"].values():
        heuristic["decisions"] = {new[n]: e for n, e in heuristic["decisions"].items()}
    document["meta"] = {**document["meta"], "name": "written_otherwise"}
    return {key: value for key, value in document.items() if value != {}}


def _reordered(document: Document, rng: random.Random) -> Document:
    for section in _NAMED[1:]:
        items = list(document.get(section, {}).items())
        rng.shuffle(items)
        if items:
            document[section] = dict(items)
    return document


def _elements_reordered(document: Document, rng: random.Random) -> Document:
    """The elements of each labelled set in reverse, and every table with them."""
    for name, labels in document.get("sets", {}).items():
        if not isinstance(labels, list):
            continue
        document["sets"][name] = labels[::-1]
        for item in document.get("parameters", {}).values():
            if item.get("index") == [name] and isinstance(item.get("value"), list):
                item["value"] = item["value"][::-1]
    # Rules may name elements by number; they are no part of J.
    document.pop("heuristics", None)
    return document


def _other_labels(document: Document, rng: random.Random) -> Document:
    for name, labels in document.get("sets", {}).items():
        if isinstance(labels, list):
            new = {label: f"e{k}" for k, label in enumerate(labels)}
            document["sets"][name] = list(new.values())

            def of_text(value: Any, new: dict[str, str] = new) -> Any:
                if isinstance(value, dict):
                    return {k: of_text(v) for k, v in value.items()}
                if isinstance(value, list):
                    return [of_text(v) for v in value]
                if isinstance(value, str):
                    for old, other in new.items():
                        value = value.replace(f"['{old}']", f"['{other}']")
                return value

            for section in NAMED_SECTIONS[1:]:
                if section in document:
                    document[section] = of_text(document[section])
    return document


def _other_units(document: Document, rng: random.Random) -> Document:
    def factor(item: Document) -> float:
        old = str(item.get("unit", "1"))
        new = _OTHER_UNITS.get(old)
        if new is None or rng.random() < 0.2:
            return 1.0
        item["unit"] = new
        return parse_unit(old).factor / parse_unit(new).factor

    for item in document.get("parameters", {}).values():
        if "value" in item:
            item["value"] = _times(item["value"], factor(item))
    for item in document.get("decisions", {}).values():
        for kind in ("box", "log"):
            if kind in item:
                item[kind] = _times(item[kind], factor(item))
    for item in document.get("states", {}).values():
        size = factor(item)
        item["bounds"] = _times(item["bounds"], size)
        if not isinstance(item["init"], str):
            item["init"] = _times(item["init"], size)
    for item in document.get("equations", {}).values():
        factor(item)
    for item in document.get("constraints", {}).values():
        item["penalty"] = item["penalty"] / factor(item)
    for item in document.get("processes", {}).values():
        if "ar1" in item and all(isinstance(item["ar1"][k], int | float) for k in ("mean", "std")):
            size = factor(item)
            item["ar1"] = {
                **item["ar1"],
                "mean": item["ar1"]["mean"] * size,
                "std": item["ar1"]["std"] * size,
            }
            item["bounds"] = _times(item["bounds"], size)
    return document


def _times(value: Any, factor: float) -> Any:
    return [_times(v, factor) for v in value] if isinstance(value, list) else value * factor


def _inlined(document: Document, rng: random.Random) -> Document:
    trees = {name: parse(item["expr"]) for name, item in document.get("equations", {}).items()}

    def inline(node: Expression) -> Expression:
        if isinstance(node, Name) and node.name in trees:
            return everywhere(trees[node.name], inline)
        return node

    return _each_expression(document, lambda tree: everywhere(tree, inline))


def _split(document: Document, rng: random.Random) -> Document:
    """Equations moved into processes are not touched; others give a factor or a term away."""
    fresh: dict[str, Document] = {}
    for name, item in list(document.get("equations", {}).items()):
        tree = parse(item["expr"])
        parts = [
            (node, put)
            for node, put in sites(tree)
            if isinstance(node, Call) and node.function in "+-" and node is not tree
        ]
        if not parts:
            # The whole of it under another name, which the first then only repeats.
            fresh[f"{name}_part"] = {**item}
            item["expr"] = f"{name}_part"
    document["equations"] = {**fresh, **document.get("equations", {})}
    carbon = document["objective"]["carbon"]
    document["equations"]["carbon_of_step"] = {"unit": carbon["unit"], "expr": carbon["expr"]}
    carbon["expr"] = "carbon_of_step"
    return document


def _algebra(document: Document, rng: random.Random) -> Document:
    def change(node: Expression) -> Expression:
        if rng.random() < 0.35:
            return node
        match node:
            case Call(("+" | "*" | "min" | "max") as name, (a, b)):
                return Call(name, (b, a))
            case Call("-", (a, b)):
                return rng.choice(
                    [Call("negate", (Call("-", (b, a)),)), Call("+", (Call("negate", (b,)), a))]
                )
            case Call("/", (a, b)):
                return Call("*", (Call("/", (Number(1.0), b)), a))
            case Call("clip", (x, low, high)):
                return Call("min", (high, Call("max", (low, x))))
            case Call("sqrt", (x,)):
                return Call("**", (x, Number(0.5)))
            case Call("**", (x, Number(2.0))):
                return Call("*", (x, x))
            case Quantity(value, unit):
                return Call("*", (Number(value), Quantity(1.0, unit))) if value else node
        return node

    return _each_expression(document, lambda tree: everywhere(tree, change))


def _choices(document: Document, rng: random.Random) -> Document:
    def change(node: Expression) -> Expression:
        match node:
            case Call("max", (a, b)):
                return Call("where", (Call(">", (a, b)), a, b))
            case Call("min", (a, b)):
                return Call("negate", (Call("max", (Call("negate", (a,)), Call("negate", (b,)))),))
        return node

    # Intervals do not see through such choices; only what is no state and no divisor is rewritten.
    for path, text in list(expressions_of(document)):
        if path[0] in ("objective", "constraints"):
            document = replaced(document, path, written(everywhere(parse(text), change)))
    return document


def _distributed(document: Document, rng: random.Random) -> Document:
    def change(node: Expression) -> Expression:
        match node:
            case Call("*", (a, Call(("+" | "-") as sign, (b, c)))):
                return Call(sign, (Call("*", (a, b)), Call("*", (a, c))))
            case Call("*", (Call(("+" | "-") as sign, (b, c)), a)):
                return Call(sign, (Call("*", (b, a)), Call("*", (c, a))))
            case Call("sum", (Call(("+" | "-") as sign, (a, b)), *sets)):
                return Call(sign, (Call("sum", (a, *sets)), Call("sum", (b, *sets))))
        return node

    for path, text in list(expressions_of(document)):
        if path[0] in ("objective", "constraints"):
            document = replaced(document, path, written(everywhere(parse(text), change)))
    return document


def _constants_named(document: Document, rng: random.Random) -> Document:
    """Quantities in expressions become parameters."""
    fresh: dict[str, Document] = {}

    def change(node: Expression) -> Expression:
        if isinstance(node, Quantity) and node.value:
            name = f"constant_{len(fresh)}"
            fresh[name] = {"unit": node.unit.text, "value": node.value}
            return Name(name)
        return node

    document = _each_expression(document, lambda tree: everywhere(tree, change))
    document["parameters"] = {**document.get("parameters", {}), **fresh}
    return document


def _parameters_inlined(document: Document, rng: random.Random) -> Document:
    """Fixed scalar parameters become quantities in expressions."""
    fixed = {
        name: Quantity(float(item["value"]), parse_unit(str(item["unit"])))
        for name, item in document.get("parameters", {}).items()
        if isinstance(item.get("value"), int | float) and item["value"] > 0
    }
    return _each_expression(
        document,
        lambda tree: everywhere(tree, lambda n: fixed.get(n.name, n) if isinstance(n, Name) else n),
    )


def _noise_apart(document: Document, rng: random.Random) -> Document:
    """An autoregression as a standard one, scaled and shifted in a process of its own."""
    for name, item in list(document.get("processes", {}).items()):
        given = item.get("ar1")
        if not given or not all(isinstance(given[k], int | float) for k in ("mean", "std")):
            continue
        unit = item["unit"]
        low, high = item["bounds"]
        document["processes"][f"{name}_noise"] = {
            "unit": "1",
            **({"index": item["index"]} if "index" in item else {}),
            "ar1": {"mean": 0, "std": 1, "correlation": given["correlation"]},
        }
        document["processes"][name] = {
            **{key: value for key, value in item.items() if key in ("unit", "index")},
            "expr": f"clip(('{given['mean']} {unit}' + '{given['std']} {unit}' * {name}_noise), "
            f"'{low} {unit}', '{high} {unit}')",
        }
    return document


def _constraint_by_element(document: Document, rng: random.Random) -> Document:
    """A constraint over a labelled or numbered set as one constraint for each element."""
    for name, item in list(document.get("constraints", {}).items()):
        nodes = [node for node, _ in sites(parse(item["expr"]))]
        if any(isinstance(node, Element) for node in nodes):
            continue
        names = {node.name for node in nodes if isinstance(node, Name)}
        over = {
            one
            for section in ("parameters", "processes", "decisions")
            for other in names
            for one in document.get(section, {}).get(other, {}).get("index", [])
        }
        if len(over) == 1 and "sum(" not in item["expr"]:
            (index,) = over
            size = document["sets"][index]
            count = size if isinstance(size, int) else len(size)
            del document["constraints"][name]
            for k in range(count):
                expr = f"({item['expr']})[{k}]"
                document["constraints"][f"{name}_{k}"] = {**item, "expr": expr}
    return document


def _carbon_moved(document: Document, rng: random.Random) -> Document:
    """The terminal potential, which J feels only as a constant, and things without effect."""
    document["parameters"] = {**document.get("parameters", {}), "unused": {"unit": "W", "value": 3}}
    processes = {
        **document.get("processes", {}),
        "noise_of_nothing": {"unit": "1", "sample": {"uniform": [0, 1]}},
    }
    document["processes"] = processes
    document["meta"] = {**document["meta"], "title": "Another title", "summary": "Other words."}
    first = next(iter(document["observe"]))
    document["observe"] = {first: document["observe"][first]}
    document.pop("heuristics", None)
    for item in document.get("states", {}).values():
        low, high = item["bounds"]
        item["bounds"] = [low, high + (high - low)]
    return document


def _listed(document: Document, rng: random.Random) -> Document:
    for section in NAMED_SECTIONS:
        items = document.get(section)
        if section in ("objective", "splits", "sets") or not items:
            continue
        document[section] = [{"name": name, **item} for name, item in items.items()]
    return document


KINDS: dict[str, Callable[[Document, random.Random], Document]] = {
    "renamed": _renamed,
    "items in another order": _reordered,
    "elements in another order": _elements_reordered,
    "other names of elements": _other_labels,
    "other units": _other_units,
    "equations inlined": _inlined,
    "equations split": _split,
    "algebra": _algebra,
    "choices written otherwise": _choices,
    "distributed": _distributed,
    "constants moved to parameters": _constants_named,
    "parameters inlined": _parameters_inlined,
    "noise scaled apart": _noise_apart,
    "constraint by element": _constraint_by_element,
    "unused parts and wider state bounds": _carbon_moved,
    "lists of named items": _listed,
}
"""What is done, by name."""

_RANDOM = frozenset({"renamed", "items in another order", "other units", "algebra"})
_LAST = ("renamed", "other names of elements", "lists of named items")
_TOGETHER = frozenset(KINDS) - {*_LAST, "unused parts and wider state bounds"}
