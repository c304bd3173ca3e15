"""A chunk of a document, and a hit: what retrieval finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """A piece of a document. It is data from outside: its text is quoted, never obeyed.

    Attributes:
        id: ``<document>#<n>``.
        source: Where the document comes from, for people.
        title: Of the document and the section.
        text: At most 1,000 characters.
    """

    id: str
    source: str
    title: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A chunk that was found.

    Attributes:
        chunk: What was found.
        score: Higher is better; comparable within one answer only.
    """

    chunk: Chunk
    score: float
