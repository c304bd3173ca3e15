"""Recorded formulations, as far as they are judged."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.spec.diagnostics import Diagnostic, SpecError
from envs.spec.reader import read

_FENCE = re.compile(r"^```[a-z]*[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Attempt:
    """One answer.

    Attributes:
        answer: Word for word.
        tokens: Read and written, or None where nobody counted them.
        seconds: From question to answer, or None.
    """

    answer: str
    tokens: int | None
    seconds: float | None


@dataclass(frozen=True)
class Recording:
    """A formulation: what was asked, what was retrieved, what was answered.

    Attributes:
        request: The designer's words.
        sources: Documents of the retrieved chunks, best first.
        attempts: In order.
        model: As it reports itself.
    """

    request: str
    sources: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    model: str


class RecordingError(ValueError):
    """A file is no recording."""


def load(path: Path) -> Recording:
    """Read a recording of format 1, as ``formulate`` writes it.

    Raises:
        RecordingError: It is none, or cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        opening = data["opening"]
        return Recording(
            str(opening["request"]),
            tuple(_document(str(chunk["id"])) for chunk in opening["chunks"]),
            tuple(_attempt(one) for one in data["attempts"]),
            str(data["model"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path}: expected a recording of format 1; {error!r}") from error


def _document(chunk: str) -> str:
    """``pv_harvesting#2`` is a chunk of the note ``pv_harvesting``."""
    return Path(chunk.rpartition("#")[0] or chunk).stem


def _attempt(one: dict[str, Any]) -> Attempt:
    read_, written = one.get("prompt_tokens"), one.get("answer_tokens")
    tokens = None if read_ is None or written is None else int(read_) + int(written)
    seconds = one.get("seconds")
    return Attempt(str(one["answer"]), tokens, None if seconds is None else float(seconds))


def document_in(answer: str) -> dict[str, Any]:
    """The document of a spec in an answer.

    Raises:
        SpecError: There is none.
    """
    blocks = _FENCE.findall(answer.replace("\r\n", "\n"))
    if len(blocks) > 1:
        found = f"{len(blocks)} fenced blocks"
        raise SpecError([Diagnostic("bad-answer", "answer", "one spec", found, "answer with one")])
    return read(blocks[0] if blocks else answer)
