"""A designer's session: every version of a spec, what made it, and the way back.

It is one JSON file, written whole after every step, so that a session that was interrupted or
killed goes on where it was.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from envs.formulation.edits import ABSENT, Absent, Edit, EditError, apply, value_at
from envs.formulation.files import write_text
from envs.formulation.transcript import Transcript
from envs.problem import Problem
from envs.spec.diagnostics import nearest
from envs.spec.reader import read
from envs.spec.schema import NAMED_SECTIONS

_RANGES = ("box", "log", "integer", "bounds", "linear")


@dataclass(frozen=True)
class Step:
    """One version.

    Attributes:
        done: What made it, for people.
        document: The whole spec.
        transcript: What was said, when a model made it.
    """

    done: str
    document: dict[str, Any]
    transcript: Transcript | None = None


@dataclass
class Session:
    """All versions of a spec, and which of them is the current one.

    Attributes:
        path: The file of the session.
        steps: Versions in the order in which they were made.
        position: The current one, from 0; -1 before there is one.
    """

    path: Path
    steps: list[Step] = field(default_factory=list)
    position: int = -1

    @property
    def document(self) -> dict[str, Any]:
        """The current version.

        Raises:
            EditError: There is none yet.
        """
        if self.position < 0:
            raise EditError("there is no spec yet: ask for one in words")
        return self.steps[self.position].document

    def add(self, step: Step) -> None:
        """Make a version the current one; what was undone before is forgotten."""
        self.steps = [*self.steps[: self.position + 1], step]
        self.position = len(self.steps) - 1
        self.save()

    def change(self, done: str, edits: Iterable[Edit]) -> Problem:
        """Edit the current version by hand.

        Raises:
            EditError: The edit does not fit.
            SpecError: What it gives does not compile; nothing has changed.
        """
        edits = list(edits)
        document = apply(self.document, edits)
        told = dict(document.get("provenance") or {})
        told["edits"] = [*told.get("edits", ()), *({"path": e.path, "why": e.why} for e in edits)]
        document["provenance"] = told
        problem = Problem(document)
        self.add(Step(done, document))
        return problem

    def undo(self) -> str:
        """Go one version back.

        Raises:
            EditError: There is none before.
        """
        if self.position <= 0:
            raise EditError("there is nothing to undo")
        self.position -= 1
        self.save()
        return self.steps[self.position + 1].done

    def redo(self) -> str:
        """Go one version forward again.

        Raises:
            EditError: There is none.
        """
        if self.position + 1 >= len(self.steps):
            raise EditError("there is nothing to redo")
        self.position += 1
        self.save()
        return self.steps[self.position].done

    def save(self) -> None:
        """Write the session, whole or not at all."""
        steps = [
            {**asdict(step), "transcript": asdict(step.transcript) if step.transcript else None}
            for step in self.steps
        ]
        data = {"format": 1, "position": self.position, "steps": steps}
        write_text(self.path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


_STEPS = TypeAdapter(list[Step])


def open_session(path: Path) -> Session:
    """A session as it was left, or a new one.

    Raises:
        EditError: The file is no session.
    """
    if not path.is_file():
        return Session(path)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        steps = _STEPS.validate_python(data["steps"])
        position = int(data["position"])
        if data["format"] != 1 or not -1 <= position < max(len(steps), 1):
            raise ValueError("its parts do not fit")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise EditError(f"{path} is no session ({reason}); move it away to start anew") from error
    return Session(path, steps, position)


def setting(document: dict[str, Any], path: str, text: str) -> Edit:
    """The edit that puts a value, written as in YAML, at a path.

    Raises:
        EditError: There is no such place.
        SpecError: The text is no value.
    """
    parent, _, key = path.rpartition(".")
    if parent and value_at(document, parent) is ABSENT:
        raise EditError(f"there is no {parent}; {nearest(parent, _places(document))}")
    after = read(f"value: {text}\n")["value"]
    return Edit(path, value_at(document, path), after, f"the designer set {key}")


def bounding(document: dict[str, Any], name: str, low: str, high: str) -> Edit:
    """The edit that gives a decision, state, process or observation another range.

    Raises:
        EditError: There is no such name, or it has no range.
        SpecError: A bound is no value.
    """
    path = _find(document, name, ("decisions", "states", "processes", "observe"))
    item = value_at(document, path)
    kinds = [kind for kind in _RANGES if isinstance(item, dict) and kind in item]
    if not kinds:
        raise EditError(f"{path} has no range to change")
    return setting(document, f"{path}.{kinds[0]}", f"[{low}, {high}]")


def dropping(document: dict[str, Any], name: str) -> Edit:
    """The edit that drops a constraint, or any other item.

    Raises:
        EditError: There is no such name.
    """
    path = _find(document, name, ("constraints", *NAMED_SECTIONS))
    return Edit(path, copy.deepcopy(value_at(document, path)), ABSENT, "the designer dropped it")


def _find(document: dict[str, Any], name: str, sections: tuple[str, ...]) -> str:
    """The path of an item, from its path or its name alone."""
    if "." in name and not isinstance(value_at(document, name), Absent):
        return name
    for section in sections:
        items = document.get(section)
        if isinstance(items, dict) and name in items:
            return f"{section}.{name}"
    known = [item for section in sections for item in document.get(section) or ()]
    raise EditError(f"there is no '{name}'; {nearest(name, known)}")


def _places(document: dict[str, Any]) -> list[str]:
    return [
        f"{section}.{name}"
        for section, items in document.items()
        if isinstance(items, dict)
        for name in items
    ]
