"""Vectors on a Qdrant server, for those who outgrow one machine."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from envs.formulation.knowledge.errors import KnowledgeError, optional
from envs.formulation.retrieval.chunk import Chunk
from envs.formulation.retrieval.embeddings import Embedding, Vectors
from envs.formulation.retrieval.settings import RetrievalSettings

BATCH = 500
"""Points of one request."""

T = TypeVar("T")


class ServedVectors:
    """A collection that holds exactly the vectors of these chunks.

    A point's id is made of the embedding and the chunk, so that opening the same base again sends
    nothing, and a changed document changes its own points only. Texts stay here: what a server
    answers is a position, never something to read.
    """

    def __init__(
        self,
        settings: RetrievalSettings,
        embedding: Embedding,
        chunks: Sequence[Chunk],
        texts: Sequence[str],
    ) -> None:
        """Bring the collection up to date, embedding only the texts it has no vector for.

        Raises:
            KnowledgeError: The server cannot be reached or refuses.
        """
        client = optional("qdrant_client", "qdrant-client")
        self._models = client.models
        self._collection, self._url = settings.qdrant_collection, settings.qdrant_url
        self._client = self._ask(
            lambda: client.QdrantClient(
                url=settings.qdrant_url,
                api_key=os.environ.get(settings.qdrant_key_variable),
                timeout=round(settings.timeout_s),
                check_compatibility=False,
            )
        )
        names = [
            f"{embedding.name}\0{chunk.id}\0{text}"
            for chunk, text in zip(chunks, texts, strict=True)
        ]
        ids = [str(uuid.uuid5(uuid.NAMESPACE_OID, name)) for name in names]
        self._positions = {name: i for i, name in enumerate(ids)}
        stored = set(self._stored())
        missing = [i for i, name in enumerate(ids) if name not in stored]
        if missing:
            everything = len(missing) == len(ids)
            vectors = embedding.embed(texts if everything else [texts[i] for i in missing])
            self._prepare(vectors.shape[1])
            self._send([ids[i] for i in missing], vectors)
        self._forget(sorted(stored - set(ids)))

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[int, float]]:
        """What the server finds."""
        answer = self._ask(
            lambda: self._client.query_points(self._collection, query=vector.tolist(), limit=limit)
        )
        found = [(self._positions.get(str(p.id)), float(p.score)) for p in answer.points]
        return [(position, score) for position, score in found if position is not None]

    def _exists(self) -> bool:
        return bool(self._ask(lambda: self._client.collection_exists(self._collection)))

    def _prepare(self, dimension: int) -> None:
        """A collection of this dimension; one of another embedding's is made anew."""
        if self._exists():
            kept = self._ask(lambda: self._client.get_collection(self._collection))
            if getattr(kept.config.params.vectors, "size", None) == dimension:
                return
            self._ask(lambda: self._client.delete_collection(self._collection))
        size = self._models.VectorParams(size=dimension, distance=self._models.Distance.DOT)
        self._ask(lambda: self._client.create_collection(self._collection, vectors_config=size))

    def _stored(self) -> Iterator[str]:
        offset: Any = None
        while self._exists():
            scroll = partial(self._client.scroll, self._collection, with_payload=False)
            points, offset = self._ask(partial(scroll, limit=10_000, offset=offset))
            yield from (str(point.id) for point in points)
            if offset is None:
                return

    def _send(self, ids: Sequence[str], vectors: Vectors) -> None:
        for start in range(0, len(ids), BATCH):
            rows = zip(ids[start : start + BATCH], vectors[start : start + BATCH], strict=True)
            points = [self._models.PointStruct(id=name, vector=row.tolist()) for name, row in rows]
            self._ask(partial(self._client.upsert, self._collection, points, wait=True))

    def _forget(self, ids: Sequence[str]) -> None:
        if ids:
            self._ask(lambda: self._client.delete(self._collection, list(ids), wait=True))

    def _ask(self, request: Callable[[], T]) -> T:
        """One line for all that a server may do wrong."""
        try:
            return request()
        except Exception as error:  # httpx, qdrant's own, and pydantic's on an odd answer
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise KnowledgeError(
                f"the Qdrant server {self._url} failed: {reason}; check qdrant_url in "
                "retrieval.yaml, or take it out to hold the vectors in memory"
            ) from error
