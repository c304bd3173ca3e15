"""The evaluation as a page for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from envs.formulation.evaluation.components import KINDS
from envs.formulation.evaluation.funnel import STAGES
from envs.formulation.evaluation.judging import RETRIEVALS, Verdict
from envs.formulation.evaluation.scenarios import WORDINGS, families
from envs.formulation.evaluation.validation import Trial
from envs.formulation.retrieval.opening import DEFAULT_METHOD


def as_data(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Everything, as plain data."""
    return {"format": 1, "transcripts": len(verdicts), "verdicts": [asdict(v) for v in verdicts]}


def as_markdown(verdicts: Sequence[Verdict], aside: Sequence[str] = ()) -> str:
    """The tables.

    Args:
        verdicts: Of all recordings.
        aside: Recordings that answer none of the requests, or are none.
    """
    count = len(families()) * len(WORDINGS)
    settings = [r for r in RETRIEVALS if any(v.retrieval == r for v in verdicts)]
    models = sorted({v.model for v in verdicts})
    lines = [
        "# How good the formulations are",
        "",
        f"{len(verdicts)} recorded formulations of {count} requests"
        + (f", by {', '.join(models)}." if models else "."),
        "Written by `python -m benchmark formulate-eval`; what each figure means is in "
        "`docs/formulation-evaluation.md`. A dash is what nobody measured.",
    ]
    if aside:
        lines += ["", f"{len(aside)} files left aside: {', '.join(aside)}."]
    if not verdicts:
        return "\n".join(lines) + "\n"
    lines += ["", "## Funnel", ""]
    lines += _table(
        ("retrieval", "answers", "recordings", *STAGES),
        [row for r in settings for row in _funnel(r, [v for v in verdicts if v.retrieval == r])],
    )
    lines += [
        "",
        "The last stage is asked of the requests that have one right answer; its denominator is "
        "theirs.",
        "",
        "## By wording, after repairs",
        "",
    ]
    lines += _table(
        ("wording", "retrieval", "recordings", *STAGES, "regret"),
        [
            (w, r, *_wording([v for v in _of(verdicts, r) if v.wording == w]))
            for w in WORDINGS
            for r in settings
        ],
    )
    if others := [r for r in settings if r != DEFAULT_METHOD]:
        lines += ["", f"## Against {DEFAULT_METHOD}, on the requests recorded with both", ""]
        lines += _table(
            ("retrieval", "requests", "compiles at first", "equivalent at first", "regret"),
            [(r, *_compared(_of(verdicts, r), _of(verdicts, DEFAULT_METHOD))) for r in others],
        )
        lines += ["", f"Its own figure before {DEFAULT_METHOD}'s. Less regret is better."]
    lines += ["", "## Parts, after repairs", ""]
    lines += _table(
        ("part", *(f"{name} {r}" for r in settings for name in ("precision", "recall"))),
        [(kind, *(x for r in settings for x in _parts(kind, _of(verdicts, r)))) for kind in KINDS],
    )
    lines += ["", "## Retrieval and cost", ""]
    lines += _table(
        ("retrieval", "precision@4", "recall@4", "MRR", "regret", "tokens", "seconds", "gCO2e"),
        [(r, *_costs(_of(verdicts, r))) for r in settings],
    )
    lines += ["", "## Every recording", ""]
    lines += _table(
        (
            "recording",
            "retrieval",
            "answers",
            "first answer",
            "last answer",
            "regret",
            "stopped by",
        ),
        [
            (
                f"{v.family}-{v.wording}",
                v.retrieval,
                str(v.attempts),
                v.first[-1] if v.first else "—",
                v.last[-1] if v.last else "—",
                _number(v.regret),
                v.reason.replace("|", "/").replace("\n", " ")[:160],
            )
            for v in verdicts
        ],
    )
    return "\n".join(lines) + "\n"


def _of(verdicts: Sequence[Verdict], retrieval: str) -> list[Verdict]:
    return [v for v in verdicts if v.retrieval == retrieval]


def _funnel(retrieval: str, verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    for name, stages in (
        ("first", [v.first for v in verdicts]),
        ("last", [v.last for v in verdicts]),
    ):
        yield (retrieval, name, str(len(verdicts)), *_passed(verdicts, stages))


def _passed(verdicts: Sequence[Verdict], stages: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for stage in STAGES:
        asked = [
            stage in passed
            for v, passed in zip(verdicts, stages, strict=True)
            if stage != "equivalent" or v.wording != "underspecified"
        ]
        yield f"{sum(asked)}/{len(asked)}" if asked else "—"


def _wording(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    passed = _passed(verdicts, [v.last for v in verdicts])
    return (str(len(verdicts)), *passed, _mean([v.regret for v in verdicts]))


def _compared(verdicts: Sequence[Verdict], default: Sequence[Verdict]) -> tuple[str, ...]:
    """Both on the same requests; regret where both have one."""
    others = {(v.family, v.wording): v for v in default}
    pairs = [(v, others[v.family, v.wording]) for v in verdicts if (v.family, v.wording) in others]
    told = []
    for stage in ("compiles", "equivalent"):
        asked = [
            pair for pair in pairs if stage == "compiles" or pair[0].wording != "underspecified"
        ]
        own, its = (sum(stage in pair[side].first for pair in asked) for side in (0, 1))
        told.append(f"{own}, {its} of {len(asked)}")
    known = [
        (v.regret, o.regret) for v, o in pairs if v.regret is not None and o.regret is not None
    ]
    own_regret, its_regret = (_mean([pair[side] for pair in known]) for side in (0, 1))
    return (str(len(pairs)), *told, f"{own_regret}, {its_regret} ({len(known)})")


def _parts(kind: str, verdicts: Sequence[Verdict]) -> tuple[str, str]:
    counts = [v.components[kind] for v in verdicts if v.components]
    right = sum(c["right"] for c in counts)
    return (
        _share(right, sum(c["candidate"] for c in counts)),
        _share(right, sum(c["reference"] for c in counts)),
    )


def _costs(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(
        _mean([getattr(v, name) for v in verdicts])
        for name in (
            "precision",
            "recall",
            "reciprocal_rank",
            "regret",
            "tokens",
            "seconds",
            "carbon_g",
        )
    )


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "—"
    some = f" ({len(known)} of {len(values)})" if len(known) < len(values) else ""
    return _number(sum(known) / len(known)) + some


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%} ({part}/{whole})" if whole else "—"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def trial_as_markdown(trials: Sequence[Trial]) -> str:
    """Both rates of the metric, and every miss."""
    caught = sum(t.caught.total() for t in trials)
    missed = sum(len(t.missed) for t in trials)
    accepted = sum(t.accepted.total() for t in trials)
    rejected = sum(len(t.rejected) for t in trials)
    lines = [
        "# The metric on trial",
        "",
        f"Wrong versions caught: {caught} of {caught + missed} ({_rate(caught, missed)}). "
        f"Other ways of writing accepted: {accepted} of {accepted + rejected} "
        f"({_rate(accepted, rejected)}).",
        "Written by `python -m benchmark formulate-eval --validate`.",
        "",
    ]
    lines += _table(
        (
            "family",
            "wrong versions",
            "caught",
            "missed",
            "harmless",
            "refused by the compiler",
            "other ways",
            "accepted",
            "rejected",
        ),  # fmt: skip
        [
            (
                t.family,
                str(t.caught.total() + len(t.missed)),
                str(t.caught.total()),
                str(len(t.missed)),
                str(len(t.harmless)),
                str(t.refused),
                str(t.accepted.total() + len(t.rejected)),
                str(t.accepted.total()),
                str(len(t.rejected)),
            )
            for t in trials
        ],
    )
    for title, lists in (
        ("Missed", [(t.family, t.missed) for t in trials]),
        ("Rejected", [(t.family, t.rejected) for t in trials]),
        ("Harmless: proven to change nothing", [(t.family, t.harmless) for t in trials]),
        (
            "Ways of writing that do not compile, not counted",
            [(t.family, t.unwritten) for t in trials],
        ),
    ):
        found = [f"- {family}: `{' '.join(one.split())}`" for family, ones in lists for one in ones]
        lines += ["", f"## {title}", "", *(found or ["None."])]
    kinds: dict[str, int] = {}
    for t in trials:
        for kind, number in t.caught.items():
            kinds[kind] = kinds.get(kind, 0) + number
    lines += ["", "## Mistakes caught, by kind", ""]
    lines += _table(("mistake", "caught"), [(k, str(n)) for k, n in sorted(kinds.items())])
    return "\n".join(lines) + "\n"


def _rate(good: int, bad: int) -> str:
    return f"{good / (good + bad):.1%}" if good + bad else "none tried"
