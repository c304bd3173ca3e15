"""The canonical form of a spec and its digest.

Maps and lists of named items, parameters given in other units and runs of white space all come to
one form; prose is left out. Sections whose order is part of the problem (sets, decisions,
observations) keep it.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from envs.spec.schema import NAMED_SECTIONS, Spec
from envs.spec.units import parse_quantity, parse_unit

_PROSE = ("title", "summary", "source", "sources")
_ORDERED = ("sets", "decisions", "observe")


def canonical(spec: Spec) -> dict[str, Any]:
    """The spec as plain data in canonical form."""
    data = spec.model_dump(exclude_none=True, exclude_defaults=True, exclude={"provenance"})
    data["meta"] = _without_prose(data["meta"])
    for split in data.get("splits", {}).values():
        split.pop("summary", None)
        for section in ("parameters", "processes"):
            if section in split:
                split[section] = {
                    name: _without_prose(item) for name, item in split[section].items()
                }
    for section in NAMED_SECTIONS:
        if section in data and section != "splits":
            data[section] = {name: _without_prose(item) for name, item in data[section].items()}
    # A trace is what its file holds, wherever that lies; the clock acts through traces alone.
    data["time"].pop("utc_offset", None)
    shifted = (split.get("processes", {}) for split in data.get("splits", {}).values())
    for processes in (data.get("processes", {}), *shifted):
        for item in processes.values():
            if isinstance(item.get("trace"), dict):
                item["trace"].pop("file", None)
    for section in _ORDERED:
        if section in data:
            data[section] = [[name, item] for name, item in data[section].items()]
    for item in data.get("parameters", {}).values():
        if isinstance(item.get("value"), str):
            item["value"] = _in_unit(item["value"], item["unit"])
    plain: dict[str, Any] = _plain(data)
    return plain


def _without_prose(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in _PROSE}


def _in_unit(quantity: str, unit: str) -> float:
    """The number in a unit, without the last digits, which depend on how it was written."""
    number, given = parse_quantity(quantity)
    return float(f"{number * given.factor / parse_unit(unit).factor:.14g}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return " ".join(value.split()) if isinstance(value, str) else value


def digest(spec: Spec) -> str:
    """SHA-256 of the canonical JSON form, in hex: names the problem as an agent meets it."""
    return _hash(canonical(spec))


_DECIDING = ("time", "states", "decisions", "objective", "constraints")
_FOUND = ("parameters", "processes", "equations")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def objective_digest(spec: Spec) -> str:
    """SHA-256 of what decides J alone, in hex: names what a reference is the optimum of.

    Rules, metrics, observations and whatever only they use are left out, so that a new rule or a
    better observation leaves a reference valid. A word of an expression that happens to name an
    item keeps it in: too much is harmless, too little is not.
    """
    whole = canonical(spec)
    kept: dict[str, Any] = {key: whole[key] for key in _DECIDING if key in whole}
    kept["meta"] = {key: whole["meta"].get(key) for key in ("name", "version")}
    pool = {section: whole.get(section, {}) for section in _FOUND}
    reached: set[str] = set()
    fresh = _names(kept)
    while fresh:
        reached |= fresh
        fresh = {
            name
            for items in pool.values()
            for given in fresh & items.keys()
            for name in _names(items[given])
        } - reached
    for section, items in pool.items():
        kept[section] = {name: item for name, item in items.items() if name in reached}
    kept["sets"] = [[name, item] for name, item in whole.get("sets", []) if name in reached]
    kept["splits"] = {
        split: {
            section: {name: item for name, item in items.items() if name in reached}
            for section, items in changes.items()
        }
        for split, changes in whole.get("splits", {}).items()
    }
    return _hash(kept)


def _names(data: Any) -> set[str]:
    return set(_NAME.findall(json.dumps(data)))


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
