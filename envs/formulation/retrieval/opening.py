"""Opens a retriever over the shipped notes and the user's documents."""

from collections.abc import Sequence
from pathlib import Path

from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.knowledge.folder import KnowledgeFolder, default_folder
from envs.formulation.knowledge.notes import shipped_notes
from envs.formulation.retrieval.chunk import Chunk
from envs.formulation.retrieval.dense import DenseRetriever, InMemoryVectors, VectorIndex
from envs.formulation.retrieval.embeddings import make_embedding
from envs.formulation.retrieval.fusion import HybridRetriever
from envs.formulation.retrieval.lexical import LexicalRetriever
from envs.formulation.retrieval.qdrant import ServedVectors
from envs.formulation.retrieval.retriever import Retriever
from envs.formulation.retrieval.settings import METHODS, Method, RetrievalSettings, read_settings
from envs.formulation.retrieval.splitting import split

DEFAULT_METHOD: Method = "hybrid"
"""The best of the three on the gold set: ``python -m benchmark kb eval``."""


def open_retriever(
    method: str = DEFAULT_METHOD,
    *,
    folder: Path | None = None,
    settings: RetrievalSettings | None = None,
) -> Retriever:
    """A retriever over the shipped notes and the documents of a knowledge folder.

    Args:
        method: ``bm25``, ``dense`` or ``hybrid``.
        folder: The user's documents; the default folder of this user by default.
        settings: Embeddings and servers; those of the folder's ``retrieval.yaml`` by default.

    Raises:
        KnowledgeError: What was asked for cannot be had, in one line.
    """
    folder = folder or default_folder()
    documents = [*shipped_notes(), *KnowledgeFolder(folder).documents()]
    return build_retriever(split(documents), method, settings or read_settings(folder))


def build_retriever(
    chunks: Sequence[Chunk], method: str, settings: RetrievalSettings | None = None
) -> Retriever:
    """A retriever over given chunks."""
    if method not in METHODS:
        raise KnowledgeError(f"unknown method '{method}'; known: {', '.join(METHODS)}")
    if not chunks:
        raise KnowledgeError("the knowledge base is empty")
    if method == "bm25":
        return LexicalRetriever(chunks)
    dense = _dense(chunks, settings or RetrievalSettings())
    return dense if method == "dense" else HybridRetriever([LexicalRetriever(chunks), dense])


def _dense(chunks: Sequence[Chunk], settings: RetrievalSettings) -> Retriever:
    texts = [f"{chunk.title}\n{chunk.text}" for chunk in chunks]
    embedding = make_embedding(settings, texts)
    index: VectorIndex
    if settings.qdrant_url:
        index = ServedVectors(settings, embedding, chunks, texts)
    else:
        index = InMemoryVectors(embedding.embed(texts))
    return DenseRetriever(chunks, embedding, index)
