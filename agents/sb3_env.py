"""A Gymnasium vector environment as Stable-Baselines3 wants it.

Without a Python loop over environments.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.noise import NormalActionNoise, VectorizedActionNoise
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn

from agents.protocol import Environment, Observations


class BatchVecEnv(VecEnv):
    """Hands whole rows through.

    Episodes end terminated, never truncated, so that Stable-Baselines3 needs no terminal
    observation and every info may be the same empty one.
    """

    def __init__(self, env: Environment) -> None:
        """Wrap an environment.

        Args:
            env: Must reset in the step that ends an episode.

        Raises:
            ValueError: It resets in another way.
        """
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(f"expected an environment with AutoresetMode.SAME_STEP, found {mode}")
        self._env = env
        self._infos: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        self._actions: Any = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> Observations:
        """Start all episodes."""
        observation, _ = self._env.reset()
        return np.asarray(observation, np.float32)

    def step_async(self, actions: Any) -> None:
        """Take note of the actions of the step to come."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Take the step."""
        observation, reward, terminated, _, _ = self._env.step(self._actions)
        return observation, np.asarray(reward, np.float32), terminated, self._infos

    def close(self) -> None:
        """Leave the environment to its owner."""

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Leave the scenarios as they are: they were chosen when the environment was made."""
        return [None] * self.num_envs

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The wrapped environment's attribute, once for each index."""
        return [getattr(self._env, attr_name)] * len(self._count(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Refuse: there are no single environments to set anything on."""
        raise NotImplementedError("a batch has no single environments")

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Refuse: there are no single environments to call."""
        raise NotImplementedError("a batch has no single environments")

    def env_is_wrapped(self, wrapper_class: Any, indices: VecEnvIndices = None) -> list[bool]:
        """False throughout: Gymnasium's single-environment wrappers do not apply."""
        return [False] * len(self._count(indices))

    def _count(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))


class RowNoise(VectorizedActionNoise):
    """Independent Gaussian noise for a whole row in one draw; nothing to reset."""

    def __init__(self, deviation: float, num_envs: int, action_size: int) -> None:
        """Set the shape.

        Args:
            deviation: Standard deviation.
            num_envs: Rows.
            action_size: Columns.
        """
        super().__init__(NormalActionNoise(np.zeros(1), np.full(1, deviation)), 1)
        self._deviation, self._shape = deviation, (num_envs, action_size)

    def reset(self, indices: Iterable[int] | None = None) -> None:
        """Nothing to do: there is no state."""

    def __call__(self) -> np.ndarray[Any, Any]:
        """Draw ``(num_envs, action_size)`` from NumPy's global generator.

        Which Stable-Baselines3 seeds.
        """
        return np.random.normal(0.0, self._deviation, self._shape).astype(np.float32)
