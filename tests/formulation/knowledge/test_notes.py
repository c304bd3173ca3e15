"""The notes keep their form, and every piece of a spec in them is sound."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import pytest
import yaml

import envs
from envs.formulation.knowledge import Document, shipped_notes
from envs.formulation.knowledge.front_matter import split_front_matter
from envs.formulation.retrieval.splitting import split
from tests.language.tiny import TINY

NOTES = {note.name: note for note in shipped_notes()}
SNIPPET = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def front_matter(name: str) -> Any:
    folder = resources.files("envs.formulation.knowledge") / "notes"
    return split_front_matter((folder / f"{name}.md").read_text(encoding="utf-8"))[0]


def snippets(note: Document) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in SNIPPET.findall(note.text)]


@pytest.mark.parametrize("name", NOTES)
def test_a_note_has_a_title_topics_and_sources(name: str) -> None:
    head = front_matter(name)
    assert set(head) == {"title", "topics", "sources"}
    assert all(isinstance(text, str) and text for text in [*head["topics"], *head["sources"]])
    assert NOTES[name].text.startswith(f"# {head['title']}\n")


@pytest.mark.parametrize("name", NOTES)
def test_a_note_is_neither_a_stub_nor_a_treatise(name: str) -> None:
    assert 350 <= len(NOTES[name].text.split()) <= 900


@pytest.mark.parametrize("name", NOTES)
def test_the_spec_in_a_note_compiles(name: str) -> None:
    document: dict[str, Any] = json.loads(json.dumps(TINY))
    for snippet in snippets(NOTES[name]):
        document.update({k: v for k, v in snippet.items() if k in ("decisions", "objective")})
        for section, items in snippet.items():
            document[section] = {**document.get(section, {}), **items}
    document["decisions"].setdefault("knob", TINY["decisions"]["knob"])
    for heuristic in document.get("heuristics", {}).values():
        heuristic["decisions"]["knob"] = "0"
    envs.parse(json.dumps(document))


@pytest.mark.parametrize("name", NOTES)
def test_no_chunk_cuts_a_spec_in_two(name: str) -> None:
    chunks = [chunk.text for chunk in split([NOTES[name]])]
    for text in SNIPPET.findall(NOTES[name].text):
        assert any(text.rstrip() in chunk for chunk in chunks), "over 1,000 characters"
