"""From bytes to plain Python data: the safe subset of YAML that a spec may use.

YAML 1.2 core schema, built straight from parser events, so that nothing is ever constructed that
was not asked for: no aliases, anchors, tags, duplicate or non-string keys; budgets on bytes, depth
and nodes are held while reading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml

from envs.spec.diagnostics import Diagnostic, SpecError, shorten

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def read(text: str | bytes) -> dict[str, Any]:
    """Read a spec document into dicts, lists, strings, finite numbers, booleans and None.

    Raises:
        SpecError: With the first thing that the language does not allow.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _refused(
            "too-large", f"at most {MAX_BYTES} bytes", f"{size} bytes", "a spec is a page or two"
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _refused(
                "yaml-syntax", "UTF-8 text", str(error), "save the file as UTF-8"
            ) from None
    try:
        document = _Builder(yaml.parse(text, Loader=_LOADER)).document()
    except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        message = " ".join(str(error).split())
        raise _refused(
            "yaml-syntax", "a YAML document", shorten(message, 200), "mend the YAML at that line"
        ) from None
    if not isinstance(document, dict):
        raise _refused(
            "bad-value",
            "a map of sections",
            shorten(document),
            "start from the example in docs/language.md",
        )
    return document


def _refused(code: str, expected: str, actual: str, hint: str, path: str = "document") -> SpecError:
    return SpecError([Diagnostic(code, path, expected, actual, hint)])


class _Builder:
    """Builds data from the event stream, refusing as early as possible."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._nodes = 0

    def document(self) -> Any:
        data: Any = None
        seen = False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    raise _refused(
                        "yaml-syntax",
                        "one document",
                        "a second one after '---'",
                        "keep one spec a file",
                    )
                seen = True
                data = self._value(next(self._events), (), 0)
        return data

    def _value(self, event: Any, path: tuple[str, ...], depth: int) -> Any:
        where = ".".join(path) or "document"
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _refused(
                "too-large", f"at most {MAX_NODES} values", "more", "a spec is a page or two", where
            )
        if depth > MAX_DEPTH:
            raise _refused(
                "too-deep", f"at most {MAX_DEPTH} levels", "more", "flatten the document", where
            )
        if isinstance(event, yaml.AliasEvent):
            raise _refused(
                "yaml-alias", "plain values", f"alias *{event.anchor}", "write the value out", where
            )
        if event.anchor is not None:
            raise _refused(
                "yaml-alias",
                "plain values",
                f"anchor &{event.anchor}",
                "write the value out",
                where,
            )
        if event.tag is not None:
            raise _refused(
                "yaml-tag", "plain values", f"tag {shorten(event.tag)}", "remove the tag", where
            )
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, where)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(event, (*path, str(len(items))), depth + 1))
            return items
        return self._mapping(path, depth, where)

    def _mapping(self, path: tuple[str, ...], depth: int, where: str) -> dict[str, Any]:
        data: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(
                    "bad-value", "a word as key", "a list or map as key", "use simple keys", where
                )
            # Validated like any other scalar, then kept as written: a key is a name, even `off` or
            # `1`.
            self._value(event, (*path, "(key)"), depth + 1)
            key = str(event.value)
            if key in data:
                raise _refused(
                    "yaml-duplicate",
                    "each key once",
                    f"'{shorten(key)}' twice",
                    "remove one of them",
                    where,
                )
            data[key] = self._value(next(self._events), (*path, shorten(key, 48)), depth + 1)
        return data


def _scalar(event: Any, where: str) -> Any:
    text = str(event.value)
    if event.style:  # quoted or block; the C parser says "" and the Python one None for plain
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        number = math.inf if _NOT_FINITE.fullmatch(text) or len(text) > 400 else float(text)
        if not math.isfinite(number):
            raise _refused(
                "bad-value", "a finite number", shorten(text), "use a number below 1e300", where
            )
        return number
    return text
