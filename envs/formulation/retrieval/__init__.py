"""Search in the knowledge base: BM25, dense, or both fused by reciprocal rank."""

from envs.formulation.retrieval.chunk import Chunk, Hit
from envs.formulation.retrieval.opening import DEFAULT_METHOD, build_retriever, open_retriever
from envs.formulation.retrieval.retriever import Retriever
from envs.formulation.retrieval.settings import METHODS, RetrievalSettings

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "Chunk",
    "Hit",
    "Retriever",
    "RetrievalSettings",
    "build_retriever",
    "open_retriever",
]
