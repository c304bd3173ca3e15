"""What the loop asks of a retriever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from envs.formulation.transcript import Excerpt


class Chunk(Protocol):
    """A piece of a document."""

    @property
    def id(self) -> str:
        """Of the chunk in its knowledge base."""

    @property
    def source(self) -> str:
        """Where its document came from."""

    @property
    def title(self) -> str:
        """Of its document or section."""

    @property
    def text(self) -> str:
        """Untrusted."""


class Hit(Protocol):
    """A chunk and how well it fits."""

    @property
    def chunk(self) -> Chunk:
        """What was found."""

    @property
    def score(self) -> float:
        """In the retriever's own scale."""


class Retriever(Protocol):
    """Finds chunks for a text."""

    def search(self, query: str, limit: int = 4) -> Sequence[Hit]:
        """The best chunks, best first."""


def excerpts(hits: Iterable[Hit]) -> tuple[Excerpt, ...]:
    """Hits as they are recorded and quoted."""
    return tuple(
        Excerpt(hit.chunk.id, hit.chunk.source, hit.chunk.title, hit.chunk.text, float(hit.score))
        for hit in hits
    )
