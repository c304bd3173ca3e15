"""Edits of a document: where, from what, to what, and why; applied by a machine.

People edit what a model wrote, and every edit of a shipped problem is recorded with its reason, so
that answer plus edits is the shipped spec, to the digest.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.formulation.writing import to_yaml
from envs.spec.diagnostics import SpecError, nearest, shorten
from envs.spec.reader import read

_ORDERED = ("sets", "decisions", "observe")
"""Sections whose order is part of the problem."""


class Absent:
    """What stands where there is nothing."""

    def __repr__(self) -> str:
        """For messages."""
        return "nothing"


ABSENT = Absent()


class EditError(ValueError):
    """An edit does not fit the document."""


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        path: Dotted, such as ``parameters.band.value``; a number is a place in a list.
        before: What stood there; `ABSENT` for an addition.
        after: What stands there now; `ABSENT` for a removal.
        why: The reason, for people.
    """

    path: str
    before: Any
    after: Any
    why: str


def apply(document: dict[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """A document with edits made, in order.

    Raises:
        EditError: Something else stands at a path than the edit says.
    """
    result: dict[str, Any] = copy.deepcopy(document)
    for edit in edits:
        found = value_at(result, edit.path)
        if found != edit.before:
            raise EditError(
                f"{edit.path}: the edit starts from {shorten(edit.before)}; found {shorten(found)}"
            )
        _put(result, edit.path, edit.after)
    return result


def value_at(document: dict[str, Any], path: str) -> Any:
    """What stands at a path, or `ABSENT`."""
    place: Any = document
    for part in path.split("."):
        if isinstance(place, dict) and part in place:
            place = place[part]
        elif isinstance(place, list) and part.isdecimal() and int(part) < len(place):
            place = place[int(part)]
        else:
            return ABSENT
    return place


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place: Any = document
    for part in parents:
        if isinstance(place, dict):
            place = place.setdefault(part, {})
        else:
            place = place[int(part)]
    if isinstance(place, dict):
        if value is ABSENT:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(value)
    elif isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        if value is ABSENT:
            raise EditError(f"{path}: replace the whole list instead")
        place[int(last)] = copy.deepcopy(value)
    else:
        raise EditError(f"{path}: there is nothing to change")


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Edit]:
    """The edits that lead from one document to another, without their reasons.

    Items of a section one by one; a section whole where most of it differs, or where its order
    does and matters.
    """
    old = {key: value for key, value in old.items() if key != "provenance"}
    new = {key: value for key, value in new.items() if key != "provenance"}
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if before == after and (key not in _ORDERED or list(before) == list(after)):
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            changed = [n for n in (*before, *after) if before.get(n) != after.get(n)]
            kept = [name for name in before if name in after] + [
                n for n in after if n not in before
            ]
            if 2 * len(set(changed)) <= len(after) and (key not in _ORDERED or kept == list(after)):
                for name in dict.fromkeys(changed):
                    pair = before.get(name, ABSENT), after.get(name, ABSENT)
                    yield Edit(f"{key}.{name}", *pair, "")
                continue
        yield Edit(key, before, after, "")


def read_edits(path: Path) -> tuple[Edit, ...]:
    """Read a list of edits: ``edits: [{path, from, to, why}, …]``; every one says why.

    Raises:
        EditError: The file is no such list.
    """
    try:
        items = read(path.read_bytes()).get("edits")
    except (OSError, SpecError) as error:
        raise EditError(f"{path}: {error}") from error
    if not isinstance(items, list):
        raise EditError(f"{path}: expected 'edits: [...]'")
    return tuple(_edit(item, f"{path}: edit {number}") for number, item in enumerate(items, 1))


def _edit(item: Any, place: str) -> Edit:
    keys = ("path", "from", "to", "why")
    if not isinstance(item, dict):
        raise EditError(f"{place}: expected path, from, to and why; found {shorten(item)}")
    for key in item:
        if key not in keys:
            raise EditError(f"{place}: '{shorten(key)}'; {nearest(key, keys)}")
    path, why = item.get("path"), item.get("why")
    if not isinstance(path, str) or not isinstance(why, str) or not why.strip():
        raise EditError(f"{place}: say the path, and why")
    if "from" not in item and "to" not in item:
        raise EditError(f"{place}: say what it changes, from or to")
    return Edit(path, item.get("from", ABSENT), item.get("to", ABSENT), why)


def write_edits(edits: Iterable[Edit]) -> str:
    """Edits as YAML."""
    lines = ["edits:"]
    for edit in edits:
        parts = {"path": edit.path, "from": edit.before, "to": edit.after, "why": edit.why}
        item = {key: value for key, value in parts.items() if not isinstance(value, Absent)}
        text = to_yaml({key: value for key, value in item.items()}).splitlines()
        lines += [f"  {'- ' if number == 0 else '  '}{line}" for number, line in enumerate(text)]
    return "\n".join(lines) + "\n"
