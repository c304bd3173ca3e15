"""The user's own documents: one JSON file each, in one folder."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from envs.formulation.knowledge.document import Document
from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.knowledge.extraction import MAX_CHARACTERS, extract

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,80}")
_FORMAT = 1
_MAX_BYTES = 6 * MAX_CHARACTERS + 10_000
"""Of a stored document: JSON may need six bytes for a character."""


@dataclass(frozen=True)
class Added:
    """What became of a file that was added.

    Attributes:
        document: As it is kept.
        new: False when the same text was there already.
    """

    document: Document
    new: bool


def default_folder() -> Path:
    """``$XDG_DATA_HOME/lowcarbon-bench/knowledge``."""
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share"
    return home / "lowcarbon-bench" / "knowledge"


class KnowledgeFolder:
    """The documents a user added. Files appear and vanish whole; several processes may look on."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first document is added."""
        self.folder = folder
        self._documents = folder / "documents"

    def add(self, file: Path) -> Added:
        """Extract a file's text and keep it.

        Args:
            file: A ``.pdf``, ``.md``, ``.txt``, ``.html`` or ``.htm`` file.

        Raises:
            KnowledgeError: It cannot be read, or is not what it should be; nothing is kept.
        """
        extracted = extract(file)
        digest = hashlib.sha256(extracted.text.encode()).hexdigest()
        for path in self._paths():
            if path.stem.endswith(f"-{digest[:12]}"):
                return Added(_load(path), new=False)
        stem = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:48] or "document"
        document = Document(
            f"{stem}-{digest[:12]}",
            extracted.title,
            extracted.source,
            extracted.text,
            extracted.markdown,
        )
        self._write(document, digest)
        return Added(document, new=True)

    def documents(self) -> list[Document]:
        """All documents, by name.

        Raises:
            KnowledgeError: A file in the folder is no document.
        """
        return [_load(path) for path in self._paths()]

    def remove(self, name: str) -> None:
        """Forget a document.

        Raises:
            KnowledgeError: There is none of this name.
        """
        paths = {path.stem: path for path in self._paths()}
        if name not in paths:
            known = ", ".join(paths) or "none"
            raise KnowledgeError(f"no document '{name}' in {self.folder}; there are: {known}")
        paths[name].unlink(missing_ok=True)

    def _paths(self) -> Iterator[Path]:
        if self._documents.is_dir():
            yield from sorted(self._documents.glob("*.json"))

    def _write(self, document: Document, digest: str) -> None:
        record = {
            "format": _FORMAT,
            "title": document.title,
            "source": document.source,
            "markdown": document.markdown,
            "sha256": digest,
            "added": datetime.now(UTC).isoformat(timespec="seconds"),
            "text": document.text,
        }
        try:
            self._documents.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._documents, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    json.dump(record, stream, ensure_ascii=False, indent=1)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(temporary, self._documents / f"{document.name}.json")
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise KnowledgeError(f"cannot write to {self._documents}: {error.strerror}") from error


def _load(path: Path) -> Document:
    try:
        if path.stat().st_size > _MAX_BYTES or not _NAME.fullmatch(path.stem):
            raise ValueError("its name or size is not that of a document")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ValueError(f"it is not of format {_FORMAT}")
        title, source, text = (found[key] for key in ("title", "source", "text"))
        if not all(isinstance(value, str) for value in (title, source, text)):
            raise ValueError("title, source and text must be texts")
        return Document(path.stem, title, source, text, markdown=found["markdown"] is True)
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise KnowledgeError(
            f"{path} is no document of this knowledge base ({error}); delete it, and add the "
            "original again"
        ) from error
