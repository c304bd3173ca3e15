"""The metric on trial: every wrong version must be told, every other way of writing accepted.

Mistakes that change nothing do not count against it. Whether one does is not asked of the metric:
either the digest of what decides J is the same, or the module `proof` shows by terms and intervals
that both are one function.
"""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from envs.formulation.evaluation.equivalence import compare
from envs.formulation.evaluation.mutants import Document, mutants
from envs.formulation.evaluation.proof import proven_equal
from envs.formulation.evaluation.rewrites import KINDS, rewrites
from envs.formulation.evaluation.scenarios import FOLDER
from envs.problem import Problem
from envs.spec.diagnostics import SpecError
from envs.spec.reader import read

_DISGUISE = ("algebra", "other units", "items in another order", "renamed")


@dataclass
class Trial:
    """What came of one family.

    Attributes:
        family: Its name.
        caught: Wrong versions told, by kind of mistake.
        missed: Wrong versions taken for the reference.
        harmless: Mistakes that provably change nothing.
        refused: Wrong versions that the compiler refused; they never come to the metric.
        accepted: Other ways of writing that were accepted, by kind.
        rejected: Those that were not, with the first difference.
        unwritten: Ways of writing that the compiler refused, so that they say nothing.
    """

    family: str
    caught: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    harmless: list[str] = field(default_factory=list)
    refused: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    rejected: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)


def tried(family: str, told: Callable[[str], None] = lambda line: None) -> Trial:
    """Put the metric on trial with one family.

    Args:
        family: Of the scenarios.
        told: Is handed a line now and then.
    """
    document = read((FOLDER / family / "reference.yaml").read_bytes())
    trial = Trial(family)
    _wrong_versions(document, trial, told)
    _other_ways(document, trial, told)
    return trial


def disguised(document: Document, seed: int) -> Document:
    """Under other names and units, in another order: as a stranger would write it."""
    rng = random.Random(seed)
    result = copy.deepcopy(document)
    for name in _DISGUISE:
        result = KINDS[name](result, rng)
    return result


def _wrong_versions(document: Document, trial: Trial, told: Callable[[str], None]) -> None:
    reference = Problem(document)
    for number, mutant in enumerate(mutants(document)):
        try:
            problem = Problem(mutant.document)
        except SpecError:
            trial.refused += 1
            continue
        what = f"{mutant.kind}: {mutant.place}"
        if problem.objective_digest == reference.objective_digest or proven_equal(
            problem.compiled(), reference.compiled()
        ):
            trial.harmless.append(what)
            continue
        # Every other one as a stranger would write it: then names are no help, nor a giveaway.
        if number % 2:
            try:
                problem = Problem(disguised(mutant.document, number))
                what = f"{what} (disguised)"
            except SpecError:
                pass
        if compare(reference.compiled(), problem.compiled()).equivalent:
            trial.missed.append(what)
        else:
            trial.caught[mutant.kind] += 1
        if number % 25 == 0:
            told(f"{trial.family}: {number} wrong versions")


def _other_ways(document: Document, trial: Trial, told: Callable[[str], None]) -> None:
    reference = Problem(document)
    for number, rewrite in enumerate(rewrites(document)):
        if rewrite.document == document:
            continue
        try:
            problem = Problem(rewrite.document)
        except SpecError as error:
            trial.unwritten.append(f"{rewrite.kind}: {error.diagnostics[0]}")
            continue
        result = compare(reference.compiled(), problem.compiled())
        if result.equivalent:
            trial.accepted[rewrite.kind] += 1
        else:
            trial.rejected.append(f"{rewrite.kind}: {result.differences[0]}")
        if number % 25 == 0:
            told(f"{trial.family}: {number} other ways to write it")
