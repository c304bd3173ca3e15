"""The tables as Markdown and CSV, and the cells the page shows."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.grams import unit_for
from benchmark.references import ORACLE
from benchmark.report.boards import Board
from benchmark.report.reading import FIGURES, NAMES, RunRecord
from benchmark.report.standings import Standing
from benchmark.table import number, significant

HEADS = (
    "agent",
    "seeds",
    "J",
    "carbon",
    "penalty",
    "violated",
    "score",
    "gap closed",
    "95 % or range",
    "rank",
    "J ood",
    "J stochastic",
    "J selected",
    "steps",
    "updates",
    "seconds",
    "Wh",
    "gCO2e",
    "payback",
)

VARIANTS = ("final.deterministic.ood", "final.stochastic.test", "selected.deterministic.test")
"""Shown beside J, in the order of ``HEADS``."""

DASH = "–"


def board_rows(board: Board, standings: Sequence[Standing]) -> tuple[str, list[dict[str, Any]]]:
    """Rows by head, agents and reference rows together, the least J first.

    Returns:
        The unit of the grams, and for each row ``kind`` (``agent`` or ``row``), ``cells`` and what
        they are sorted by.
    """
    listed = [s.entrant.mean("objective_g") for s in standings]
    rows = board.standing["rows"]
    listed += [row["objective_g"] for row in rows.values()]
    known = [value for value in listed if value is not None]
    unit, factor = unit_for(known) if known else ("g", 1.0)
    out = [_agent_row(standing, factor) for standing in standings]
    for name, row in rows.items():
        shown = f"{name} ({board.standing['method'].replace('_', ' ')})" if name == ORACLE else name
        out.append(_reference_row(shown, row, factor))
    return unit, sorted(out, key=lambda row: row["order"])


def _agent_row(standing: Standing, factor: float) -> dict[str, Any]:
    entrant = standing.entrant
    seeds = str(len(entrant.runs))
    if entrant.failed:
        seeds += f" + {len(entrant.failed)} failed"
    if standing.exploratory:
        seeds += " (exploratory)"
    grams = [entrant.mean(name) for name in ("objective_g", "carbon_g", "penalty_g")]
    variants = [entrant.mean_variant(name) for name in VARIANTS]
    effort = [entrant.mean(name) for name in ("env_steps", "gradient_steps", "train_seconds")]
    cost = [entrant.mean(name) for name in ("train_wh", "train_gco2")]
    share = entrant.mean("violated_share")
    paybacks = [run.payback for run in entrant.runs.values() if run.payback is not None]
    spread = standing.spread
    kind = "range" if standing.exploratory else "95 %"
    cells = [
        entrant.label,
        seeds,
        *(significant(None if g is None else g * factor) for g in grams),
        DASH if share is None else f"{share:.0%}",
        number(entrant.mean("score")),
        number(standing.gap_closed),
        DASH if spread is None else f"{spread[0]:.3f} to {spread[1]:.3f} ({kind})",
        DASH if standing.rank is None else str(standing.rank),
        *(significant(None if g is None else g * factor) for g in variants),
        *(DASH if e is None else f"{e:,.0f}" for e in effort),
        *(significant(c) for c in cost),
        _payback(paybacks, len(entrant.runs)),
    ]
    order = grams[0] if grams[0] is not None else float("inf")
    return {"kind": "agent", "order": order, "cells": cells}


def _reference_row(name: str, row: Mapping[str, Any], factor: float) -> dict[str, Any]:
    grams = [row[key] for key in ("objective_g", "carbon_g", "penalty_g")]
    share = row["violated_share"]
    cells = [
        name,
        "",
        *(significant(None if g is None else g * factor) for g in grams),
        DASH if share is None else f"{share:.0%}",
        number(row["score"]),
        number(row["gap_closed"]),
    ]
    cells += [""] * (len(HEADS) - len(cells))
    order = grams[0] if grams[0] is not None else float("inf")
    return {"kind": "row", "order": order, "cells": cells}


def _payback(paybacks: Sequence[float], runs: int) -> str:
    """Decisions, where training is repaid on every seed; else on how many it is."""
    if not paybacks:
        return "none"
    middle = sorted(paybacks)[len(paybacks) // 2]
    text = f"{significant(middle)} decisions"
    return text if len(paybacks) == runs else f"{text} ({len(paybacks)} of {runs} seeds)"


def markdown(boards: Sequence[tuple[Board, str, list[dict[str, Any]]]], lines: list[str]) -> str:
    """All boards as one Markdown document.

    Args:
        boards: Each with its unit and its rows.
        lines: Notes to stand below.
    """
    out = ["# Results", ""]
    for board, unit, rows in boards:
        heads = [f"{head} ({unit})" if head[0] == "J" else head for head in HEADS]
        kept = [
            i for i in range(len(heads)) if any(row["cells"][i] not in ("", DASH) for row in rows)
        ]
        out += [f"## {_cell(board.name)}", "", _identity(board), ""]
        out.append("| " + " | ".join(heads[i] for i in kept) + " |")
        out.append("|" + "---|" * len(kept))
        for row in rows:
            cells = [_cell(row["cells"][i]) for i in kept]
            if row["kind"] == "agent":
                cells[0] = f"**{cells[0]}**"
            out.append("| " + " | ".join(cells) + " |")
        out.append("")
        for reason in board.standing["reasons"]:
            out += [_cell(reason), ""]
    if lines:
        out += ["## Notes", "", *(f"- {_cell(line)}" for line in lines), ""]
    return "\n".join(out)


def _identity(board: Board) -> str:
    parts = board.identity
    return f"spec `{parts['spec'][:12]}`, code `{parts['code'][:12]}`, {board.runs} runs"


def _cell(text: str) -> str:
    """Text that can neither end a cell nor become markup; names come from strangers' folders."""
    plain = " ".join(str(text).split())
    return re.sub(r"([\\`*_|<>\[\]#&~!])", r"\\\1", plain)


def csv_columns(runs: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """One row for each run, failed ones too, with empty fields for what is missing."""
    columns: dict[str, list[Any]] = {
        name: [_harmless(run.names[name]) for run in runs] for name in NAMES
    }
    columns["agent_digest"] = [_harmless(run.agent_digest) for run in runs]
    columns["seed"] = [run.seed for run in runs]
    for name in FIGURES:
        columns[name] = [run.figures[name] for run in runs]
    for name in VARIANTS:
        columns[f"objective_g.{name}"] = [run.variants.get(name) for run in runs]
    columns["payback_decisions"] = [run.payback for run in runs]
    columns["folder"] = [_harmless(run.folder.as_posix()) for run in runs]
    return columns


def _harmless(text: str) -> str:
    """A text that a spreadsheet takes for a formula is made none."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
