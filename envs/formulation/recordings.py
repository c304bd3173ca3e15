"""The recordings that are shipped: how each problem came from words to its spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from envs.formulation.answer import document_in
from envs.formulation.edits import Edit, apply, read_edits
from envs.formulation.llm.replay import Replay
from envs.formulation.loop import Formulation, formulate, provenance
from envs.formulation.transcript import Transcript, load_transcript

LIBRARY = Path(__file__).parent / "library"
REQUESTS = Path(__file__).parent / "requests"


@dataclass(frozen=True)
class Recording:
    """A request, what was answered to it, and what people then changed.

    Attributes:
        name: Of the problem.
        request: The file with the designer's words.
        transcript: Where the recording is, or would be.
        edits: Where the edits are, or would be.
    """

    name: str
    request: Path
    transcript: Path
    edits: Path

    @property
    def recorded(self) -> bool:
        """Whether a model has answered."""
        return self.transcript.is_file()

    def play(self) -> Formulation:
        """Play the recording through the loop."""
        return replay(load_transcript(self.transcript))

    def read_edits(self) -> tuple[Edit, ...]:
        """What people changed; nothing when there is no list."""
        return read_edits(self.edits) if self.edits.is_file() else ()

    def answered(self) -> dict[str, Any]:
        """The document that was answered.

        What the recording says was accepted is only read; otherwise it is played, and the best of
        its answers is taken as it was then.

        Raises:
            ValueError: No answer compiled.
        """
        transcript = load_transcript(self.transcript)
        last = transcript.attempts[-1]
        if not last.diagnostics:
            return document_in(last.answer)
        document = replay(transcript).document
        if document is None:
            raise ValueError(f"{self.name}: no answer of the recording compiles")
        return document

    def edited(self) -> dict[str, Any]:
        """The document after the edits.

        Raises:
            EditError: They do not fit the answer.
            ValueError: No answer compiled.
        """
        return apply(self.answered(), self.read_edits())


def replay(transcript: Transcript) -> Formulation:
    """What came of a recorded formulation: the same answers through today's checks."""
    result = formulate(
        transcript.request,
        model=Replay(transcript.answers()),
        opening=transcript.opening,
        repairs=max(len(transcript.attempts) - 1, 0),
    )
    document = result.document and {**result.document, "provenance": provenance(transcript)}
    return replace(result, document=document, transcript=transcript)


def of_library() -> Iterator[Recording]:
    """One for each problem of the library."""
    for folder in sorted(path for path in LIBRARY.iterdir() if path.is_dir()):
        parts = (folder / part for part in ("request.md", "transcript.json", "edits.yaml"))
        yield Recording(folder.name, *parts)


def of_new_problems() -> Iterator[Recording]:
    """One for each request beyond the library."""
    for path in sorted(REQUESTS.glob("*.md")):
        stem = path.with_suffix("")
        yield Recording(
            path.stem, path, stem.with_suffix(".transcript.json"), stem.with_suffix(".edits.yaml")
        )


def find(request: str) -> Transcript | None:
    """The shipped recording of a request, however its lines are broken."""
    for recording in (*of_library(), *of_new_problems()):
        if recording.recorded:
            transcript = load_transcript(recording.transcript)
            if transcript.request.split() == request.split():
                return transcript
    return None
