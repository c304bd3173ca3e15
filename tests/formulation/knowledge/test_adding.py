"""Documents of any kind are added as text, or refused in one line with nothing kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envs.formulation.knowledge import KnowledgeError, KnowledgeFolder
from envs.formulation.knowledge import extraction as reading
from envs.formulation.retrieval.splitting import split
from tests.formulation.knowledge.documents import encrypted_pdf, pdf, pdf_bomb, write

PAGE = """<!doctype html><html><head><title>Pumps &amp; tanks</title><style>p {color: red}</style>
<script>alert("stolen")</script></head><body><h1>Pumps</h1><p onclick="steal()">A pump lifts
water.</p><noscript>hidden words</noscript><script>more()</script><ul><li>one</li><li>two</li></ul>
<p>5 &lt; 6</p></body></html>"""


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeFolder:
    return KnowledgeFolder(tmp_path / "kb")


def refusal(base: KnowledgeFolder, path: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(KnowledgeError) as caught:
        base.add(path)
    message = str(caught.value)
    assert "\n" not in message
    assert base.documents() == []
    assert not [p for p in base.folder.rglob("*") if p.is_file()]
    return message


def test_a_pdf_is_kept_as_its_text_under_its_title(base: KnowledgeFolder, tmp_path: Path) -> None:
    file = write(tmp_path, "report.pdf", pdf("Heat pumps in Lyon", pages=2, title="Heat report"))
    document = base.add(file).document
    assert document.title == "Heat report"
    assert document.source == "report.pdf"
    assert document.text.count("Heat pumps in Lyon") == 2


def test_of_a_page_only_what_a_reader_sees_is_kept(base: KnowledgeFolder, tmp_path: Path) -> None:
    document = base.add(write(tmp_path, "page.html", PAGE)).document
    assert document.title == "Pumps & tanks"
    assert "A pump lifts water." in document.text
    assert "5 < 6" in document.text
    for unseen in ("stolen", "more()", "steal", "hidden words", "color"):
        assert unseen not in document.text


def test_markdown_gives_its_title_and_its_sections(base: KnowledgeFolder, tmp_path: Path) -> None:
    text = "---\ntitle: Tanks\nsource: ../../etc/passwd\n---\n# Tanks\n\nA.\n\n## Size\n\nBig.\n"
    document = base.add(write(tmp_path, "tanks.md", text)).document
    assert document.title == "Tanks"
    assert document.source == "tanks.md", "a source that a document claims is not believed"
    assert [chunk.title for chunk in split([document])] == ["Tanks: Tanks", "Tanks: Size"]


def test_the_same_text_is_kept_once(base: KnowledgeFolder, tmp_path: Path) -> None:
    first = base.add(write(tmp_path, "a.txt", "Wind turns the wheel."))
    second = base.add(write(tmp_path, "b.txt", "Wind turns the wheel.\r\n"))
    assert (first.new, second.new) == (True, False)
    assert [document.name for document in base.documents()] == [first.document.name]


def test_a_document_survives_a_new_process_and_can_be_removed(
    base: KnowledgeFolder, tmp_path: Path
) -> None:
    added = base.add(write(tmp_path, "Öl & Gas!.txt", "Ölpreis — 80 €")).document
    again = KnowledgeFolder(base.folder)
    assert again.documents() == [added]
    again.remove(added.name)
    assert base.documents() == []
    with pytest.raises(KnowledgeError, match="there are: none"):
        base.remove(added.name)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", ""])
def test_removing_never_leaves_the_folder(base: KnowledgeFolder, name: str) -> None:
    with pytest.raises(KnowledgeError, match="no document"):
        base.remove(name)


def test_a_name_cannot_leave_the_folder(base: KnowledgeFolder, tmp_path: Path) -> None:
    document = base.add(write(tmp_path, "..%2f..%2fetc‮.txt", "Harmless.")).document
    assert (base.folder / "documents" / f"{document.name}.json").is_file()
    assert set(document.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert "‮" not in document.source + document.title


def test_invisible_and_reordering_characters_are_dropped(
    base: KnowledgeFolder, tmp_path: Path
) -> None:
    tag = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
    text = f"a‮b​c{tag}d\x1b[31me\x07 tab\tkept e{chr(0x301) * 50}"
    document = base.add(write(tmp_path, "odd.txt", text)).document
    assert document.text.startswith("abcd[31me tab\tkept é")
    assert document.text.count(chr(0x301)) <= 4


def test_utf_16_with_a_mark_is_read(base: KnowledgeFolder, tmp_path: Path) -> None:
    document = base.add(write(tmp_path, "wide.txt", "Größe".encode("utf-16"))).document
    assert document.text == "Größe"


REFUSED = {
    "not a PDF": ("a.pdf", b"hello", "does not begin as a PDF"),
    "a broken PDF": ("a.pdf", b"%PDF-1.7\ngarbage", "cannot be read as a PDF"),
    "an encrypted PDF": ("a.pdf", encrypted_pdf(), "encrypted"),
    "a PDF without text": ("a.pdf", pdf(""), "OCR"),
    "too many pages": ("a.pdf", pdf("x", pages=10_000), "10,000 pages"),
    "a broken encoding": ("a.txt", b"caf\xe9 latin", "not UTF-8 text (byte 3)"),
    "a broken page": ("a.html", b"<p>caf\xe9", "not UTF-8 text (byte 6)"),
    "zero bytes": ("a.md", b"abc\0def", "zero bytes"),
    "nothing": ("a.txt", b"", "no text"),
    "only white space": ("a.html", b"<p> </p><script>x</script>", "no text"),
    "another kind": ("a.docx", b"PK", "expected one of .pdf"),
}


@pytest.mark.parametrize(("name", "content", "reason"), REFUSED.values(), ids=REFUSED)
def test_is_refused(
    base: KnowledgeFolder, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    assert reason in refusal(base, write(tmp_path, name, content))


def test_a_pdf_bomb_is_refused_within_its_limits(base: KnowledgeFolder, tmp_path: Path) -> None:
    file = write(tmp_path, "bomb.pdf", pdf_bomb())
    assert file.stat().st_size < 3_000_000
    assert refusal(base, file).startswith(str(file))


def test_a_page_that_keeps_the_parser_busy_is_refused(
    base: KnowledgeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_SECONDS", 2)
    # Each opens a comment to the end of the page: quadratic in html.parser.
    page = write(tmp_path, "comments.html", "<!--" * 1_000_000)
    assert "more time or memory" in refusal(base, page)


def test_a_pdf_of_pages_within_pages_is_refused(base: KnowledgeFolder, tmp_path: Path) -> None:
    loop = pdf("x", pages=2).replace(b"/Kids [5 0 R 6 0 R]", b"/Kids [2 0 R 2 0 R]")
    assert "cannot be read as a PDF" in refusal(base, write(tmp_path, "loop.pdf", loop))


def test_a_gigabyte_is_refused_without_being_read(base: KnowledgeFolder, tmp_path: Path) -> None:
    file = write(tmp_path, "huge.txt", "")
    os.truncate(file, 2**30)
    assert "larger than 64 MiB" in refusal(base, file)


@pytest.mark.parametrize("suffix", [".txt", ".html"])
def test_too_much_text_is_refused(base: KnowledgeFolder, tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path, f"long{suffix}", "word " * 1_100_000)
    assert "more than 5,000,000 characters" in refusal(base, file)


def test_what_is_no_regular_file_is_refused(base: KnowledgeFolder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.md").mkdir()
    assert "not a regular file" in refusal(base, tmp_path / "pipe.txt")
    assert "not a regular file" in refusal(base, tmp_path / "folder.md")
    assert "No such file" in refusal(base, tmp_path / "missing.md")


def test_front_matter_that_would_explode_is_left_out(base: KnowledgeFolder, tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    pairs = zip("abcdefgh", "bcdefghi", strict=True)
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairs]
    text = "---\n" + "\n".join(lines) + "\n---\nThe rest.\n"
    document = base.add(write(tmp_path, "laughs.md", text)).document
    assert (document.title, document.text) == ("laughs", "The rest.")


def test_a_damaged_file_in_the_folder_is_named(base: KnowledgeFolder, tmp_path: Path) -> None:
    added = base.add(write(tmp_path, "a.txt", "Wind.")).document
    path = base.folder / "documents" / f"{added.name}.json"
    path.write_text("{half")
    with pytest.raises(KnowledgeError, match=r"a-.*\.json is no document"):
        base.documents()


def test_a_pdf_with_a_hostile_title_gives_a_plain_one(
    base: KnowledgeFolder, tmp_path: Path
) -> None:
    file = write(tmp_path, "t.pdf", pdf("Text", title="a\x1b[2Jb" + "long " * 200))
    title = base.add(file).document.title
    assert len(title) <= 200
    assert "\x1b" not in title
