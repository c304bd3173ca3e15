"""What a formulation may cost at most, in tokens and in money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envs.formulation.llm.protocol import Answer, LanguageModelError, Message, Model

CHARACTERS_A_TOKEN = 4
"""About, of English and YAML; used where a server does not count."""


@dataclass(frozen=True)
class Limits:
    """Limits over a whole conversation.

    Attributes:
        tokens: Read and written, at most.
        cost: In the currency of the prices, at most; None sets none.
        prompt_price: Of a million tokens read.
        answer_price: Of a million tokens written.
    """

    tokens: int = 400_000
    cost: float | None = None
    prompt_price: float = 0.0
    answer_price: float = 0.0


class Limited:
    """A model that is not asked again once the next question could pass a limit."""

    def __init__(self, model: Model, limits: Limits, most_answer_tokens: int) -> None:
        """Watch over a model.

        Args:
            model: Who answers.
            limits: What may be spent.
            most_answer_tokens: What one answer may take.
        """
        self._model, self._limits, self._most = model, limits, most_answer_tokens
        self.tokens = 0
        self.cost = 0.0

    @property
    def provider(self) -> str:
        """That of the model."""
        return self._model.provider

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """Ask, when the worst case is within the limits.

        Raises:
            LanguageModelError: It is not, or the model failed.
        """
        expected = sum(len(m.content) for m in conversation) // CHARACTERS_A_TOKEN
        tokens = self.tokens + expected + self._most
        if tokens > self._limits.tokens:
            raise LanguageModelError(
                f"the next answer could bring the tokens to {tokens}, over the limit of "
                f"{self._limits.tokens} (used {self.tokens}); raise --most-tokens"
            )
        cost = self.cost + self._price(expected, self._most)
        if self._limits.cost is not None and cost > self._limits.cost:
            raise LanguageModelError(
                f"the next answer could bring the cost to {cost:.4g}, over the limit of "
                f"{self._limits.cost:g} (spent {self.cost:.4g}); raise --most-cost"
            )
        answer = self._model.answer(conversation)
        read = expected if answer.prompt_tokens is None else answer.prompt_tokens
        written = answer.answer_tokens
        if written is None:
            written = len(answer.text) // CHARACTERS_A_TOKEN
        self.tokens += read + written
        self.cost += self._price(read, written)
        return answer

    def _price(self, read: int, written: int) -> float:
        return (read * self._limits.prompt_price + written * self._limits.answer_price) / 1e6
