"""Retrieval by the angle between vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.retrieval.chunk import Chunk, Hit
from envs.formulation.retrieval.embeddings import Embedding, Vectors
from envs.formulation.retrieval.retriever import TOP


class VectorIndex(Protocol):
    """Holds one vector per chunk and finds the nearest."""

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """Positions and cosines of the nearest vectors, nearest first."""
        ...


class InMemoryVectors:
    """One matrix product per query: exact, and quick up to some hundred thousand chunks."""

    def __init__(self, vectors: Vectors) -> None:
        """Keep vectors ``(chunk, dimension)`` of length one."""
        self._vectors = vectors

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """All cosines, sorted."""
        if vector.shape[0] != self._vectors.shape[1]:
            raise KnowledgeError("the embedding changed its dimension between chunks and query")
        cosines = self._vectors @ vector
        order = np.argsort(-cosines, kind="stable")[:limit]
        return [(int(i), float(cosines[i])) for i in order]


class DenseRetriever:
    """The chunks whose vectors point the way of the query's."""

    def __init__(self, chunks: Sequence[Chunk], embedding: Embedding, index: VectorIndex) -> None:
        """Search ``index``, whose positions are those of ``chunks``."""
        self._chunks, self._embedding, self._index = chunks, embedding, index

    def search(self, query: str, limit: int = TOP) -> list[Hit]:
        """The nearest chunks with a positive cosine."""
        vector = self._embedding.embed([query])[0]
        if not vector.any():
            return []
        found = self._index.nearest(vector, limit)
        return [Hit(self._chunks[i], score) for i, score in found if score > 0]
