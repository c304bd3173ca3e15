"""One recorded formulation, judged in every respect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from envs.formulation.evaluation.behaviour import Behaviour
from envs.formulation.evaluation.components import components
from envs.formulation.evaluation.funnel import Passage, passage
from envs.formulation.evaluation.regret import regret
from envs.formulation.evaluation.scenarios import Scenario, scenarios
from envs.formulation.transcript import Transcript, load_transcript

RETRIEVALS = ("none", "bm25", "dense", "hybrid")
TOP = 4


@dataclass(frozen=True)
class Verdict:
    """What was found in one recorded formulation.

    Attributes:
        file: The recording.
        retrieval: How its chunks were found.
        family: What was asked for.
        wording: How.
        model: As it reports itself.
        attempts: How many answers there are.
        first: Stages that the first answer passed.
        last: Stages that the last answer passed.
        reason: What stopped the last answer; empty when nothing did.
        components: Right parts, those of the reference, those of the answer, by kind; None when
            it does not compile.
        regret: Normalised decision regret of the last answer, or None.
        precision: Share of the first four chunks whose document helps; None without retrieval.
        recall: Share of the helpful documents among them.
        reciprocal_rank: One over the place of the first that helps, or 0.
        tokens: Of all attempts, or None where some were not counted.
        seconds: Of all attempts, or None.
        carbon_g: Of the answers, or None: nothing that was recorded tells.
    """

    file: str
    retrieval: str
    family: str
    wording: str
    model: str
    attempts: int
    first: tuple[str, ...]
    last: tuple[str, ...]
    reason: str
    components: dict[str, dict[str, int]] | None
    regret: float | None
    precision: float | None
    recall: float | None
    reciprocal_rank: float | None
    tokens: int | None
    seconds: float | None
    carbon_g: float | None = None


def judged(file: Path, retrieval: str) -> Verdict | None:
    """Judge a recording; None when it answers none of the scenarios' requests.

    Raises:
        TranscriptError: It is no recording.
    """
    recording = load_transcript(file)
    scenario = _asked(recording)
    if scenario is None or not recording.attempts:
        return None
    reference = scenario.reference
    passages = [
        passage(attempt.answer, reference, scenario.determined)
        for attempt in (recording.attempts[0], recording.attempts[-1])
    ]
    first, last = passages
    parts, lost = None, None
    if last.problem is not None:
        found = components(reference.compiled(), last.problem.compiled())
        parts = {kind: asdict(counts) for kind, counts in found.items()}
        lost = _regret(scenario, last)
    precision, recall, rank = _retrieved(
        [_document(chunk.id) for chunk in recording.chunks], scenario.gold
    )
    return Verdict(
        file.name,
        retrieval,
        scenario.family,
        scenario.wording,
        recording.model,
        len(recording.attempts),
        first.passed,
        last.passed,
        last.reason,
        parts,
        lost,
        precision,
        recall,
        rank,
        _sum([attempt.tokens for attempt in recording.attempts]),
        _sum([attempt.seconds for attempt in recording.attempts]),
    )


def _asked(recording: Transcript) -> Scenario | None:
    words = recording.request.split()
    return next((s for s in scenarios() if s.request.split() == words), None)


def _regret(scenario: Scenario, last: Passage) -> float | None:
    """Only what runs can be decided in."""
    if last.problem is None or "steps" not in last.passed:
        return None
    return regret(Behaviour(scenario.reference.compiled()), Behaviour(last.problem.compiled()))


def _retrieved(
    sources: Sequence[str], gold: Sequence[str]
) -> tuple[float | None, float | None, float | None]:
    if not sources:
        return None, None, None
    top = sources[:TOP]
    precision = sum(source in gold for source in top) / TOP
    recall = len(set(top) & set(gold)) / len(gold)
    ranks = [1 / place for place, source in enumerate(sources, 1) if source in gold]
    return precision, recall, max(ranks, default=0.0)


def _document(chunk: str) -> str:
    """``pv_harvesting#2`` is a chunk of the note ``pv_harvesting``."""
    return Path(chunk.rpartition("#")[0] or chunk).stem


def _sum(values: Sequence[Any]) -> Any:
    return None if any(value is None for value in values) else sum(values)
