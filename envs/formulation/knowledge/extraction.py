"""The text of a file from anywhere, read in a process of its own that cannot take the machine."""

import json
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from envs.formulation.knowledge.cleaning import clean, decode, one_line
from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.knowledge.front_matter import split_front_matter

MAX_BYTES = 64 * 2**20
"""Of a file."""
MAX_CHARACTERS = 5_000_000
"""Of the text in it: a book of two thousand pages."""
MAX_SECONDS = 120
"""Of reading one file."""

_KINDS = {".pdf": "pdf", ".html": "html", ".htm": "html", ".md": "text", ".txt": "text"}
_WORKER = Path(__file__).with_name("extraction_worker.py")


@dataclass(frozen=True)
class Extracted:
    """What a file holds: cleaned text, and what to call it."""

    title: str
    source: str
    text: str
    markdown: bool


def extract(file: Path) -> Extracted:
    """Read a file.

    Args:
        file: A ``.pdf``, ``.md``, ``.txt``, ``.html`` or ``.htm`` file.

    Raises:
        KnowledgeError: What was found instead of a readable document, in one line.
    """
    suffix = file.suffix.lower()
    shown = one_line(str(file))
    if suffix not in _KINDS:
        raise KnowledgeError(f"{shown}: expected one of {', '.join(_KINDS)}")
    content = _content(file, shown)
    try:
        if _KINDS[suffix] == "text":
            raw, title = decode(content), ""
        else:
            raw, title = _in_worker(_KINDS[suffix], content)
        if len(raw) > MAX_CHARACTERS:
            raise KnowledgeError(f"it has more than {MAX_CHARACTERS:,} characters; split it")
        return _extracted(file, raw, title)
    except KnowledgeError as error:
        raise KnowledgeError(f"{shown}: {error}") from error


def _content(file: Path, shown: str) -> bytes:
    try:
        # Neither a folder nor a pipe nor a device, which may never end.
        if not stat.S_ISREG(file.stat().st_mode):
            raise KnowledgeError(f"{shown} is not a regular file")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KnowledgeError(f"{shown} cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise KnowledgeError(f"{shown} is larger than {MAX_BYTES // 2**20} MiB; split it")
    return content


def _extracted(file: Path, raw: str, title: str) -> Extracted:
    markdown = file.suffix.lower() == ".md"
    text = clean(raw)
    if markdown:
        # Its title is all that is taken from front matter; a source given there is a claim.
        head, text = split_front_matter(text)
        if isinstance(head.get("title"), str):
            title = str(head["title"])
    text = text.strip()
    if not any(character.isalnum() for character in text):
        raise KnowledgeError("no text found in it; a scanned document needs OCR first")
    name = one_line(file.name)
    return Extracted(one_line(title) or one_line(file.stem), name, text, markdown)


def _in_worker(kind: str, content: bytes) -> tuple[str, str]:
    """Text and title, from a process with little memory and time."""
    command = [sys.executable, "-P", str(_WORKER), kind, str(MAX_CHARACTERS)]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=MAX_SECONDS, check=False
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError, RecursionError):
        answer = {}
    if "error" in answer:
        raise KnowledgeError(one_line(str(answer["error"])))
    if not isinstance(answer.get("text"), str):
        raise KnowledgeError(
            "reading it took more time or memory than a document may; it is damaged or hostile"
        )
    return answer["text"], str(answer.get("title", ""))
