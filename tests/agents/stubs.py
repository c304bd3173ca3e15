"""Two small vector environments that keep the contract, for testing agents without ``envs``."""

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

Array = NDArray[np.float64]


class LockstepEnv(VectorEnv):
    """Episodes of one length, reset in the step that ends them, scenarios drawn by number."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
    horizon: int
    observation_size: int
    action_size: int

    def __init__(self, num_envs: int, seed: int = 0) -> None:
        self.num_envs = num_envs
        self._seed = seed
        self._next_scenario = 0
        self._step = 0
        self._total = np.zeros(num_envs)
        self.single_observation_space = spaces.Box(
            -np.inf, np.inf, (self.observation_size,), np.float32
        )
        self.single_action_space = spaces.Box(-1.0, 1.0, (self.action_size,), np.float32)
        shape = (num_envs, self.observation_size)
        self.observation_space = spaces.Box(-np.inf, np.inf, shape, np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (num_envs, self.action_size), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        if options and "scenarios" in options:
            self.scenarios = np.asarray(options["scenarios"])
        else:
            first = self._next_scenario
            self.scenarios = np.arange(first, first + self.num_envs)
            self._next_scenario += self.num_envs
        self._step = 0
        self._total[:] = 0.0
        self.draw()
        return self.observe().astype(np.float32), {}

    def step(self, actions: NDArray[np.float32]) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        assert actions.shape == (self.num_envs, self.action_size)
        assert np.abs(actions).max() <= 1.0
        reward = self.transition(np.asarray(actions, float))
        self._step += 1
        self._total += reward
        done = self._step == self.horizon
        info: dict[str, Any] = {}
        observation = self.observe().astype(np.float32)
        if done:
            info = {"final_obs": observation, "totals": {"objective_g": -self._total}}
            observation, _ = self.reset()
        ends = np.full(self.num_envs, done)
        return observation, reward, ends, np.zeros(self.num_envs, bool), info

    def normal(self, *shape: int) -> Array:
        """Standard normal numbers that depend on the scenario's number and nothing else."""
        rows = [
            np.random.default_rng((self._seed, int(scenario))).normal(size=shape)
            for scenario in self.scenarios
        ]
        return np.stack(rows)

    def draw(self) -> None:
        raise NotImplementedError

    def observe(self) -> Array:
        raise NotImplementedError

    def transition(self, actions: Array) -> Array:
        raise NotImplementedError


class Channels(LockstepEnv):
    """Split power over ten channels to send the most; reward 0 is the optimum (water filling)."""

    horizon, observation_size, action_size = 1, 10, 10
    power = 10.0

    def draw(self) -> None:
        self.gain = np.exp(self.normal(self.action_size))
        self.best = self.rate(self.water_filling())

    def observe(self) -> Array:
        return np.log(self.gain) / 2.0

    def transition(self, actions: Array) -> Array:
        share = np.exp(3.0 * actions)
        return self.rate(self.power * share / share.sum(1, keepdims=True)) - self.best

    def rate(self, power: Array) -> Array:
        return np.log2(1.0 + power * self.gain).sum(1)

    def water_filling(self) -> Array:
        floor = np.sort(1.0 / self.gain, axis=1)
        count = np.arange(1, self.action_size + 1)
        level = (self.power + floor.cumsum(1)) / count
        used = (level > floor).sum(1)
        water = level[np.arange(self.num_envs), used - 1]
        return np.maximum(water[:, None] - 1.0 / self.gain, 0.0)

    def heuristic_actions(self, name: str) -> NDArray[np.float32]:
        assert name == "equal"
        return np.zeros((self.num_envs, self.action_size), np.float32)


class Storage(LockstepEnv):
    """Serve a load for twenty steps from a store.

    And a market whose price is high every other while.
    """

    horizon, observation_size, action_size = 20, 5, 2

    def draw(self) -> None:
        noise = self.normal(self.horizon + 1, 2)
        phase = 3.0 * noise[:, :1, 1]
        time = np.arange(self.horizon + 1)
        self.price = 1.0 + 0.6 * np.sin(0.9 * time + phase) + 0.1 * noise[:, :, 0]
        self.phase = phase[:, 0]
        self.level = np.full(self.num_envs, 0.5)

    def observe(self) -> Array:
        angle = 0.9 * self._step + self.phase
        left = np.full(self.num_envs, 1.0 - self._step / self.horizon)
        price = self.price[:, self._step] - 1.0
        return np.stack((price, np.sin(angle), np.cos(angle), self.level, left), axis=1)

    def transition(self, actions: Array) -> Array:
        flow = 0.25 * actions[:, 0]
        after = self.level + flow
        spill = np.maximum(after - 1.0, 0.0) + np.maximum(-after, 0.0)
        self.level = np.clip(after, 0.0, 1.0)
        waste = 0.2 * (actions[:, 1] - np.tanh(self.price[:, self._step] - 1.0)) ** 2
        cost = self.price[:, self._step] * flow + 2.0 * spill + waste
        if self._step == self.horizon - 1:
            cost = cost - 1.0 * self.level
        return -10.0 * cost

    def heuristic_actions(self, name: str) -> NDArray[np.float32]:
        assert name == "idle"
        return np.zeros((self.num_envs, self.action_size), np.float32)
