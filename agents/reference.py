"""Rows that every learner is compared with.

Random, the best constant, and the spec's heuristics.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.protocol import Actions, Budget, Environment, Monitor, Observations

_FILE = "agent.json"
_SMALLEST_DEVIATION = 0.002  # keeps the search moving; far below what any problem resolves


class Random:
    """Uniform actions, whether asked to be deterministic or not.

    There is no other random policy.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
    ) -> None:
        """Seed the generator; everything else is as for every agent, and unused."""
        self._action_size = action_size
        self._random = np.random.default_rng(seed)

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Nothing to learn."""

    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Draw actions; see ``Agent``."""
        shape = (len(observation), self._action_size)
        return self._random.uniform(-1.0, 1.0, shape).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write the generator's state, so that a loaded agent goes on drawing as this one would."""
        _write(folder, {"agent": "Random", "random": self._random.bit_generator.state})

    def load(self, folder: Path) -> None:
        """Take over the generator's state; see ``Agent``."""
        self._random.bit_generator.state = _read(folder, "Random")["random"]


class Heuristic:
    """A closed-form policy of the problem, asked of the environment by name."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        name: str,
    ) -> None:
        """Remember the name.

        Args:
            observation_size: Unused, as are the four that follow.
            action_size: Unused.
            discount: Unused.
            seed: Unused.
            device: Unused.
            name: One of the problem's heuristics.
        """
        self._name = name

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Nothing to learn."""

    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Ask the environment, whose current step the observation is of; see ``Agent``."""
        actions = env.heuristic_actions(self._name)  # type: ignore[attr-defined]
        return np.asarray(actions, np.float32)

    def save(self, folder: Path) -> None:
        """Write the name."""
        _write(folder, {"agent": "Heuristic", "name": self._name})

    def load(self, folder: Path) -> None:
        """Take over the name; see ``Agent``."""
        self._name = str(_read(folder, "Heuristic")["name"])


class Constant:
    """The best action to take always, whatever is observed.

    Cross-entropy search: candidates are drawn from a Gaussian and judged, and the Gaussian moves to
    the better ones. All candidates of a generation meet the same training scenarios and no two
    generations meet the same, so that none wins twice by luck. When two thirds of the budget are
    spent the centres of the last generations, and the middle of the box, meet in a final, halved as
    the scenarios they have all met grow in number.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        scenarios: int,
        elite: float,
        smoothing: float,
        finalists: int,
    ) -> None:
        """Start from the middle of the box.

        Args:
            observation_size: Unused.
            action_size: Components of the action.
            discount: Unused: what counts is the sum of rewards.
            seed: Of the search.
            device: Unused.
            scenarios: Met by each candidate in a generation; the candidates are as many as the
                environments allow.
            elite: Fraction of the candidates that the Gaussian moves to.
            smoothing: Weight of the Gaussian's earlier moments.
            finalists: Candidates in the final.
        """
        self._random = np.random.default_rng(seed)
        self._scenarios, self._elite = scenarios, elite
        self._smoothing, self._finalists = smoothing, finalists
        self.action = np.zeros(action_size, np.float32)

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Search; the best action so far stands whenever the monitor stops it."""
        search = _Search(env, budget, monitor)
        scenarios = min(self._scenarios, max(env.num_envs // 4, 1))
        population = env.num_envs // scenarios
        elite = max(round(self._elite * population), 1)
        centre = np.zeros(self.action.size)
        # The first generation covers the box.
        drawn = self._random.uniform(-1.0, 1.0, (population, centre.size))
        deviation = drawn.std(0)
        centres = [centre]
        while search.spent < 2 / 3 * budget.env_steps:
            values = search.evaluate(drawn, scenarios)
            if values is None:
                return
            best = drawn[values.argsort()[::-1][:elite]]
            keep = self._smoothing if len(centres) > 1 else 0.0
            centre = keep * centre + (1.0 - keep) * best.mean(0)
            deviation = keep * deviation + (1.0 - keep) * best.std(0)
            centres.append(centre)
            self.action = centre.astype(np.float32)
            shape = (population - 1, centre.size)
            drawn = self._random.normal(centre, deviation + _SMALLEST_DEVIATION, shape)
            drawn = np.vstack((centre, drawn)).clip(-1.0, 1.0)
        finalists = [centres[0], *centres[1:][-self._finalists + 1 :]]
        self.action = search.final(np.stack(finalists)).astype(np.float32)

    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """The constant; see ``Agent``."""
        return np.tile(self.action, (len(observation), 1))

    def save(self, folder: Path) -> None:
        """Write the action."""
        _write(folder, {"agent": "Constant", "action": self.action.tolist()})

    def load(self, folder: Path) -> None:
        """Read the action; see ``Agent``."""
        action = np.asarray(_read(folder, "Constant")["action"], np.float32)
        if action.shape != self.action.shape:
            raise ValueError(
                f"{folder / _FILE}: expected {self.action.size} components, found {action.size}"
            )
        self.action = action


class _Search:
    """Evaluates candidates on scenarios none has met before, and counts what that costs."""

    def __init__(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        self.spent = 0
        self.stopped = False
        self._env, self._budget, self._monitor = env, budget, monitor
        self._next_scenario = 0

    def evaluate(
        self, candidates: NDArray[np.float64], scenarios: int
    ) -> NDArray[np.float64] | None:
        """Mean sum of rewards of each candidate ``(count, action_size)`` over common scenarios.

        None when stopped.
        """
        env, count = self._env, len(candidates)
        first = self._next_scenario
        self._next_scenario += scenarios
        numbers = np.full(env.num_envs, first)
        numbers[: count * scenarios] = np.tile(np.arange(first, first + scenarios), count)
        actions = np.repeat(candidates, scenarios, axis=0)
        spare = env.num_envs - len(actions)
        actions = np.concatenate((actions, np.repeat(candidates[:1], spare, axis=0)))
        actions = actions.astype(np.float32)
        env.reset(options={"scenarios": numbers})
        total = np.zeros(env.num_envs)
        done = False
        while not done and not self.stopped:
            _, reward, terminated, _, _ = env.step(actions)
            total += reward
            done = bool(terminated[0])
            self.spent += env.num_envs
            self.stopped = not self._monitor.update(self.spent, 0)
        if self.stopped:
            return None
        values: NDArray[np.float64] = total[: count * scenarios].reshape(count, -1).mean(1)
        return values

    def final(self, candidates: NDArray[np.float64]) -> NDArray[np.float64]:
        """The best of the candidates, halved until one is left or the budget is spent."""
        total = np.zeros(len(candidates))
        while len(candidates) > 1 and not self.stopped:
            scenarios = max(self._env.num_envs // len(candidates), 1)
            values = self.evaluate(candidates, scenarios)
            if values is None:
                break
            total += scenarios * values
            keep = total.argsort()[::-1][: max(len(candidates) // 2, 1)]
            if self.spent >= self._budget.env_steps:
                keep = keep[:1]
            candidates, total = candidates[keep], total[keep]
        best: NDArray[np.float64] = candidates[0]
        return best


def _write(folder: Path, values: dict[str, Any]) -> None:
    (folder / _FILE).write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


def _read(folder: Path, agent: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / _FILE).read_text())
    if values.get("agent") != agent:
        raise ValueError(f"{folder / _FILE}: expected agent {agent}, found {values.get('agent')}")
    return values
