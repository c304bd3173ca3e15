"""What every method of retrieval is."""

from typing import Protocol

from envs.formulation.retrieval.chunk import Hit

TOP = 4
"""Chunks an answer has by default, as in the paper."""


class Retriever(Protocol):
    """Finds the chunks that answer a query."""

    def search(self, query: str, limit: int = TOP) -> list[Hit]:
        """The best chunks, best first; fewer than ``limit`` where fewer have anything in common."""
        ...
