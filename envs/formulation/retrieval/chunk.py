"""A chunk of a document, and a hit: what retrieval finds."""

import re
from dataclasses import dataclass

_TAG = re.compile(r"<(?=[/|!?A-Za-z])")


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

    def quoted(self) -> str:
        """The chunk as a quotation that its own text cannot end.

        Every line of the text begins with ``| ``, so that none of them can be read as the line
        that closes the quotation, as a Markdown fence or as a heading; what looks like a tag or a
        model's control token is no longer one.
        """
        body = "\n".join(f"| {_harmless(line)}" for line in self.text.splitlines())
        title, source = (_harmless(" ".join(t.split())) for t in (self.title, self.source))
        return (
            f"[chunk {self.id}]\n| title: {title}\n| source: {source}\n|\n{body}\n"
            f"[end of chunk {self.id}]"
        )


@dataclass(frozen=True)
class Hit:
    """A chunk that was found.

    Attributes:
        chunk: What was found.
        score: Higher is better; comparable within one answer only.
    """

    chunk: Chunk
    score: float


def _harmless(line: str) -> str:
    return _TAG.sub("‹", line)
