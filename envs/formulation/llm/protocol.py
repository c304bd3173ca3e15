"""What the loop asks of a language model, and what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

UNKNOWN = "unknown"
"""The name of a model that does not say which it is."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said.

    Attributes:
        text: Word for word.
        model: As the model or its server reports itself.
        prompt_tokens: Read, where the server counts them.
        answer_tokens: Written, where the server counts them.
        seconds: From question to answer, where that was measured.
        cut: Whether a limit ended it before its end.
    """

    text: str
    model: str = UNKNOWN
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    seconds: float | None = None
    cut: bool = False


class Model(Protocol):
    """A language model: it sees a whole conversation and answers it."""

    @property
    def provider(self) -> str:
        """How it is reached, such as ``openai``; recorded in transcripts."""

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """Answer a conversation that ends with a user's message.

        Raises:
            LanguageModelError: There is no answer, and asking again will not help.
        """


class LanguageModelError(Exception):
    """A language model gave no answer; one clear message for a person, without any secret."""
