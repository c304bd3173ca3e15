"""The same spec in other names, units, orders and shapes of its document."""

from __future__ import annotations

import random
import re
from typing import Any

from envs.formulation.evaluation.mutants import Document
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


def renamed(document: Document, rng: random.Random) -> Document:
    """Every item under a name that says nothing."""
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


def reordered(document: Document, rng: random.Random) -> Document:
    """The items of each section in another order."""
    for section in _NAMED[1:]:
        items = list(document.get(section, {}).items())
        rng.shuffle(items)
        if items:
            document[section] = dict(items)
    return document


def elements_reordered(document: Document, rng: random.Random) -> Document:
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


def other_labels(document: Document, rng: random.Random) -> Document:
    """The elements of each labelled set under other labels."""
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


def other_units(document: Document, rng: random.Random) -> Document:
    """Numbers in other units of the same dimension."""

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


def unused_parts(document: Document, rng: random.Random) -> Document:
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


def listed(document: Document, rng: random.Random) -> Document:
    """Sections as lists of named items."""
    for section in NAMED_SECTIONS:
        items = document.get(section)
        if section in ("objective", "splits", "sets") or not items:
            continue
        document[section] = [{"name": name, **item} for name, item in items.items()]
    return document
