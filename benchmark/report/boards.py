"""What may stand in one table: runs of one problem, one protocol and one code, and no others."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmark.report.reading import RunRecord
from benchmark.store import digest


@dataclass
class Entrant:
    """An agent with one set of values, on one board.

    Attributes:
        label: Its name, with a digest where its name stands for several sets of values.
        runs: One by seed.
        failed: Runs whose J is not a number.
    """

    label: str
    runs: dict[int, RunRecord] = field(default_factory=dict)
    failed: list[RunRecord] = field(default_factory=list)

    def values(self, figure: str) -> dict[int, float]:
        """A figure by seed, where it is known."""
        known = ((seed, run.figures[figure]) for seed, run in self.runs.items())
        return {seed: value for seed, value in known if value is not None}

    def mean(self, figure: str) -> float | None:
        """Mean of a figure over all runs; None unless all of them have it."""
        values = self.values(figure)
        return float(np.mean(list(values.values()))) if self._all(values) else None

    def mean_variant(self, variant: str) -> float | None:
        """Mean J of a variant over all runs; None unless all of them have it."""
        runs = self.runs.items()
        values = {seed: run.variants[variant] for seed, run in runs if variant in run.variants}
        return float(np.mean(list(values.values()))) if self._all(values) else None

    def _all(self, values: Mapping[int, float]) -> bool:
        return bool(values) and len(values) == len(self.runs)


@dataclass
class Board:
    """Runs that may be compared.

    Attributes:
        env: Name of the problem.
        protocol: Version of the protocol; changed conditions are said to be.
        identity: What all runs have in common, in words.
        league: Key of the boards whose figures may be aggregated over problems.
        standing: Rows, base and reference.
        entrants: By label.
    """

    env: str
    protocol: str
    identity: Mapping[str, str]
    league: tuple[str, str]
    standing: Mapping[str, Any]
    entrants: dict[str, Entrant] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in short; unique together with its identity."""
        return f"{self.env} · {self.protocol}"

    @property
    def anchor(self) -> str:
        """A name for links and files: the problem's, and a digest of what it is."""
        readable = re.sub(r"[^a-z0-9_]+", "-", self.env.lower())[:40]
        return f"{readable}-{digest([self.env, self.protocol, dict(self.identity)])[:8]}"

    @property
    def runs(self) -> int:
        """How many there are, failed ones included."""
        return sum(len(e.runs) + len(e.failed) for e in self.entrants.values())


def group(records: Iterable[RunRecord]) -> tuple[list[Board], list[str]]:
    """Put runs on boards.

    Returns:
        The boards by problem, and notes on what was kept apart or set aside.
    """
    boards: dict[str, Board] = {}
    members: dict[str, dict[tuple[str, str, str], list[RunRecord]]] = {}
    for record in records:
        identity = _identity(record)
        key = digest(identity)
        if key not in boards:
            changed = "" if record.frozen or record.names["protocol"] == "quick" else ", changed"
            protocol = record.names["protocol"] + changed
            boards[key] = Board(
                env=record.names["env"],
                protocol=protocol,
                identity=identity,
                league=(protocol, record.names["code_version"]),
                standing=record.standing,
            )
            members[key] = {}
        who = (record.names["agent"], record.agent_digest, record.names["device"])
        members[key].setdefault(who, []).append(record)
    notes: list[str] = []
    for key, board in boards.items():
        notes += _enter(board, members[key])
    ordered = sorted(boards.values(), key=lambda b: (b.env, b.protocol, b.anchor))
    return ordered, [*_kept_apart(ordered), *notes]


def _identity(record: RunRecord) -> dict[str, str]:
    names = record.names
    return {
        "problem": names["env"],
        "spec": names["digest"],
        "protocol": names["protocol"],
        "conditions": names["conditions"],
        "code": names["code_version"],
        # A reference that was computed anew places every run elsewhere.
        "reference": digest({k: v for k, v in record.standing.items() if k != "reasons"}),
    }


def _enter(board: Board, members: Mapping[tuple[str, str, str], Sequence[RunRecord]]) -> list[str]:
    """Make entrants of runs; returns what was set aside."""
    names = [name for name, *_ in members]
    notes = []
    for (name, values, device), records in sorted(members.items()):
        alone = names.count(name) == 1
        label = name if alone else f"{name} ({values[:6]}, {device})"
        entrant = board.entrants.setdefault(label, Entrant(label))
        for record in records:
            if record.failed:
                entrant.failed.append(record)
                notes.append(f"{record.folder}: J is not a number; shown, not averaged")
            elif record.seed in entrant.runs:
                kept = entrant.runs[record.seed].folder
                notes.append(f"{record.folder}: set aside, the same seed of {label} is in {kept}")
            else:
                entrant.runs[record.seed] = record
        if not alone:
            notes.append(f"{board.name}: {label} has values of its own; kept apart")
    return notes


def _kept_apart(boards: Sequence[Board]) -> list[str]:
    """Say which tables would be one if their runs were of one kind, and what tells them apart."""
    notes = []
    for name in dict.fromkeys(board.name for board in boards):
        alike = [board for board in boards if board.name == name]
        if len(alike) > 1:
            differ = [
                part for part in alike[0].identity if len({b.identity[part] for b in alike}) > 1
            ]
            notes.append(f"{name}: {len(alike)} tables, which differ in {', '.join(differ)}")
    return notes
