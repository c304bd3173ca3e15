"""A recorded formulation: what was asked, what was retrieved, what was answered, word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from envs.formulation.files import write_text
from envs.formulation.llm.protocol import UNKNOWN, Answer, Message
from envs.spec.diagnostics import Diagnostic, shorten


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A retrieved chunk as the model saw it.

    Attributes:
        id: Of the chunk in its knowledge base.
        source: Where its document came from; text of a stranger.
        title: Of its document or section; text of a stranger.
        text: Untrusted, quoted in the prompt.
        score: Of the retriever; its scale is the retriever's own.
    """

    id: str
    source: str
    title: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Opening:
    """What a conversation starts with; frozen, so that it can be resumed and replayed exactly.

    Attributes:
        request: The designer's words.
        chunks: What was retrieved for them, best first.
        system: The first message, with the language's reference and the exemplars.
        prompt: The user's first message, with request and chunks.
    """

    request: str
    chunks: tuple[Excerpt, ...]
    system: str
    prompt: str

    @property
    def messages(self) -> list[Message]:
        """The conversation so far."""
        return [Message("system", self.system), Message("user", self.prompt)]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer and what was found in it.

    Attributes:
        prompt: The user's message that it answers.
        answer: Word for word.
        diagnostics: Everything the checks found; empty when it was accepted.
        prompt_tokens: As the server counted them, or None.
        answer_tokens: As the server counted them, or None.
        seconds: From question to answer, or None where nobody measured it.
    """

    prompt: str
    answer: str
    diagnostics: tuple[Diagnostic, ...]
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    seconds: float | None = None

    @property
    def tokens(self) -> int | None:
        """Read and written together, or None where one of them is unknown."""
        if self.prompt_tokens is None or self.answer_tokens is None:
            return None
        return self.prompt_tokens + self.answer_tokens


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole formulation.

    Attributes:
        opening: The request, the chunks and the first two messages.
        attempts: Answers in order.
        model: As it reports itself, else ``unknown``.
        provider: How it was reached.
        date: Day of the last answer, ISO 8601.
    """

    opening: Opening
    attempts: tuple[Attempt, ...]
    model: str
    provider: str
    date: str

    @property
    def request(self) -> str:
        """The designer's words."""
        return self.opening.request

    @property
    def chunks(self) -> tuple[Excerpt, ...]:
        """What was retrieved."""
        return self.opening.chunks

    def answers(self) -> Iterator[Answer]:
        """The answers, to be played again."""
        for attempt in self.attempts:
            yield Answer(
                attempt.answer,
                self.model,
                attempt.prompt_tokens,
                attempt.answer_tokens,
                attempt.seconds,
            )

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_text(path, to_json(self))


class TranscriptError(ValueError):
    """A file is no transcript."""


def to_json(record: Transcript | Opening) -> str:
    """A record as readable JSON."""
    return json.dumps({"format": 1, **asdict(record)}, indent=1, ensure_ascii=False) + "\n"


def load_transcript(path: Path) -> Transcript:
    """Read a transcript.

    Raises:
        TranscriptError: It is none, or cannot be read.
    """
    record: Transcript = _load(path, _TRANSCRIPT)
    return record


def load_opening(path: Path) -> Opening:
    """Read the opening of a conversation that waits for its answers.

    Raises:
        TranscriptError: It is none, or cannot be read.
    """
    record: Opening = _load(path, _OPENING)
    return record


_TRANSCRIPT = TypeAdapter(Transcript)
_OPENING = TypeAdapter(Opening)


def _load(path: Path, kind: TypeAdapter[Any]) -> Any:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.pop("format", None) != 1:
            raise TranscriptError(f"{path}: expected a recording of format 1")
        return kind.validate_python(data)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise TranscriptError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TranscriptError(
            f"{path}: {place}: {first['msg']}; found {shorten(first.get('input'))}"
        ) from error


__all__ = [
    "UNKNOWN",
    "Attempt",
    "Excerpt",
    "Opening",
    "Transcript",
    "TranscriptError",
    "load_opening",
    "load_transcript",
    "to_json",
]
