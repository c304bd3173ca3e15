"""Episodes on fixed scenarios, all of them as one batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs
from benchmark.errors import EXIT_FAILED, BenchmarkError

Values = NDArray[np.float64]
Act = Callable[[NDArray[np.float32], Any], NDArray[np.float32]]
"""From observations ``(batch, O)`` and the environment observed to actions ``(batch, A)``."""

VIOLATION = "violation."
METRIC = "metric."
TOLERANCE = 1e-6
"""A total violation up to this, in its declared unit, is rounding and not a violation."""


@dataclass(frozen=True)
class Episodes:
    """What happened on each scenario; every array is ``(scenarios,)``.

    Attributes:
        scenarios: Index of each scenario in its split.
        objective_g: Carbon and penalties over the episode.
        carbon_g: Simulated carbon over the episode.
        penalty_g: Penalties over the episode.
        energy_j: Energy over the episode.
        violations: Total violation by constraint, in its unit.
        metrics: Metrics of the spec by name.
    """

    scenarios: NDArray[np.int64]
    objective_g: Values
    carbon_g: Values
    penalty_g: Values
    energy_j: Values
    violations: Mapping[str, Values] = field(default_factory=dict)
    metrics: Mapping[str, Values] = field(default_factory=dict)

    @property
    def violated(self) -> float:
        """Share of episodes in which a constraint was violated."""
        if not self.violations:
            return 0.0
        any_violation = np.any([total > TOLERANCE for total in self.violations.values()], axis=0)
        return float(np.mean(any_violation))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Flat named arrays, as they are written."""
        plain = {
            "scenario": self.scenarios,
            "objective_g": self.objective_g,
            "carbon_g": self.carbon_g,
            "penalty_g": self.penalty_g,
            "energy_j": self.energy_j,
        }
        violations = {VIOLATION + name: values for name, values in self.violations.items()}
        metrics = {METRIC + name: values for name, values in self.metrics.items()}
        return {**plain, **violations, **metrics}

    @classmethod
    def from_columns(cls, columns: Mapping[str, NDArray[Any]]) -> "Episodes":
        """The inverse of ``columns``."""
        plain = {name: columns[name] for name in ("objective_g", "carbon_g", "penalty_g")}
        return cls(
            scenarios=np.asarray(columns["scenario"], np.int64),
            energy_j=columns["energy_j"],
            violations=_part(columns, VIOLATION),
            metrics=_part(columns, METRIC),
            **plain,
        )


def evaluate(
    problem: envs.Problem,
    act: Act,
    scenarios: int,
    split: str,
    observe_step: Callable[[Any, NDArray[np.float32], Mapping[str, Any]], None] | None = None,
) -> Episodes:
    """Run one episode on each of the first scenarios of a split.

    Args:
        problem: The problem.
        act: The policy.
        scenarios: How many, from the first on.
        split: ``validation``, ``test`` or ``ood``.
        observe_step: Called after each step with the environment, what was observed before it,
            and ``info``.

    Raises:
        BenchmarkError: An objective is not finite.
    """
    indices = np.arange(scenarios)
    env = envs.make_vector(problem, num_envs=scenarios, split=split, seed=0)
    try:
        observation, _ = env.reset(options={"scenarios": indices})
        done = False
        info: Mapping[str, Any] = {}
        while not done:
            following, _, terminated, _, info = env.step(act(observation, env))
            if observe_step is not None:
                observe_step(env, observation, info)
            observation = following
            done = bool(np.all(terminated))
    finally:
        env.close()
    episodes = from_totals(indices, info["totals"])
    if not np.all(np.isfinite(episodes.objective_g)):
        broken = int(np.flatnonzero(~np.isfinite(episodes.objective_g))[0])
        message = f"the objective of {split} scenario {broken} is not finite"
        raise BenchmarkError(message, EXIT_FAILED)
    return episodes


def from_totals(scenarios: NDArray[np.int64], totals: Mapping[str, Any]) -> Episodes:
    """Read the totals that an environment gives at the end of its episodes."""
    arrays = {name: np.array(value, dtype=np.float64) for name, value in totals.items()}
    return Episodes.from_columns({**arrays, "scenario": scenarios})


def reward_scale(problem: envs.Problem, scenarios: int, seed: int) -> float:
    """Standard deviation of a step's reward, in grams, under a random policy on training scenarios.

    Every agent's rewards are divided by it. A reward that does not vary is left as it is.
    """
    env = envs.make_vector(problem, num_envs=scenarios, split="train", seed=seed)
    random = np.random.default_rng(seed)
    shape = (scenarios, len(problem.action_names))
    rewards = []
    try:
        env.reset(options={"scenarios": np.arange(scenarios)})
        done = False
        while not done:
            action = random.uniform(-1.0, 1.0, shape).astype(np.float32)
            _, reward, terminated, _, _ = env.step(action)
            rewards.append(np.array(reward, dtype=np.float64))
            done = bool(np.all(terminated))
    finally:
        env.close()
    deviation = float(np.std(rewards))
    return deviation if np.isfinite(deviation) and deviation > 0 else 1.0


def mean_figures(episodes: Episodes) -> dict[str, Any]:
    """Means over scenarios, as a row of a table shows them."""
    return {
        "objective_g": float(np.mean(episodes.objective_g)),
        "carbon_g": float(np.mean(episodes.carbon_g)),
        "penalty_g": float(np.mean(episodes.penalty_g)),
        "violations": means(episodes.violations),
        "violated_share": episodes.violated,
        "metrics": means(episodes.metrics),
    }


def means(arrays: Mapping[str, Sequence[float] | Values]) -> dict[str, float]:
    """The mean of each array."""
    return {name: float(np.mean(values)) for name, values in arrays.items()}


def _part(columns: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Values]:
    return {
        name.removeprefix(prefix): values
        for name, values in columns.items()
        if name.startswith(prefix)
    }
