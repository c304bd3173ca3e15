"""The notes that ship with the suite."""

from functools import cache
from importlib import resources

from envs.formulation.knowledge.document import Document
from envs.formulation.knowledge.front_matter import split_front_matter

FOLDER = "notes"


@cache
def shipped_notes() -> tuple[Document, ...]:
    """All notes, by name."""
    folder = resources.files("envs.formulation.knowledge") / FOLDER
    files = {entry.name.removesuffix(".md"): entry for entry in folder.iterdir()}
    return tuple(_read(name, files[name].read_text(encoding="utf-8")) for name in sorted(files))


def _read(name: str, text: str) -> Document:
    head, body = split_front_matter(text)
    return Document(name, str(head["title"]), f"{name}.md", body.strip(), markdown=True)
