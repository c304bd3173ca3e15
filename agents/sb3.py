"""PPO, SAC and TD3 of Stable-Baselines3 on the native batch.

Stable-Baselines3 draws from the global generators of Python, NumPy and torch. They are seeded when
``learn`` begins, so two runs with one seed agree as long as nothing else draws from them in
between; ``act`` does not.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from agents import state, weights
from agents.protocol import Actions, Budget, Environment, Monitor, Observations
from agents.sb3_callback import Report
from agents.sb3_env import BatchVecEnv, RowNoise
from agents.sb3_state import Standing


class _SB3(ABC):
    """An agent around an algorithm of Stable-Baselines3.

    Set up for the number of environments it meets.
    """

    def __init__(
        self,
        *,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str,
        learning_rate: float,
        final_learning_rate: float,
        network: list[int],
        normalise_reward: bool,
    ) -> None:
        self._observation_space = spaces.Box(-np.inf, np.inf, (observation_size,), np.float32)
        self._action_space = spaces.Box(-1.0, 1.0, (action_size,), np.float32)
        self._discount, self._seed, self._device = discount, seed, device
        self._rates = (final_learning_rate * learning_rate, learning_rate)
        self._network = list(network)
        self._normalise_reward = normalise_reward
        self._draws = np.random.default_rng(seed)
        self._standing: Standing | None = None
        self._resumed: tuple[Path, Sequence[str], dict[str, Any]] | None = None
        with torch.random.fork_rng(devices=[]):
            self._model = self._set_up(num_envs=1, budget=Budget(1))

    @abstractmethod
    def _algorithm(self, num_envs: int, budget: Budget, **common: Any) -> BaseAlgorithm:
        """The algorithm, for rows of so many environments, not yet set up."""

    @abstractmethod
    def _gradient_steps(self, model: BaseAlgorithm) -> int:
        """Updates of the networks so far."""

    def _learning_rate(self, remaining: float) -> float:
        low, high = self._rates
        return low + (high - low) * remaining

    def _set_up(self, num_envs: int, budget: Budget) -> BaseAlgorithm:
        model = self._algorithm(
            num_envs,
            budget,
            policy="MlpPolicy",
            env=None,
            learning_rate=self._learning_rate,
            gamma=self._discount,
            policy_kwargs={"net_arch": self._network},
            seed=self._seed,
            device=self._device,
            _init_setup_model=False,
        )
        model.observation_space, model.action_space = self._observation_space, self._action_space
        model.n_envs = num_envs
        with warnings.catch_warnings():
            # A user who asks for device=cuda has been told; the choice is part of the run's
            # configuration.
            warnings.filterwarnings("ignore", message=".*on the GPU.*")
            model._setup_model()
        return model

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Learn with Stable-Baselines3's own loop, from the weights the agent has."""
        known = self._model.policy.state_dict()
        model = self._set_up(env.num_envs, budget)
        model.policy.load_state_dict(known)
        rows: VecEnv = BatchVecEnv(env)
        if self._normalise_reward:
            rows = VecNormalize(rows, norm_obs=False, gamma=self._discount)
        model.set_env(rows)
        # Of its own accord it would make a folder for each run.
        model.set_logger(Logger(folder=None, output_formats=[]))
        self._model, self._standing = model, Standing(model)
        begun = self._resumed is not None
        if self._resumed is not None:
            folder, files, saved = self._resumed
            self._resumed = None
            self._standing.read(folder, files, saved["model"])
            self._draws.bit_generator.state = saved["draws"]
        model.learn(
            budget.env_steps - model.num_timesteps,
            callback=Report(monitor, lambda: self._gradient_steps(model), self.checkpoint),
            log_interval=None,  # type: ignore[arg-type]
            reset_num_timesteps=not begun,
        )

    def checkpoint(self, folder: Path) -> list[str]:
        """Write where learning stands; see ``Resumable``."""
        assert self._standing is not None, "there is nothing to write before learning has begun"
        shards, model = self._standing.write(folder)
        name = f"agent-{self._model.num_timesteps:012}.safetensors"
        draws = self._draws.bit_generator.state
        state.write(folder / name, {"shape": self._shape(), "model": model, "draws": draws})
        return [name, *shards]

    def resume(self, folder: Path, files: Sequence[str]) -> None:
        """Go on from a checkpoint; see ``Resumable``."""
        self._resumed = folder, files, state.read_agent(folder, files, self._shape())

    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Choose actions; see ``Agent``."""
        with torch.random.fork_rng(devices=[]):
            if not deterministic:
                torch.manual_seed(int(self._draws.integers(2**63)))
            actions, _ = self._model.predict(observation, deterministic=deterministic)
        return np.asarray(actions, np.float32)

    def save(self, folder: Path) -> None:
        """Write the policy, critics included; see ``Agent``."""
        weights.write(folder, self._model.policy, self._shape())

    def load(self, folder: Path) -> None:
        """Read the policy, critics included; see ``Agent``."""
        weights.read(folder, self._model.policy, self._shape())

    def _shape(self) -> dict[str, object]:
        return {
            "agent": type(self).__name__,
            "observation_size": int(self._observation_space.shape[0]),
            "action_size": int(self._action_space.shape[0]),
            "network": self._network,
        }


class PPO(_SB3):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347)."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        rollout: int,
        batch_size: int,
        epochs: int,
        gae_lambda: float,
        clip_range: float,
        entropy: float,
        initial_deviation: float,
        max_grad_norm: float,
        **common: Any,
    ) -> None:
        """Build the policy.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step.
            seed: Of Stable-Baselines3's generators.
            device: ``cpu`` or ``cuda``.
            rollout: Transitions between two rounds of updates, over all environments.
            batch_size: Transitions in a minibatch.
            epochs: Passes over a rollout.
            gae_lambda: Of the generalised advantage estimate.
            clip_range: Of the probability ratio.
            entropy: Weight of the entropy bonus.
            initial_deviation: Standard deviation of the actions at first; the box is two wide.
            max_grad_norm: Where gradients are clipped.
            **common: ``learning_rate``, ``final_learning_rate``, ``network``, ``normalise_reward``.
        """
        self._rollout, self._batch_size, self._epochs = rollout, batch_size, epochs
        self._initial_deviation = initial_deviation
        self._values: dict[str, Any] = {
            "gae_lambda": gae_lambda,
            "clip_range": clip_range,
            "ent_coef": entropy,
            "max_grad_norm": max_grad_norm,
        }
        super().__init__(
            observation_size=observation_size,
            action_size=action_size,
            discount=discount,
            seed=seed,
            device=device,
            **common,
        )

    def _algorithm(self, num_envs: int, budget: Budget, **common: Any) -> BaseAlgorithm:
        common["policy_kwargs"]["log_std_init"] = float(np.log(self._initial_deviation))
        steps = max(self._rollout // num_envs, 1)
        return stable_baselines3.PPO(
            n_steps=steps,
            batch_size=min(self._batch_size, max(steps * num_envs, 2)),
            n_epochs=self._epochs,
            **self._values,
            **common,
        )

    def _gradient_steps(self, model: BaseAlgorithm) -> int:
        assert isinstance(model, stable_baselines3.PPO)
        batches = -(-model.n_steps * model.n_envs // model.batch_size)
        return model._n_updates * batches


class _OffPolicy(_SB3):
    """What SAC and TD3 share."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        batch_size: int,
        transitions_per_update: int,
        warmup: int,
        buffer_size: int,
        tau: float,
        n_step: int,
        **common: Any,
    ) -> None:
        """Build the policy.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step.
            seed: Of Stable-Baselines3's generators.
            device: ``cpu`` or ``cuda``.
            batch_size: Transitions in an update.
            transitions_per_update: Environment transitions, over all environments, for each update.
            warmup: Transitions taken uniformly at random before the first update.
            buffer_size: Transitions remembered.
            tau: Rate at which the target critics follow.
            n_step: Rewards summed before bootstrapping.
            **common: ``learning_rate``, ``final_learning_rate``, ``network``, ``normalise_reward``.
        """
        self._transitions_per_update = transitions_per_update
        self._values: dict[str, Any] = {
            "batch_size": batch_size,
            "learning_starts": warmup,
            "buffer_size": buffer_size,
            "tau": tau,
            "n_steps": n_step if discount > 0.0 else 1,
        }
        super().__init__(
            observation_size=observation_size,
            action_size=action_size,
            discount=discount,
            seed=seed,
            device=device,
            **common,
        )

    def _off_policy(self, num_envs: int, budget: Budget) -> dict[str, Any]:
        values = dict(self._values)
        # A ring longer than the run would be allocated for nothing.
        values["buffer_size"] = min(int(values["buffer_size"]), budget.env_steps + num_envs)
        return values | {
            "train_freq": max(self._transitions_per_update // num_envs, 1),
            "gradient_steps": max(round(num_envs / self._transitions_per_update), 1),
            # Episodes end terminated: no time limit to look for in every info.
            "replay_buffer_kwargs": {"handle_timeout_termination": False},
        }

    def _gradient_steps(self, model: BaseAlgorithm) -> int:
        return model._n_updates


class SAC(_OffPolicy):
    """Soft actor-critic with a learnt temperature (Haarnoja et al. 2018, arXiv:1812.05905)."""

    def _algorithm(self, num_envs: int, budget: Budget, **common: Any) -> BaseAlgorithm:
        # Minus the number of components is what "auto" means, which would be asked of an
        # environment not there yet.
        entropy = -float(self._action_space.shape[0])
        values = self._off_policy(num_envs, budget)
        return stable_baselines3.SAC(target_entropy=entropy, **values, **common)


class TD3(_OffPolicy):
    """Twin delayed deterministic policy gradients (Fujimoto et al. 2018, arXiv:1802.09477)."""

    def __init__(self, *args: Any, exploration: float, **values: Any) -> None:
        """Build the policy.

        Args:
            *args: As for ``SAC``.
            exploration: Standard deviation of the exploration noise.
            **values: As for ``SAC``.
        """
        self._exploration = exploration
        super().__init__(*args, **values)

    def _algorithm(self, num_envs: int, budget: Budget, **common: Any) -> BaseAlgorithm:
        noise = RowNoise(self._exploration, num_envs, self._action_space.shape[0])
        return stable_baselines3.TD3(
            action_noise=noise, **self._off_policy(num_envs, budget), **common
        )
