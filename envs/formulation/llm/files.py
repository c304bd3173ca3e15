"""A model that a person carries: prompts are written to files, answers are read from files.

Paste ``turn-1.prompt.md`` into any chat, save what it answers as ``turn-1.answer.md`` and run the
same command again. Every prompt file holds the whole conversation, so that each turn may go to a
fresh chat, which sees this file and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envs.formulation.files import write_text
from envs.formulation.llm.protocol import UNKNOWN, Answer, LanguageModelError, Message

_HEADINGS = {"system": "Instructions", "user": "User", "assistant": "Your earlier answer"}


class AwaitingAnswer(LanguageModelError):
    """A prompt waits for its answer.

    Attributes:
        prompt: The file to paste.
        answer: Where the answer goes.
    """

    def __init__(self, prompt: Path, answer: Path) -> None:
        """Say what to do next."""
        super().__init__(
            f"paste {prompt} into a language model, save its answer word for word as {answer}, "
            "and run the same command again"
        )
        self.prompt = prompt
        self.answer = answer


class Files:
    """Turns as files in a folder: ``turn-<n>.prompt.md`` and ``turn-<n>.answer.md``."""

    provider = "files"

    def __init__(self, folder: Path, model: str = UNKNOWN) -> None:
        """Use a folder, made when needed.

        Args:
            folder: One conversation's own.
            model: Which model answers, as far as the person who carries knows.
        """
        self._folder = folder
        self._model = model

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """The answer that was saved for this turn.

        Raises:
            AwaitingAnswer: There is none yet; the prompt has been written.
            LanguageModelError: The answer belongs to another prompt, or cannot be read.
        """
        turn = 1 + sum(message.role == "assistant" for message in conversation)
        prompt = self._folder / f"turn-{turn}.prompt.md"
        answer = self._folder / f"turn-{turn}.answer.md"
        text = as_page(conversation)
        try:
            asked = prompt.read_text(encoding="utf-8") if prompt.is_file() else None
            if not answer.is_file():
                if asked != text:
                    write_text(prompt, text)
                raise AwaitingAnswer(prompt, answer)
            if asked != text:
                raise LanguageModelError(
                    f"{answer} answers another prompt than this turn's, so it would be recorded "
                    f"falsely; remove {answer} and the turns after it, and run the command again"
                )
            return Answer(answer.read_text(encoding="utf-8"), self._model)
        except (OSError, UnicodeDecodeError) as error:
            raise LanguageModelError(f"cannot use {self._folder}: {error}") from error


def as_page(conversation: Sequence[Message]) -> str:
    """A whole conversation as one page of text."""
    parts = [f"<<< {_HEADINGS[m.role]} >>>\n\n{m.content.strip()}\n" for m in conversation]
    return "\n".join(parts)
