"""From what a language model said to the document it means: YAML in a fence, or JSON."""

from __future__ import annotations

import re
from typing import Any

from envs.spec.diagnostics import Diagnostic, SpecError, shorten
from envs.spec.reader import MAX_BYTES, read
from envs.spec.schema import NAMED_SECTIONS

_FENCE = re.compile(
    r"^[ ]{0,3}(`{3,}|~{3,})[ \t]*(?:ya?ml|json)?[ \t]*\n(.*?)(?:^[ ]{0,3}\1[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_KEY = re.compile(r"^spec[ ]*:|^[ ]*\{", re.MULTILINE)


def document_in(text: str) -> dict[str, Any]:
    """The spec document in an answer, with named sections as maps.

    Raises:
        SpecError: There is none, there are several, or it is no document of the language.
    """
    if len(text) > MAX_BYTES:
        raise _bad(f"at most {MAX_BYTES} bytes", f"{len(text)} characters", "a spec is a page")
    text = text.replace("\r\n", "\n").replace("\ufeff", "")
    blocks = [match.group(2) for match in _FENCE.finditer(text)]
    blocks = [block for block in blocks if _KEY.search(block)] or blocks
    if len(blocks) > 1:
        raise _bad("one fenced block", f"{len(blocks)} of them", "answer with one whole spec")
    source = blocks[0] if blocks else text
    if not blocks and not _KEY.search(source):
        raise _bad(
            "one whole spec in a ```yaml block",
            f"'{shorten(' '.join(text.split()), 120)}'",
            "start with ```yaml and 'spec: 1'; no other text",
        )
    # JSON is YAML, and the reader holds its budgets either way.
    document = read(source)
    document.pop("provenance", None)
    return maps_for_lists(document)


def maps_for_lists(document: dict[str, Any]) -> dict[str, Any]:
    """The document with lists of named items as maps and without nulls.

    Structured output has no open maps and cannot leave a key out.

    Raises:
        SpecError: An item has no name, or two have the same.
    """
    found: list[Diagnostic] = []
    whole: dict[str, Any] = _without_nulls(document)
    for section in NAMED_SECTIONS:
        if section in whole:
            whole[section] = _named(section, whole[section], found)
    for name, item in _items(whole.get("sets")):
        if isinstance(item, dict) and len(item) == 1:
            ((kind, value),) = item.items()
            whole["sets"][name] = value if kind in ("size", "labels") else item
    for name, item in _items(whole.get("heuristics")):
        if isinstance(item, dict) and isinstance(item.get("decisions"), list):
            path = f"heuristics.{name}.decisions"
            rules = _named(path, item["decisions"], found)
            item["decisions"] = {
                decision: rule.get("expr") if isinstance(rule, dict) else rule
                for decision, rule in rules.items()
            }
    for name, split in _items(whole.get("splits")):
        for section in ("parameters", "processes"):
            if isinstance(split, dict) and section in split:
                split[section] = _named(f"splits.{name}.{section}", split[section], found)
    if found:
        raise SpecError(found)
    return whole


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _items(section: Any) -> list[tuple[str, Any]]:
    return list(section.items()) if isinstance(section, dict) else []


def _named(path: str, value: Any, found: list[Diagnostic]) -> Any:
    if not isinstance(value, list):
        return value
    items: dict[str, Any] = {}
    for position, item in enumerate(value):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            hint = "every item of this section is an object with a name"
            actual = shorten(item)
            found.append(
                Diagnostic("missing-key", f"{path}.{position}", "an item with a name", actual, hint)
            )
        elif name in items:
            actual = f"'{shorten(name)}' twice"
            found.append(
                Diagnostic(
                    "yaml-duplicate", f"{path}.{position}", "each name once", actual, "rename one"
                )
            )
        else:
            items[name] = {key: part for key, part in item.items() if key != "name"}
    return items


def _bad(expected: str, actual: str, hint: str) -> SpecError:
    return SpecError([Diagnostic("bad-answer", "answer", expected, actual, hint)])
