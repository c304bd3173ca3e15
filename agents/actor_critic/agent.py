"""The training loop of the off-policy agents: step a row, remember it, update when due."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tianshou.utils.torch_utils import policy_within_training_step

from agents import state, weights
from agents.actor_critic.algorithm import ActorCritic, Decay, optimizer
from agents.actor_critic.critic import Critics, Ensemble
from agents.actor_critic.policy import ActorPolicy
from agents.actor_critic.replay import RowReplay
from agents.actor_critic.transition import Transition
from agents.protocol import Actions, Budget, Environment, Monitor, Observations, offer


@dataclass(frozen=True, kw_only=True)
class Training:
    """How the off-policy agents train; what is common to them all.

    Attributes:
        batch_size: Transitions in an update.
        transitions_per_update: Environment transitions, over all environments, for each update of
            the networks.
        warmup: Transitions taken uniformly at random before the first update.
        buffer_size: Transitions remembered.
        learning_rate: Of the critics.
        actor_learning_rate: Of the policy.
        final_learning_rate: Fraction of both that is left when the budget is spent.
        weight_decay: Of AdamW, for both.
        tau: Rate at which the target critics follow.
        n_step: Rewards summed before bootstrapping.
        width: Units in each hidden layer of the critics and the actor.
        depth: Hidden layers of the critics.
        critics: Members of the ensemble of action values; with foresight there is one.
        foresight: Whether critics look one step ahead, where there is a future; see ``Critics``.
        compression: Of the values that critics are fitted to; see ``Ensemble``.
        pessimism: Standard deviations over the ensemble taken off target values; 1 with two critics
            is their minimum.
        normaliser_rate: Rate at which the critics' units follow their targets; 0 for fixed units.
        actor_period: Updates of the critics for one of the actor.
        exploration: Smallest and largest standard deviation of exploration noise.
    """

    batch_size: int
    transitions_per_update: int
    warmup: int
    buffer_size: int
    learning_rate: float
    actor_learning_rate: float
    final_learning_rate: float
    weight_decay: float
    tau: float
    n_step: int
    width: int
    depth: int
    critics: int
    foresight: bool
    compression: float
    pessimism: float
    normaliser_rate: float
    actor_period: int
    exploration: tuple[float, float]


@dataclass
class _Progress:
    """Where the loop stands.

    Attributes:
        replay: What is remembered.
        observation: Of all environments, before the next step.
        env_steps: Transitions so far.
        gradient_steps: Updates so far.
        scalars: Losses of the last update.
    """

    replay: RowReplay
    observation: Observations
    env_steps: int = 0
    gradient_steps: int = 0
    scalars: dict[str, float] = field(default_factory=dict)


class ActorCriticAgent(ABC):
    """An agent around an ``ActorCritic`` algorithm.

    All randomness comes from ``seed``: the initial weights from a forked state of torch's
    generator, everything else from generators of the agent's own. Acting at random outside of
    ``learn`` draws from one apart, so that looking at an agent while it learns does not change what
    it learns.
    """

    def __init__(
        self,
        *,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str,
        training: Training,
    ) -> None:
        """Build the networks.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step; 0 for one-shot problems.
            seed: Decides everything the agent draws.
            device: ``cpu`` or ``cuda``.
            training: How to train.
        """
        self.observation_size, self.action_size = observation_size, action_size
        self.discount, self.training = discount, training
        self.device = torch.device(device)
        self._explorer, self._sampler, self._actor = (
            torch.Generator(self.device).manual_seed(int(word))
            for word in np.random.SeedSequence(seed).generate_state(3)
        )
        self._decay = Decay(training.final_learning_rate)
        self._progress: _Progress | None = None
        self._resumed: tuple[Path, Sequence[str], dict[str, Any]] | None = None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.algorithm = self._build()

    @abstractmethod
    def _policy(self) -> ActorPolicy:
        """The actor, on the device."""

    @abstractmethod
    def _algorithm(self, policy: ActorPolicy, **values: object) -> ActorCritic:
        """The algorithm of the given parts."""

    def _build(self) -> ActorCritic:
        training = self.training
        sizes: dict[str, Any] = {"width": training.width, "depth": training.depth}
        state, model = None, None
        foresight = training.foresight and self.discount > 0.0
        if foresight:
            state = Ensemble(self.observation_size, 0, members=1, compression=0.0, **sizes)
            model = Transition(self.observation_size, self.action_size, **sizes)
        action = Ensemble(
            self.observation_size + foresight,  # and the flag of the last step
            self.action_size,
            # Immediate rewards are hardly noisy and nothing is maximised over: one will do.
            members=1 if foresight else training.critics,
            compression=training.compression,
            **sizes,
        )
        return self._algorithm(
            self._policy().to(self.device),
            policy_optim=optimizer(
                training.actor_learning_rate, training.weight_decay, self._decay
            ),
            critic=Critics(action, state, model).to(self.device),
            critic_optim=optimizer(training.learning_rate, training.weight_decay, self._decay),
            tau=training.tau,
            gamma=self.discount,
            n_step_return_horizon=training.n_step,
            pessimism=training.pessimism,
            normaliser_rate=training.normaliser_rate,
            actor_period=training.actor_period,
        )

    @property
    def policy(self) -> ActorPolicy:
        """The actor."""
        return self.algorithm.policy

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Learn from rows of transitions until the budget is spent or the monitor says stop."""
        training, num_envs = self.training, env.num_envs
        replay = RowReplay(
            capacity=training.buffer_size,
            num_envs=num_envs,
            observation_size=self.observation_size,
            action_size=self.action_size,
            discount=self.discount,
            n_step=training.n_step if self.discount > 0.0 else 1,
            generator=self._sampler,
        )
        warmup = max(training.warmup, num_envs)
        self._decay.updates = max(budget.env_steps - warmup, 0) // training.transitions_per_update
        at = self._progress = self._begin(env, replay)
        while at.env_steps < budget.env_steps:
            observations = torch.from_numpy(at.observation).to(self.device)
            actions = self._explore(observations, uniform=at.env_steps < warmup)
            at.observation, reward, terminated, _, _ = env.step(actions.cpu().numpy())
            rewards = torch.from_numpy(np.asarray(reward, np.float32)).to(self.device)
            replay.add(observations, actions, rewards, bool(terminated[0]))
            at.env_steps += num_envs
            due = max(at.env_steps - warmup, 0) // training.transitions_per_update
            with policy_within_training_step(self.policy):
                while at.gradient_steps < due and len(replay) > 0:
                    stats = self.algorithm.update(replay, training.batch_size)  # type: ignore[arg-type]
                    at.scalars = stats.get_loss_stats_dict()
                    at.gradient_steps += 1
            if not monitor.update(at.env_steps, at.gradient_steps, **at.scalars):
                return
            offer(monitor, self.checkpoint)

    def _begin(self, env: Environment, replay: RowReplay) -> _Progress:
        """The first observation, or where the checkpoint was taken."""
        if self._resumed is None:
            return _Progress(replay, env.reset()[0])
        folder, files, saved = self._resumed
        self._resumed = None
        state.into_module(self.algorithm, saved["algorithm"])
        for one, values in zip(self._learners(), saved["learners"], strict=True):
            one.load_state_dict(values)
        for name, generator in self._generators().items():
            generator.set_state(saved["generators"][name])
        replay.resume(folder, files, saved["replay"])
        state.into_global_random(saved["random"])
        return _Progress(replay, **saved["progress"])

    def checkpoint(self, folder: Path) -> list[str]:
        """Write where learning stands; see ``Resumable``."""
        at = self._progress
        assert at is not None, "there is nothing to write before learning has begun"
        shards, replay = at.replay.checkpoint(folder)
        name = f"agent-{at.env_steps:012}.safetensors"
        tree = {
            "shape": self._shape(),
            "algorithm": state.of_module(self.algorithm),
            "learners": [one.state_dict() for one in self._learners()],
            "generators": {n: g.get_state() for n, g in self._generators().items()},
            "random": state.of_global_random(),
            "replay": replay,
            "progress": {
                "observation": at.observation,
                "env_steps": at.env_steps,
                "gradient_steps": at.gradient_steps,
                "scalars": at.scalars,
            },
        }
        state.write(folder / name, tree)
        return [name, *shards]

    def resume(self, folder: Path, files: Sequence[str]) -> None:
        """Go on from a checkpoint; see ``Resumable``."""
        self._resumed = folder, files, state.read_agent(folder, files, self._shape())

    def _learners(self) -> list[Any]:
        """Optimizers and what sets their learning rates."""
        return [*self.algorithm._optimizers, *self.algorithm.lr_schedulers]

    def _generators(self) -> dict[str, torch.Generator]:
        return {"explorer": self._explorer, "sampler": self._sampler, "actor": self._actor}

    @torch.no_grad()
    def _explore(self, observations: torch.Tensor, uniform: bool) -> torch.Tensor:
        if uniform:
            shape = (len(observations), self.action_size)
            return torch.rand(shape, generator=self._explorer, device=self.device) * 2.0 - 1.0
        actions = self.policy.sample(observations, self._explorer)
        return self.policy.add_exploration_noise(actions, None)  # type: ignore[arg-type,no-any-return]

    @torch.no_grad()
    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Choose actions; see ``Agent``."""
        observations = torch.from_numpy(np.ascontiguousarray(observation, np.float32))
        actions = self.policy.sample(
            observations.to(self.device), None if deterministic else self._actor
        )
        return np.asarray(actions.cpu().numpy(), np.float32)

    def save(self, folder: Path) -> None:
        """Write actor and critics; see ``Agent``."""
        weights.write(folder, self.algorithm, self._shape())

    def load(self, folder: Path) -> None:
        """Read actor and critics; see ``Agent``."""
        weights.read(folder, self.algorithm, self._shape())

    def _shape(self) -> dict[str, object]:
        return {
            "agent": type(self).__name__,
            "observation_size": self.observation_size,
            "action_size": self.action_size,
            **{key: asdict(self.training)[key] for key in ("width", "depth", "critics")},
        }
