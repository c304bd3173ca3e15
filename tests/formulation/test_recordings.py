"""How the shipped problems came from words: recorded, edited with reasons, and played again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import envs
from envs.formulation.recordings import Recording, find, of_library, of_new_problems
from envs.formulation.transcript import (
    TranscriptError,
    load_opening,
    load_transcript,
    to_json,
)
from envs.problem import Problem
from tests.formulation.answers import GOOD, WRONG_UNIT, Scripted
from tests.structure.project import ROOT

LIBRARY = list(of_library())
NEW = list(of_new_problems())
EDITED = [recording for recording in LIBRARY if recording.edits.is_file()]
ANSWERED = [r for r in (*LIBRARY, *NEW) if r.recorded]
# Of the language, not of a designer.
OUR_WORDS = ("yaml", "simplex", "functional_unit", "heuristic", "ood", "gco2e/kwh:", "expr")


def test_every_problem_of_the_library_and_eight_new_ones_have_a_request() -> None:
    assert {recording.name for recording in LIBRARY} == set(envs.problems())
    assert len(NEW) >= 6
    assert all(recording.request.is_file() for recording in (*LIBRARY, *NEW))


@pytest.mark.parametrize("recording", [*LIBRARY, *NEW], ids=lambda r: r.name)
def test_a_request_is_in_a_designers_words(recording: Recording) -> None:
    text = recording.request.read_text()
    assert 100 <= len(text.split()) <= 500
    assert not [word for word in OUR_WORDS if word in text.lower().split()]
    assert text.endswith("\n") and max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("recording", EDITED, ids=lambda r: r.name)
def test_recording_and_edits_give_the_shipped_problem_to_the_digest(recording: Recording) -> None:
    transcript = load_transcript(recording.transcript)
    assert transcript.request.split() == recording.request.read_text().split()
    assert all(edit.why != "TODO" for edit in recording.read_edits())
    assert Problem(recording.edited()).digest == envs.load(recording.name).digest


@pytest.mark.slow
@pytest.mark.parametrize("recording", ANSWERED, ids=lambda r: r.name)
def test_a_recording_passes_todays_checks_as_it_did_then(recording: Recording) -> None:
    transcript = load_transcript(recording.transcript)
    played = recording.play()
    assert played.problem is not None
    assert played.accepted == (not transcript.attempts[-1].diagnostics)
    assert Problem(recording.answered()).digest == played.problem.digest


@pytest.mark.parametrize("recording", ANSWERED, ids=lambda r: r.name)
def test_a_problem_compiles_from_its_recording(recording: Recording) -> None:
    transcript = load_transcript(recording.transcript)
    assert transcript.request.split() == recording.request.read_text().split()
    assert Problem(recording.answered()).horizon >= 1
    assert find(transcript.request) == transcript


def test_the_docs_say_which_problems_are_recorded() -> None:
    text = (ROOT / "docs" / "formulation.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("Recorded: "))
    said = set(re.findall(r"`(\w+)`", line))
    assert said == {recording.name for recording in (*LIBRARY, *NEW) if recording.recorded}


def make(folder: Path, *answers: str) -> Recording:
    """A recording, as if it had been shipped."""
    from envs.formulation.loop import formulate

    (folder / "request.md").write_text("Send over one link.\n")
    formulate("Send over one link.", model=Scripted(*answers)).transcript.save(
        folder / "transcript.json"
    )
    paths = (folder / part for part in ("request.md", "transcript.json", "edits.yaml"))
    return Recording("one_link", *paths)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    recording = make(tmp_path, WRONG_UNIT, GOOD)
    transcript = load_transcript(recording.transcript)
    assert to_json(transcript) == recording.transcript.read_text()
    assert [a.tokens for a in transcript.attempts] == [15, 15]
    played = recording.play()
    assert played.transcript == transcript
    assert played.accepted


def test_edits_are_made_on_what_was_answered(tmp_path: Path) -> None:
    recording = make(tmp_path, GOOD)
    recording.edits.write_text(
        "edits:\n  - {path: parameters.band.value, from: 1, to: 2, why: licence}\n"
    )
    assert recording.edited()["parameters"]["band"]["value"] == 2


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1, "attempts": 3}', "[" * 5000],
    ids=["empty", "list", "nothing", "format", "shape", "deep"],
)
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    for load in (load_transcript, load_opening):
        with pytest.raises(TranscriptError, match=r"t\.json"):
            load(path)


def test_a_recording_holds_nothing_but_what_its_format_names(tmp_path: Path) -> None:
    record = json.loads(make(tmp_path, GOOD).transcript.read_text())
    assert set(record) == {"format", "opening", "attempts", "model", "provider", "date"}
    assert set(record["opening"]) == {"request", "chunks", "system", "prompt"}
    assert set(record["attempts"][0]) == {
        "prompt", "answer", "diagnostics", "prompt_tokens", "answer_tokens", "seconds",
    }  # fmt: skip
