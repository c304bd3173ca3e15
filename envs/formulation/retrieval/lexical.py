"""BM25 over words, by bm25s."""

from collections.abc import Sequence

import numpy as np

from envs.formulation.knowledge.errors import optional
from envs.formulation.retrieval.chunk import Chunk, Hit
from envs.formulation.retrieval.retriever import TOP
from envs.formulation.retrieval.terms import terms


class LexicalRetriever:
    """BM25 in Lucene's form, k1 1.5 and b 0.75."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        """Index chunks by title and text."""
        bm25s = optional("bm25s", "bm25s")
        self._chunks = chunks
        documents = [terms(f"{chunk.title} {chunk.text}") for chunk in chunks]
        self._known = frozenset(word for document in documents for word in document)
        self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        if self._known:
            self._index.index(documents, show_progress=False)

    def search(self, query: str, limit: int = TOP) -> list[Hit]:
        """The chunks that share the weightiest words with the query."""
        words = [word for word in terms(query) if word in self._known]
        if not words:
            return []
        scores = self._index.get_scores(words)
        return best(self._chunks, scores, limit)


def best(chunks: Sequence[Chunk], scores: np.ndarray, limit: int) -> list[Hit]:
    """The chunks of the highest positive scores, the earlier chunk first where two are equal."""
    order = np.argsort(-scores, kind="stable")[:limit]
    return [Hit(chunks[i], float(scores[i])) for i in order if scores[i] > 0]
