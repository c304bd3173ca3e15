"""Everything that is checked in an answer, cheapest first: the house's rules, the compiler, play.

What ``check --deep`` and the perturbation check say is a warning to a person and an error to a
model: it can mend it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from envs.check import degeneracies
from envs.formulation.perturbation import perturbations
from envs.problem import Problem
from envs.spec.diagnostics import Diagnostic, SpecError, shorten

LARGEST_PLAY = 2_000_000_000
"""Node values of one policy's play: beyond, an answer is not played, since it would take long."""


@dataclass(frozen=True)
class Assessment:
    """What was found in a document.

    Attributes:
        problem: Compiled, or None when it does not compile.
        findings: Everything to mend; with a problem, signs that it is a poor one.
    """

    problem: Problem | None
    findings: tuple[Diagnostic, ...]

    @property
    def accepted(self) -> bool:
        """Whether there is nothing to mend."""
        return self.problem is not None and not self.findings


def assess(document: dict[str, Any], taken: Collection[str] = ()) -> Assessment:
    """Check a document that a model wrote.

    Args:
        document: With named sections as maps.
        taken: Names of problems that are registered; a new one may not pass for them.
    """
    rules = tuple(_house_rules(document, taken))
    try:
        problem = Problem(document)
    except SpecError as error:
        return Assessment(None, (*rules, *error.diagnostics))
    if rules:
        return Assessment(None, rules)
    if _size_of_play(problem) > LARGEST_PLAY:
        return Assessment(
            None,
            (
                Diagnostic(
                    "budget",
                    "document",
                    f"at most {LARGEST_PLAY:g} values to simulate 64 scenarios",
                    f"{_size_of_play(problem):g}",
                    "use smaller sets or a shorter horizon",
                ),
            ),
        )
    try:
        findings = [*degeneracies(problem), *perturbations(problem)]
    except ArithmeticError as error:
        hint = "bound what it is made of: max(x, small) in denominators, clip(…) in states"
        found = Diagnostic(
            "not-finite", "document", "finite values", shorten(str(error), 200), hint
        )
        return Assessment(None, (found,))
    return Assessment(problem, tuple(findings))


def _house_rules(document: dict[str, Any], taken: Collection[str]) -> Iterator[Diagnostic]:
    meta = document.get("meta")
    if not isinstance(meta, dict):
        return
    if isinstance(name := meta.get("name"), str) and name in taken:
        yield Diagnostic(
            "name-taken",
            "meta.name",
            "the name of a new problem",
            f"'{name}', a problem of the library",
            "give it a name of its own",
        )
    for key, why in (
        ("certified", "a proven bound is registered by people"),
        ("control", "it would silence the check for problems that are too easy"),
    ):
        if meta.get(key):
            yield Diagnostic(
                "bad-value", f"meta.{key}", "nothing", shorten(meta[key]), f"drop it: {why}"
            )
    for path in _traces(document):
        yield Diagnostic(
            "bad-trace",
            path,
            "a generator",
            "a file",
            "write sample, ar1, markov or expr; files are attached by people, later",
        )


def _traces(document: dict[str, Any]) -> Iterator[str]:
    """Where a document names a file."""
    splits = document.get("splits")
    shifted = splits.get("ood") if isinstance(splits, dict) else None
    for prefix, part in (("", document), ("splits.ood.", shifted)):
        processes = part.get("processes") if isinstance(part, dict) else None
        for name, item in processes.items() if isinstance(processes, dict) else ():
            if isinstance(item, dict) and "trace" in item:
                yield f"{prefix}processes.{shorten(name, 48)}.trace"


def _size_of_play(problem: Problem) -> float:
    return 64.0 * problem.compiled().graph.elements * problem.horizon
