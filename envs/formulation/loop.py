"""The loop: retrieve, ask, read, compile, examine, give the findings back, at most k times."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from envs.formulation.answer import document_in
from envs.formulation.assessment import Assessment, assess
from envs.formulation.llm.protocol import UNKNOWN, Answer, Message, Model
from envs.formulation.prompt import repair_prompt, request_prompt, revision_prompt, system_prompt
from envs.formulation.retrieval import Hit, Retriever
from envs.formulation.transcript import Attempt, Excerpt, Opening, Transcript
from envs.formulation.writing import to_yaml
from envs.problem import Problem, library
from envs.spec.diagnostics import Diagnostic, SpecError

REPAIRS = 3
CHUNKS = 4
LONGEST_REQUEST = 20_000

Report = Callable[[str], None]


class Memory(Protocol):
    """Earlier formulations, recalled by similarity."""

    def recall(self, request: str) -> tuple[str, str] | None:
        """Request and spec of the most similar one, if one is similar enough."""


@dataclass(frozen=True)
class Formulation:
    """What came of a request.

    Attributes:
        problem: Compiled; None when no answer compiled.
        document: The spec with its provenance; None when no answer compiled.
        findings: What is still to mend in it; with a problem, signs that it is a poor one.
        transcript: Everything that was said.
    """

    problem: Problem | None
    document: dict[str, Any] | None
    findings: tuple[Diagnostic, ...]
    transcript: Transcript

    @property
    def accepted(self) -> bool:
        """Whether nothing was left to mend."""
        return self.problem is not None and not self.findings

    @property
    def text(self) -> str:
        """The spec as YAML.

        Raises:
            ValueError: No answer compiled.
        """
        if self.document is None:
            raise ValueError("no answer compiled")
        return to_yaml(self.document)


def open_conversation(
    request: str,
    retriever: Retriever | None = None,
    memory: Memory | None = None,
    current: str | None = None,
) -> Opening:
    """Retrieve, recall and write the first two messages.

    Args:
        request: The designer's words.
        retriever: Where knowledge comes from; None does without.
        memory: Earlier formulations; None does without.
        current: A spec that the request asks to change; None for a new one.

    Raises:
        ValueError: The request is empty or endless.
    """
    if not request.strip() or len(request) > LONGEST_REQUEST:
        raise ValueError(
            f"a request is a text of 1 to {LONGEST_REQUEST} characters; this has {len(request)}"
        )
    hits = retriever.search(request, limit=CHUNKS) if retriever else []
    chunks = tuple(_excerpt(hit) for hit in hits)
    system = system_prompt(taken=library())
    if current is not None:
        return Opening(request, chunks, system, revision_prompt(current, request, chunks))
    recalled = memory.recall(request) if memory else None
    return Opening(request, chunks, system, request_prompt(request, chunks, recalled))


def formulate(
    request: str,
    *,
    model: Model,
    retriever: Retriever | None = None,
    repairs: int = REPAIRS,
    memory: Memory | None = None,
    opening: Opening | None = None,
    report: Report = lambda line: None,
) -> Formulation:
    """Turn a designer's words into a problem.

    Args:
        request: The designer's words.
        model: Who answers.
        retriever: Where knowledge comes from; None does without.
        repairs: How many times an answer is given back with what was found in it.
        memory: Earlier formulations; None does without.
        opening: A conversation that was begun earlier, instead of retrieving and recalling anew.
        report: Told what happens, a line at a time.

    Raises:
        LanguageModelError: The model gave no answer.
        ValueError: The request is empty or endless.
    """
    if opening is None:
        opening = open_conversation(request, retriever, memory)
    taken = library()
    conversation = opening.messages
    attempts: list[Attempt] = []
    best: tuple[Assessment, dict[str, Any]] | None = None
    last: tuple[Diagnostic, ...] = ()
    name = UNKNOWN
    for turn in range(1 + repairs):
        answer = model.answer(conversation)
        name = answer.model
        report(f"answer {turn + 1} of {name}, {len(answer.text)} characters: checking")
        document, assessment = _read(answer, taken)
        last = assessment.findings
        attempts.append(
            Attempt(
                conversation[-1].content,
                answer.text,
                last,
                answer.prompt_tokens,
                answer.answer_tokens,
                answer.seconds,
            )
        )
        if assessment.problem is not None and document is not None:
            if best is None or len(last) <= len(best[0].findings):
                best = assessment, document
            if assessment.accepted:
                report("accepted")
                break
        report(f"{len(last)} to mend: {', '.join(sorted({d.code for d in last}))}")
        conversation = [
            *conversation,
            Message("assistant", answer.text),
            Message("user", repair_prompt(last)),
        ]
    today = datetime.date.today().isoformat()
    transcript = Transcript(opening, tuple(attempts), name, model.provider, today)
    if best is None:
        return Formulation(None, None, last, transcript)
    assessment, document = best
    document = {**document, "provenance": provenance(transcript)}
    return Formulation(assessment.problem, document, assessment.findings, transcript)


def provenance(transcript: Transcript) -> dict[str, Any]:
    """What a spec says of where it comes from; not part of its digest."""
    return {
        "request": " ".join(transcript.request.split())[:4000],
        "model": transcript.model,
        "provider": transcript.provider,
        "date": transcript.date,
        "answers": len(transcript.attempts),
        "chunks": [chunk.id for chunk in transcript.chunks],
    }


def _read(answer: Answer, taken: Collection[str]) -> tuple[dict[str, Any] | None, Assessment]:
    if answer.cut:
        return None, Assessment(None, (_CUT,))
    try:
        document = document_in(answer.text)
    except SpecError as error:
        return None, Assessment(None, error.diagnostics)
    return document, assess(document, taken)


_CUT = Diagnostic(
    "bad-answer",
    "answer",
    "a whole spec",
    "one that was cut off at the limit of the answer's length",
    "write a shorter spec: fewer parameters and rules, no comments",
)


def _excerpt(hit: Hit) -> Excerpt:
    chunk = hit.chunk
    return Excerpt(chunk.id, chunk.source, chunk.title, chunk.text, float(hit.score))
