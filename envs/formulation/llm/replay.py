"""Recorded answers, played again word for word: no key, no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envs.formulation.llm.protocol import Answer, LanguageModelError, Message


class Replay:
    """A model that says what was recorded, in order."""

    provider = "replay"

    def __init__(self, answers: Iterable[Answer]) -> None:
        """Take the answers of one conversation."""
        self._answers = tuple(answers)

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """The recorded answer of this turn.

        Raises:
            LanguageModelError: The recording has ended.
        """
        turn = sum(message.role == "assistant" for message in conversation)
        if turn >= len(self._answers):
            raise LanguageModelError(
                f"the recording ends after {len(self._answers)} answers, and the last of them is "
                "not accepted; the language or its checks have changed since: record it anew"
            )
        return self._answers[turn]
