"""Checking a spec: that it compiles, and with ``deep`` that its problem is worth solving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.problem import Problem, load
from envs.simulation.vector import ProblemVectorEnv
from envs.spec.diagnostics import Diagnostic

STEPS = 16_384
"""Simulated for each policy: at least 64 scenarios, more of short episodes."""
CONSTANTS = 256
SEED = 20_240_405
LARGEST_OBSERVATION = 10.0
LARGEST_SPREAD = 10.0
SMALLEST_MARGIN = 0.05

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Report:
    """What was found in a spec that compiles.

    Attributes:
        problem: The compiled problem.
        warnings: Signs of a degenerate problem; empty without ``deep``.
    """

    problem: Problem
    warnings: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        """``ok`` with digest and sizes, then the warnings."""
        compiled = self.problem.compiled()
        sizes = (
            f"{len(compiled.graph)} operations, {compiled.action_size} action and "
            f"{compiled.observation_size} observation components, {self.problem.horizon} steps"
        )
        head = f"ok {self.problem.id} {self.problem.digest}\n  {sizes}"
        return "\n".join([head, *(f"warning: {warning}" for warning in self.warnings)])


def check(source: str | Path, deep: bool = False) -> Report:
    """Check a problem of the library or a spec file.

    Args:
        source: Name or path.
        deep: Simulate it too, and look for signs of a degenerate problem.

    Raises:
        SpecError: It does not compile.
    """
    problem = load(source)
    return Report(problem, tuple(degeneracies(problem)) if deep else ())


def degeneracies(problem: Problem) -> Iterator[Diagnostic]:
    """Look for parts without effect, and for problems that are too easy or too wild.

    Everything is simulated on the same training scenarios, so that differences are paired.
    """
    rng = np.random.default_rng(SEED)
    size = problem.compiled().action_size
    scenarios = max(64, STEPS // problem.horizon)
    env = ProblemVectorEnv(problem, scenarios)
    plan = rng.uniform(-1.0, 1.0, (problem.horizon, scenarios, size)).astype(np.float32)
    random, violations, seen = _simulate(env, plan)
    yield from _idle_decisions(problem, env, plan, random)
    yield from _plain_observations(problem, seen)
    best = {name: float(_heuristic(env, name, violations).mean()) for name in problem.heuristics}
    constants = rng.uniform(-1.0, 1.0, (CONSTANTS, size))
    constant = min(_constant_objective(problem, constants))
    for name, most in violations.items():
        if most <= 0:
            yield Diagnostic(
                "idle-constraint",
                f"constraints.{name}",
                "a constraint that some policy violates",
                "no violation under random decisions or any heuristic",
                "drop it, or check its sign and units: it says expr <= 0",
            )
    lowest = min([constant, *best.values()])
    if abs(lowest) > 0 and random.std() / abs(lowest) > LARGEST_SPREAD:
        yield Diagnostic(
            "wild-rewards",
            "objective",
            f"a spread of J under random decisions of at most {LARGEST_SPREAD:g} times the best J",
            f"{random.std() / abs(lowest):.3g} times",
            "soften penalties or narrow the decisions' bounds: learners drown in such rewards",
        )
    if best and not problem.control:
        margin = (constant - min(best.values())) / abs(min(best.values()))
        if margin < SMALLEST_MARGIN:
            yield Diagnostic(
                "easy-problem",
                "objective",
                f"a best constant at least {SMALLEST_MARGIN:.0%} worse than the best heuristic",
                f"one {margin:+.1%} from it",
                "let the best decision depend on what is observed, or mark it control: true",
            )


def _simulate(
    env: ProblemVectorEnv, plan: NDArray[np.float32]
) -> tuple[FloatArray, dict[str, float], FloatArray]:
    """J of each scenario, the largest violation of each constraint, and all observations."""
    observation, _ = env.reset(options={"scenarios": np.arange(env.num_envs)})
    seen = []
    for actions in plan:
        seen.append(observation)
        observation, _, _, _, info = env.step(actions)
    return info["totals"]["objective_g"], _violations(info["totals"]), np.array(seen, dtype=float)


def _violations(episode: dict[str, FloatArray]) -> dict[str, float]:
    prefix = "violation."
    return {
        k.removeprefix(prefix): float(v.max()) for k, v in episode.items() if k.startswith(prefix)
    }


def _heuristic(env: ProblemVectorEnv, name: str, violations: dict[str, float]) -> FloatArray:
    """J of each scenario under a heuristic; raises the largest violations seen."""
    env.reset(options={"scenarios": np.arange(env.num_envs)})
    for _ in range(env.problem.horizon):
        info = env.step(env.heuristic_actions(name))[4]
    for constraint, most in _violations(info["totals"]).items():
        violations[constraint] = max(violations[constraint], most)
    objective: FloatArray = info["totals"]["objective_g"]
    return objective


def _idle_decisions(
    problem: Problem, env: ProblemVectorEnv, plan: NDArray[np.float32], random: FloatArray
) -> Iterator[Diagnostic]:
    rng = np.random.default_rng(SEED + 1)
    for decision in problem.compiled().decisions:
        changed = plan.copy()
        part = changed[:, :, decision.offset : decision.offset + decision.count]
        part[...] = rng.uniform(-1.0, 1.0, part.shape)
        objective, _, _ = _simulate(env, changed)
        if np.allclose(objective, random, rtol=1e-12, atol=0.0):
            yield Diagnostic(
                "idle-decision",
                f"decisions.{decision.name}",
                "a decision that changes the objective",
                "the same J whatever it is",
                "use it in an equation that the carbon or a constraint depends on, or drop it",
            )


def _plain_observations(problem: Problem, seen: FloatArray) -> Iterator[Diagnostic]:
    flat = seen.reshape(-1, seen.shape[-1])
    for name, values in zip(problem.observation_names, flat.T, strict=True):
        if np.ptp(values) < 1e-9:
            yield Diagnostic(
                "constant-observation",
                f"observe.{name}",
                "an observation that varies over scenarios and time",
                f"always {values[0]:.4g}",
                "drop it: the agent learns nothing from a constant",
            )
        elif np.quantile(np.abs(values), 0.999) > LARGEST_OBSERVATION:
            yield Diagnostic(
                "large-observation",
                f"observe.{name}",
                "values of about -1 to 1",
                f"up to {np.abs(values).max():.3g}",
                "widen its range, or give it a log scale",
            )


def _constant_objective(problem: Problem, constants: FloatArray) -> FloatArray:
    """Mean J of constant policies over common scenarios, all candidates at once."""
    scenarios = max(16, STEPS // 16 // problem.horizon)
    env = ProblemVectorEnv(problem, len(constants) * scenarios)
    env.reset(options={"scenarios": np.tile(np.arange(scenarios), len(constants))})
    actions = np.repeat(constants, scenarios, axis=0).astype(np.float32)
    for _ in range(problem.horizon):
        info = env.step(actions)[4]
    means: FloatArray = info["totals"]["objective_g"].reshape(len(constants), -1).mean(axis=1)
    return means
