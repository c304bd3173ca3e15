"""Documents are cut into chunks, section by section, with an overlap inside a section."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from envs.formulation.knowledge.cleaning import one_line
from envs.formulation.knowledge.document import Document
from envs.formulation.knowledge.errors import KnowledgeError, optional
from envs.formulation.retrieval.chunk import Chunk

CHUNK_SIZE = 1_000
"""Characters, as in the paper."""
CHUNK_OVERLAP = 200
"""Characters that two neighbours of one section share, as in the paper."""
MAX_CHUNKS = 200_000
"""Of a whole knowledge base; an index of more outgrows one machine's memory and patience."""

_HEADING = re.compile(r"#{1,3} +(.*\S)")


def split(documents: Iterable[Document]) -> list[Chunk]:
    """Cut documents into chunks of at most 1,000 characters.

    Args:
        documents: In any order; their order is kept.

    Returns:
        Chunks with ids ``<document>#<n>``, n from 0. A chunk's title is that of its document and of
        its section.

    Raises:
        KnowledgeError: The splitter is not installed, or there are too many chunks.
    """
    splitters = optional("langchain_text_splitters", "langchain-text-splitters")
    pieces = splitters.RecursiveCharacterTextSplitter(
        chunk_size=CHUNK_SIZE, chunk_overlap=CHUNK_OVERLAP
    )
    chunks: list[Chunk] = []
    for document in documents:
        for number, (title, text) in enumerate(_pieces(document, pieces)):
            chunks.append(Chunk(f"{document.name}#{number}", document.source, title, text))
        if len(chunks) > MAX_CHUNKS:
            raise KnowledgeError(
                f"the knowledge base has more than {MAX_CHUNKS:,} chunks; remove documents with "
                "`python -m benchmark kb remove NAME`"
            )
    return chunks


def _pieces(document: Document, pieces: Any) -> Iterator[tuple[str, str]]:
    """Title and text of each chunk of a document."""
    sections = _sections(document.text) if document.markdown else [("", document.text)]
    for heading, section in sections:
        title = f"{document.title}: {heading}" if heading else document.title
        yield from ((title, text) for text in pieces.split_text(section))


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Heading and text of each section of a Markdown document.

    Ours, because langchain's header splitter strips the indentation of code, which is YAML here.
    """
    heading, fenced = "", False
    lines: list[str] = []
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        found = None if fenced else _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        yield heading, "\n".join(lines)
        heading, lines = one_line(found[1], 120), []
    yield heading, "\n".join(lines)
