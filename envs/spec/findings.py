"""What is wrong with the shape of a document, in the language's terms and not pydantic's."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import ErrorDetails

from envs.spec.diagnostics import Diagnostic, nearest, shorten
from envs.spec.items import Item

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


def as_map(section: str, value: Any, found: list[Diagnostic]) -> Any:
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


def bad_names(document: dict[str, Any]) -> Iterator[Diagnostic]:
    """Say what is wrong with the names of a document."""
    for section in NAMED_SECTIONS:
        items = document.get(section)
        if isinstance(items, dict):
            for name in items:
                yield from check_name(name, f"{section}.{shorten(name, 48)}")
    meta = document.get("meta")
    if isinstance(meta, dict) and isinstance(meta.get("name"), str):
        yield from check_name(meta["name"], "meta.name")


def distinct(found: list[Diagnostic]) -> list[Diagnostic]:
    """Keep one diagnostic per path: alternatives of a union each report themselves."""
    return list({d.path: d for d in reversed(found)}.values())[::-1]


def diagnostic(detail: ErrorDetails, document: type[Item]) -> Diagnostic:
    """What pydantic found in a document of some model, in the language's terms."""
    kind, message, value = detail["type"], detail["msg"], detail.get("input")
    # Pydantic appends the branch of a union to the place; those parts are no keys of the document.
    head, *rest = detail["loc"] or ("document",)
    parts = [str(head), *(str(part) for part in rest if not _is_branch(part))]
    path = shorten(".".join(parts) or "document", 120)
    if kind == "extra_forbidden":
        hint = nearest(parts[-1], _known_keys(document, parts[:-1]))
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


def _known_keys(model: Any, parts: list[str]) -> list[str]:
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
