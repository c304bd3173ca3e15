"""Reads one PDF or HTML document from standard input, under limits; run by ``extraction``.

A process of its own: a document that makes a parser loop or fill memory ends this process only.
It answers with JSON on standard output: ``{"text": …, "title": …}`` or ``{"error": …}``.
"""

import io
import json
import logging
import resource
import sys
from html.parser import HTMLParser

MEMORY_BYTES = 2**30
CPU_SECONDS = 60
MAX_PAGES = 2_000

_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "svg"}
_BLOCKS = set(
    "address article aside blockquote br dd div dl dt figcaption footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section table td th tr ul".split()
)


class TooLong(Exception):
    """More text than was allowed."""


class Refused(Exception):
    """A document that cannot be read, and why."""


class PageText(HTMLParser):
    """The visible text of a page, and its title."""

    def __init__(self, limit: int) -> None:
        """Stop at so many characters."""
        super().__init__(convert_charrefs=True)
        self._limit, self._count, self._hidden = limit, 0, [""]
        self._in_title = self._as_written = False
        self.parts: list[str] = []
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin to hide what is not text."""
        if tag == "title":
            self._in_title = True
        elif tag in _UNSEEN and len(self._hidden) < 1_000:
            self._hidden.append(tag)
        elif tag in _BLOCKS:
            self._as_written |= tag == "pre"
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """See again."""
        if tag == "title":
            self._in_title = False
        elif tag == self._hidden[-1]:
            self._hidden.pop()
        elif tag in _BLOCKS:
            self._as_written &= tag != "pre"
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what a reader would see."""
        if self._in_title:
            self.title = (self.title + data)[:500]
        elif len(self._hidden) == 1:
            self._count += len(data)
            if self._count > self._limit:
                raise TooLong
            self.parts.append(data if self._as_written else data.replace("\n", " "))


def html_text(content: bytes, limit: int) -> tuple[str, str]:
    """Text and title of a page; UTF-8, or what a byte order mark says."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"it is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    page = PageText(limit)
    page.feed(text)
    page.close()
    lines = (" ".join(line.split()) for line in "".join(page.parts).split("\n"))
    return "\n".join(lines), page.title


def pdf_text(content: bytes, limit: int) -> tuple[str, str]:
    """Text and title of a PDF."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise Refused("pypdf is missing: pip install 'lowcarbon-bench[formulate]'") from error
    logging.disable(logging.CRITICAL)
    if b"%PDF-" not in content[:1024]:
        raise Refused("it does not begin as a PDF does")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("it is encrypted; save a copy without a password")
        pages = len(reader.pages)
        if pages > MAX_PAGES:
            raise Refused(f"it has {pages:,} pages, more than {MAX_PAGES:,}; split it")
        parts: list[str] = []
        count = 0
        for page in reader.pages:
            parts.append(page.extract_text())
            count += len(parts[-1])
            if count > limit:
                raise TooLong
        title = reader.metadata.title if reader.metadata else None
        return "\n\n".join(parts), str(title or "")
    except (Refused, TooLong, MemoryError):
        raise
    except PyPdfError as error:
        raise Refused(f"it cannot be read as a PDF ({_short(error)})") from error
    except Exception as error:  # a parser of hostile bytes fails in any way there is
        raise Refused(f"it cannot be read as a PDF ({type(error).__name__})") from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def main(kind: str, limit: int) -> dict[str, str]:
    """Read standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    try:
        content = sys.stdin.buffer.read()
        text, title = (pdf_text if kind == "pdf" else html_text)(content, limit)
    except Refused as error:
        return {"error": str(error)}
    except TooLong:
        return {"error": f"it has more than {limit:,} characters of text; split it"}
    except (MemoryError, RecursionError):
        return {"error": "reading it takes more memory than a document may; it is not added"}
    return {"text": text, "title": title}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
