"""Text from outside is made harmless: no control, no invisible and no bidirectional characters."""

import re
import unicodedata

from envs.formulation.knowledge.errors import KnowledgeError

_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn"}
"""Control, format (bidi, zero width, tags), surrogate, private, unassigned."""
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_EMPTY_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")
_MARKS_AT_MOST = 4
"""Combining marks on one letter; more only hide text."""

_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def clean(text: str) -> str:
    """Text without anything that could hide, reorder or steer what is shown."""
    text = unicodedata.normalize("NFC", _BREAKS.sub("\n", text))
    kept: list[str] = []
    marks = 0
    for character in text:
        if character in "\n\t" or character.isascii() and character.isprintable():
            marks = 0
        elif (kind := unicodedata.category(character)) in _DROPPED:
            continue
        else:
            marks = marks + 1 if kind == "Mn" else 0
        if marks <= _MARKS_AT_MOST:
            kept.append(character)
    return _EMPTY_LINES.sub("\n\n", "".join(kept)).strip()


def one_line(text: str, limit: int = 200) -> str:
    """A title or a source: clean, on one line, not longer than a limit."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 that says so by its first bytes.

    Raises:
        KnowledgeError: It is neither.
    """
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise KnowledgeError(
            f"it is not {encoding.removesuffix('-sig').upper()} text (byte {error.start}); save it "
            "as UTF-8"
        ) from error
    if "\0" in text:
        raise KnowledgeError("it holds zero bytes: expected text, found something binary")
    return text
