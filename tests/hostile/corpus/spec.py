"""One sound spec, and the ways to break it in one place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

BASE_TEXT = (Path(__file__).parent / "base.yaml").read_text(encoding="utf-8")
CODES = frozenset(
    (
        "yaml-syntax yaml-alias yaml-tag yaml-duplicate too-large too-deep unknown-key missing-key "
        "bad-value bad-name name-taken unknown-name unknown-function bad-expression bad-unit "
        "unit-mismatch index-mismatch bad-shape bad-bounds cycle domain overflow not-known-yet "
        "leaves-bounds bad-distribution bad-trace budget"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile document and the codes of which at least one must be among its diagnostics."""

    name: str
    document: str | bytes
    codes: frozenset[str]


@cache
def base() -> dict[str, Any]:
    """The sound spec, read. Copy before changing it."""
    document: dict[str, Any] = yaml.safe_load(BASE_TEXT)
    return document


def render(document: Any) -> str:
    """Write a document as JSON, which is YAML."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False)


def changed(path: str, value: Any) -> str:
    """The base spec with one place set; the place is made if it is not there."""
    document = copy.deepcopy(base())
    *parents, last = path.split(".")
    place: Any = document
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return render(document)


def without(path: str) -> str:
    """The base spec with one key removed."""
    document = copy.deepcopy(base())
    *parents, last = path.split(".")
    place = document
    for part in parents:
        place = place[part]
    del place[last]
    return render(document)


def edited(edit: Callable[[dict[str, Any]], object]) -> str:
    """The base spec after an edit in place."""
    document = copy.deepcopy(base())
    edit(document)
    return render(document)


def equation(text: str, unit: str = "1") -> str:
    """The base spec with one more equation."""
    return changed("equations.probe", {"unit": unit, "expr": text})


def process(unit: str = "1", **kind: Any) -> str:
    """The base spec with one more process."""
    return changed("processes.probe", {"unit": unit, **kind})


def case(name: str, codes: str, document: str | bytes) -> Case:
    """Make a case; `codes` are blank-separated."""
    expected = frozenset(codes.split())
    if not expected <= CODES:
        raise ValueError(f"{name}: {expected - CODES} are no codes")
    return Case(name, document, expected)


def after_base(text: str) -> str:
    """The base spec with more text at its end."""
    return BASE_TEXT + text + "\n"
