"""A chat model of LangChain, or anything else with its ``invoke``, handed in by who has one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from envs.formulation.llm.protocol import UNKNOWN, Answer, LanguageModelError, Message
from envs.spec.diagnostics import shorten

_ROLES = {"system": "system", "user": "human", "assistant": "ai"}


class LangChain:
    """Asks ``chat.invoke`` with (role, text) pairs; LangChain itself is not needed."""

    provider = "langchain"

    def __init__(self, chat: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a chat model.

        Args:
            chat: With ``invoke(messages)``, which returns a message with ``content``.
            clock: Seconds.
        """
        self._chat, self._clock = chat, clock

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """Ask it.

        Raises:
            LanguageModelError: It raised, or returned no text.
        """
        began = self._clock()
        try:
            reply = self._chat.invoke([(_ROLES[m.role], m.content) for m in conversation])
        except Exception as error:
            # Whatever it raises may hold its key: only the kind is told.
            raise LanguageModelError(f"the chat model raised {type(error).__name__}") from None
        text = _text(getattr(reply, "content", reply))
        if text is None:
            raise LanguageModelError(f"the chat model returned no text: {shorten(type(reply))}")
        about = getattr(reply, "response_metadata", None)
        usage = getattr(reply, "usage_metadata", None)
        return Answer(
            text,
            _named(about),
            _count(usage, "input_tokens"),
            _count(usage, "output_tokens"),
            round(self._clock() - began, 3),
            cut=isinstance(about, Mapping) and about.get("finish_reason") == "length",
        )


def _text(content: Any) -> str | None:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text", "") if isinstance(part, Mapping) else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return None


def _named(about: Any) -> str:
    name = about.get("model_name") or about.get("model") if isinstance(about, Mapping) else None
    return name if isinstance(name, str) else UNKNOWN


def _count(usage: Any, key: str) -> int | None:
    number = usage.get(key) if isinstance(usage, Mapping) else None
    return number if isinstance(number, int) else None
