"""How well a retriever answers the gold set: precision, recall and reciprocal rank."""

from collections.abc import Sequence
from dataclasses import dataclass

from envs.formulation.knowledge.gold import GoldQuery
from envs.formulation.knowledge.notes import shipped_notes
from envs.formulation.retrieval.chunk import Chunk
from envs.formulation.retrieval.retriever import TOP, Retriever


@dataclass(frozen=True)
class Measures:
    """Of one query, or means over several.

    Attributes:
        precision: Share of the first four chunks that belong to an answering section.
        recall: Share of the answering sections (of four, where there are more) with a chunk among
            the first four.
        reciprocal_rank: One over the rank of the first answering chunk of the first fifty; 0
            without one.
        found: Whether an answering chunk is among the first four.
    """

    precision: float
    recall: float
    reciprocal_rank: float
    found: float


DEPTH = 50
"""Ranks that the reciprocal rank looks at."""


def measure(retriever: Retriever, query: GoldQuery) -> Measures:
    """Ask one query."""
    sections = {(note, heading) for note, headings in query.answers.items() for heading in headings}
    ranked = [section_of(hit.chunk) for hit in retriever.search(query.query, DEPTH)]
    first = ranked[:TOP]
    right = [section for section in first if section in sections]
    ranks = [rank for rank, section in enumerate(ranked, start=1) if section in sections]
    return Measures(
        precision=len(right) / TOP,
        recall=len(set(right)) / min(len(sections), TOP),
        reciprocal_rank=1 / ranks[0] if ranks else 0.0,
        found=float(bool(right)),
    )


def mean(measures: Sequence[Measures]) -> Measures:
    """The mean of each measure."""
    count = len(measures)
    return Measures(
        sum(m.precision for m in measures) / count,
        sum(m.recall for m in measures) / count,
        sum(m.reciprocal_rank for m in measures) / count,
        sum(m.found for m in measures) / count,
    )


def section_of(chunk: Chunk) -> tuple[str, str]:
    """Note and heading that a chunk of a shipped note belongs to."""
    note = chunk.id.partition("#")[0]
    title = next(document.title for document in shipped_notes() if document.name == note)
    return note, chunk.title.removeprefix(title).removeprefix(": ")
