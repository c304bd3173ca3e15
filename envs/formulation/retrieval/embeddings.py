"""Text as vectors of length one: latent semantic analysis, a server, or a local model."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.formulation.knowledge.errors import KnowledgeError, optional
from envs.formulation.retrieval.settings import RetrievalSettings
from envs.formulation.retrieval.terms import terms

Vectors = NDArray[np.float32]

LATENT = 128
"""Dimensions of the latent space at most."""
VOCABULARY = 30_000
"""Words that span it, the commonest; BM25 knows the rest."""
POWER_ITERATIONS = 3
"""Of the randomised SVD."""
CHUNKS_PER_DIMENSION = 3
"""With nearly as many dimensions as chunks, nothing is latent and it is TF-IDF again."""
BATCH = 128
"""Texts of one request."""


class Embedding(Protocol):
    """Maps texts to vectors.

    Attributes:
        name: Tells this embedding from others, so that stored vectors are not mixed up.
    """

    name: str

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors ``(text, dimension)`` of length one; 0 where a text has nothing known."""
        ...


class LatentSemantics:
    """TF-IDF and a truncated SVD, fitted on the chunks themselves: no download, no server."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Fit on texts; the same texts give the same vectors."""
        text = optional("sklearn.feature_extraction.text", "scikit-learn")
        decomposition = optional("sklearn.decomposition", "scikit-learn")
        self._tfidf = text.TfidfVectorizer(
            analyzer=terms, sublinear_tf=True, max_features=VOCABULARY, dtype=np.float32
        )
        try:
            weights = self._tfidf.fit_transform(texts)
        except ValueError as error:
            raise KnowledgeError("the knowledge base holds no words to index") from error
        size = min(LATENT, len(texts) // CHUNKS_PER_DIMENSION, weights.shape[1] - 1)
        self._axes: Vectors | None = None
        if size >= 2:
            svd = decomposition.TruncatedSVD(size, n_iter=POWER_ITERATIONS, random_state=0)
            # Words as rows, so that a query reads a few of them.
            self._axes = np.ascontiguousarray(svd.fit(weights).components_.T, np.float32)
        digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
        self.name = f"lsa-{size}-{digest[:16]}"
        self._texts, self._fitted = texts, self._project(weights)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Project texts into the latent space."""
        if texts is self._texts:  # done already, and slow for a library
            return self._fitted
        return self._project(self._tfidf.transform(texts))

    def _project(self, weights: Any) -> Vectors:
        return unit_length(weights.toarray() if self._axes is None else weights @ self._axes)


class ServedEmbedding:
    """Any server with an OpenAI-compatible ``/embeddings``."""

    def __init__(self, settings: RetrievalSettings) -> None:
        """Make a client; nothing is sent yet.

        Raises:
            KnowledgeError: The model's name or the key is missing.
        """
        openai = optional("openai", "openai")
        if not settings.model:
            raise KnowledgeError("embedding: openai needs the name of a model: set model in it")
        key = os.environ.get(settings.key_variable)
        if key is None and settings.base_url is None:
            raise KnowledgeError(
                f"embedding: openai needs a key in the environment variable "
                f"{settings.key_variable}, or the base_url of a server that asks for none"
            )
        self.name = f"openai-{settings.model}"
        self._model, self._error = settings.model, openai.OpenAIError
        self._key = key or "none"
        self._client = openai.OpenAI(
            api_key=self._key, base_url=settings.base_url, timeout=settings.timeout_s
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Ask the server, a batch at a time."""
        rows: list[list[float]] = []
        for start in range(0, len(texts), BATCH):
            rows.extend(self._ask(list(texts[start : start + BATCH])))
        return unit_length(_matrix(rows))

    def _ask(self, texts: list[str]) -> list[list[float]]:
        """One request; its answers may come in any order."""
        try:
            answer = self._client.embeddings.create(
                model=self._model, input=texts, encoding_format="float"
            )
            found = {item.index: item.embedding for item in answer.data}
            return [found[index] for index in range(len(texts))]
        except self._error as error:
            # Some servers repeat the key that they do not accept.
            reason = " ".join(str(error).replace(self._key, "(key)").split())[:200]
        except (AttributeError, KeyError, TypeError):
            reason = f"it did not answer a vector for each of {len(texts)} texts"
        raise KnowledgeError(f"the embedding server {self._client.base_url} failed: {reason}")


class LocalEmbedding:
    """A sentence-transformers model that is already on this machine."""

    def __init__(self, settings: RetrievalSettings) -> None:
        """Load the model; nothing is downloaded."""
        try:
            library = optional("sentence_transformers", "sentence-transformers")
        except KnowledgeError as error:
            raise KnowledgeError(
                "embedding: sentence-transformers needs pip install sentence-transformers"
            ) from error
        if not settings.model:
            raise KnowledgeError("embedding: sentence-transformers needs model: a folder")
        self.name = f"sentence-transformers-{settings.model}"
        try:
            self._model = library.SentenceTransformer(settings.model, local_files_only=True)
        except (OSError, ValueError) as error:
            raise KnowledgeError(f"model {settings.model} cannot be loaded: {error}") from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Run the model."""
        return unit_length(np.asarray(self._model.encode(list(texts)), np.float32))


def make_embedding(settings: RetrievalSettings, texts: Sequence[str]) -> Embedding:
    """The embedding the settings ask for; ``texts`` are what it may be fitted on."""
    if settings.embedding == "openai":
        return ServedEmbedding(settings)
    if settings.embedding == "sentence-transformers":
        return LocalEmbedding(settings)
    return LatentSemantics(texts)


def unit_length(vectors: NDArray[np.floating[Any]]) -> Vectors:
    """Vectors scaled to length one; those of length zero stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


def _matrix(rows: list[list[float]]) -> Vectors:
    try:
        matrix = np.asarray(rows, np.float32)
    except (ValueError, TypeError) as error:
        raise KnowledgeError("the embedding server answered vectors of different sizes") from error
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise KnowledgeError("the embedding server answered something that is no finite vectors")
    return matrix
