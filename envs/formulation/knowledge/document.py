"""A document: a name, a title, where it comes from, and its text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Document:
    """A text of the knowledge base.

    Attributes:
        name: What it is called: letters, digits, ``_`` and ``-``; unique in a base.
        title: For people.
        source: Where it comes from, for people; never opened.
        text: Plain text or Markdown, cleaned.
        markdown: Whether its headings begin sections.
    """

    name: str
    title: str
    source: str
    text: str
    markdown: bool
