"""A document as YAML that people like to read, and that the language's reader reads back alike.

PyYAML's own emitter speaks YAML 1.1, in which ``1e-11`` is a text and ``off`` is false; the
language is YAML 1.2's core schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

WIDTH = 120
# Words and units, and quantities such as `15 min`: nothing that YAML could take for anything else.
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z0-9_/^*+.-]*( [A-Za-z0-9][A-Za-z0-9_/^*+.-]*)*|[0-9]+ [a-zA-Z]+"
)
_NOT_PLAIN = frozenset(("true", "false", "null", "y", "n", "yes", "no", "on", "off"))
_SPACED = frozenset(("parameters", "processes", "decisions", "equations", "objective"))


def to_yaml(document: dict[str, Any]) -> str:
    """The document in block style, short items on one line."""
    lines: list[str] = []
    for key, value in document.items():
        if lines and isinstance(value, dict) and key in _SPACED:
            lines.append("")
        lines += _entry(key, value, 0)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: int) -> Iterator[str]:
    """The lines of one key with its value."""
    head = f"{' ' * indent}{_scalar(key)}:"
    short = f"{head} {_inline(value)}"
    section = indent == 0 and isinstance(value, dict) and any(map(_is_open, value.values()))
    if (len(short) <= WIDTH and not section) or not isinstance(value, dict | list | str):
        yield short
    elif isinstance(value, dict):
        yield head
        for inner, item in value.items():
            yield from _entry(inner, item, indent + 2)
    elif isinstance(value, list):
        yield head
        for item in value:
            yield f"{' ' * (indent + 2)}- {_inline(item)}"
    elif _can_fold(value):
        yield f"{head} >-"
        yield from _folded(value, indent + 2)
    else:
        yield short


def _is_open(value: Any) -> bool:
    return isinstance(value, dict)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN:
            return value
        return "".join(map(_shown, json.dumps(value, ensure_ascii=False)))
    return json.dumps(value)


def _shown(character: str) -> str:
    """A character of a quoted text; JSON's surrogate pairs are no YAML."""
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _can_fold(text: str) -> bool:
    """Whether folding at single blanks gives the same text back."""
    return (
        text.isprintable()
        and text == " ".join(text.split(" "))
        and "  " not in text
        and (text == text.strip())
    )


def _folded(text: str, indent: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and indent + len(line) + 1 + len(word) > WIDTH:
            yield " " * indent + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield " " * indent + line
