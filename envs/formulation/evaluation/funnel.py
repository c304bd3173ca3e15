"""How far an answer gets: schema, dimensions, compiled, finite steps, equivalent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.formulation.answer import document_in
from envs.formulation.evaluation.equivalence import Comparison, compare
from envs.problem import Problem
from envs.simulation.nonfinite import NonFiniteError
from envs.simulation.vector import ProblemVectorEnv
from envs.spec.diagnostics import SpecError
from envs.spec.schema import validate

STAGES = ("schema", "dimensions", "compiles", "steps", "equivalent")
STEPS = 1_000
_UNITS = frozenset({"unit-mismatch", "bad-unit"})


@dataclass(frozen=True)
class Passage:
    """How far one answer got.

    Attributes:
        passed: The stages it passed, in order.
        problem: What it compiled to, if it did.
        comparison: With the reference, if it compiled.
        reason: What stopped it, one line.
    """

    passed: tuple[str, ...]
    problem: Problem | None = None
    comparison: Comparison | None = None
    reason: str = ""


def passage(answer: str, reference: Problem, determined: bool) -> Passage:
    """Send an answer through the funnel.

    Args:
        answer: Word for word.
        reference: What was asked for.
        determined: Whether the request has one right answer; else the last stage is not asked for.
    """
    try:
        document = document_in(answer)
        validate(document)
    except SpecError as error:
        return Passage((), reason=_first(error))
    try:
        problem = Problem(document)
    except SpecError as error:
        wrong = any(d.code in _UNITS for d in error.diagnostics)
        return Passage(("schema",) if wrong else STAGES[:2], reason=_first(error))
    comparison = compare(reference.compiled(), problem.compiled())
    try:
        play(problem)
    except NonFiniteError as error:
        return Passage(STAGES[:3], problem, comparison, str(error))
    if not determined:
        return Passage(STAGES[:4], problem, comparison)
    if comparison.equivalent:
        return Passage(STAGES, problem, comparison)
    return Passage(STAGES[:4], problem, comparison, str(comparison.differences[0]))


def play(problem: Problem) -> None:
    """Take at least a thousand random steps.

    Raises:
        NonFiniteError: Something became infinite or undefined.
    """
    batch = -(-STEPS // problem.horizon)
    env = ProblemVectorEnv(problem, batch)
    env.reset(options={"scenarios": np.arange(batch)})
    rng = np.random.default_rng(0)
    for _ in range(problem.horizon):
        env.step(rng.uniform(-1, 1, (batch, len(problem.action_names))).astype(np.float32))


def _first(error: SpecError) -> str:
    return " ".join(str(error.diagnostics[0]).split())
