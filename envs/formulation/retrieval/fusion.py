"""Two rankings become one by reciprocal rank."""

from collections.abc import Sequence

from envs.formulation.retrieval.chunk import Chunk, Hit
from envs.formulation.retrieval.retriever import TOP, Retriever

RANK_CONSTANT = 60
"""Cormack, Clarke and Büttcher, SIGIR 2009 (recalled); not tuned here."""
DEPTH = 50
"""Places of each ranking that count."""


class HybridRetriever:
    """Reciprocal rank fusion: a chunk's score is Σ 1/(60 + its rank) over the rankings."""

    def __init__(self, retrievers: Sequence[Retriever]) -> None:
        """Fuse the answers of several retrievers over the same chunks."""
        self._retrievers = retrievers

    def search(self, query: str, limit: int = TOP) -> list[Hit]:
        """The chunks that stand highest in the rankings together."""
        scores: dict[str, float] = {}
        chunks: dict[str, Chunk] = {}
        for retriever in self._retrievers:
            for rank, hit in enumerate(retriever.search(query, max(limit, DEPTH)), start=1):
                chunks[hit.chunk.id] = hit.chunk
                scores[hit.chunk.id] = scores.get(hit.chunk.id, 0.0) + 1 / (RANK_CONSTANT + rank)
        order = sorted(scores, key=lambda name: -scores[name])
        return [Hit(chunks[name], scores[name]) for name in order[:limit]]
