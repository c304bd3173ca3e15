"""The canonical form of a spec and its digest.

Maps and lists of named items, parameters given in other units and runs of white space all come to
one form; prose is left out. Sections whose order is part of the problem (sets, decisions,
observations) keep it.
"""

from __future__ import annotations

import hashlib
import json
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
    """SHA-256 of the canonical JSON form, in hex."""
    text = json.dumps(canonical(spec), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
