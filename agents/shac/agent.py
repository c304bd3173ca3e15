"""The training loop of agents that learn through a differentiable environment."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from agents import state, weights
from agents.actor_critic.critic import Ensemble
from agents.actor_critic.policy import BoundedPolicy
from agents.protocol import (
    Actions,
    Budget,
    DifferentiableEnvironment,
    Environment,
    Monitor,
    Observations,
    offer,
)


@dataclass(frozen=True, kw_only=True)
class Training:
    """How agents learn through the environment.

    Attributes:
        num_envs: Environments side by side.
        window: Steps that one update looks back over; shorter where an episode ends.
        learning_rate: Of the values.
        actor_learning_rate: Of the policy.
        final_learning_rate: Fraction of both that is left when the budget is spent.
        betas: Of Adam, for both.
        max_grad_norm: Of the policy's gradient.
        td_lambda: Weight of longer returns in the targets of the values (TD(lambda)).
        value_passes: Passes over a window's states to fit the values.
        value_batch: States in one step of those.
        tau: Rate at which the values that windows end in follow, at each window.
        normaliser_rate: Rate at which the unit of the values follows their targets.
        saturation: Weight of the squared excess of actions beyond ±2 before tanh, where its
            gradient fades.
        width: Units in each hidden layer.
        depth: Hidden layers of the values.
        actor_depth: Hidden layers of the policy.
    """

    num_envs: int
    window: int
    learning_rate: float
    actor_learning_rate: float
    final_learning_rate: float
    betas: tuple[float, float]
    max_grad_norm: float
    td_lambda: float
    value_passes: int
    value_batch: int
    tau: float
    normaliser_rate: float
    saturation: float
    width: int
    depth: int
    actor_depth: int


@dataclass(frozen=True)
class Window:
    """What happened in one window of steps.

    Attributes:
        observations: Before each step and after the last, ``(steps + 1, num_envs, size)``.
        rewards: Of each step, with gradients, ``(steps, num_envs)``.
        excess: How far actions were out where tanh is flat, a scalar with gradients.
        ended: Whether the episodes ended with the window.
    """

    observations: Tensor
    rewards: Tensor
    excess: Tensor
    ended: bool


class ShortHorizonAgent(ABC):
    """Short-horizon actor-critic (Xu et al. 2022, arXiv:2204.07137).

    The problem is known and differentiable, so the gradient of what a policy earns need not be
    guessed from samples: it is taken through a window of steps of the simulation, and through the
    value of the state in which the window ends. Windows follow one another through the episodes;
    gradients do not run from one into the next, where they would explode or fade. Nothing is
    explored: policies act without noise, in learning too.

    What is learnt with such gradients compares with others that have them, not with learners that
    only see rewards.
    """

    def __init__(
        self,
        *,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        **training: Any,
    ) -> None:
        """Build the networks.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step; 0 for one-shot problems.
            seed: Decides everything the agent draws.
            device: ``cpu`` or ``cuda``.
            **training: See ``Training``.
        """
        self.observation_size, self.action_size = observation_size, action_size
        self.discount = discount
        self.training = Training(**{**training, "betas": tuple(training["betas"])})
        self.differentiable_envs = self.training.num_envs
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        how = self.training
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            policy = self._policy(width=how.width, depth=how.actor_depth)
            values, lagged = (
                Ensemble(
                    observation_size,
                    0,
                    how.width,
                    how.depth,
                    members=1,
                    compression=0.0,
                    normalised=False,
                )
                for _ in range(2)
            )
        lagged.load_state_dict(values.state_dict())
        self.networks = nn.ModuleDict({"actor": policy, "critic": values, "lagged": lagged})
        self.networks.to(self.device)
        self.policy, self.values, self.lagged = policy, values, lagged
        self._optimizers = [
            torch.optim.Adam(module.parameters(), lr=rate, betas=how.betas)
            for module, rate in ((policy, how.actor_learning_rate), (values, how.learning_rate))
        ]
        self.env_steps = self.gradient_steps = 0
        self._resumed: tuple[Path, Sequence[str], dict[str, Any]] | None = None

    @abstractmethod
    def _policy(self, **sizes: int) -> BoundedPolicy:
        """The actor, of ``width`` and ``depth``."""

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Learn window by window until the budget is spent or the monitor says stop.

        Args:
            env: A ``DifferentiableEnvironment``.
            budget: Its last window may be a short one.
            monitor: See ``Monitor``.
        """
        if not hasattr(env, "step_tensors"):
            raise TypeError(
                f"{type(self).__name__} learns through the gradients of its environment and "
                f'{type(env).__name__} has none; make it with backend="torch"'
            )
        through = cast(DifferentiableEnvironment, env)
        self.env_steps = self.gradient_steps = 0
        if not self._go_on():
            env.reset()
        while self.env_steps < budget.env_steps:
            self._set_learning_rates(self.env_steps / budget.env_steps)
            left = -(-(budget.env_steps - self.env_steps) // env.num_envs)
            window = self._play(through, min(self.training.window, left))
            losses = {"actor_loss": self._improve(window), "critic_loss": self._value(window)}
            through.cut()
            self.env_steps += window.rewards.numel()
            self.gradient_steps += 1
            if not monitor.update(self.env_steps, self.gradient_steps, **losses):
                return
            offer(monitor, self.checkpoint)

    def _set_learning_rates(self, spent: float) -> None:
        how = self.training
        factor = 1.0 - (1.0 - how.final_learning_rate) * spent
        rates = (how.actor_learning_rate, how.learning_rate)
        for optimizer, rate in zip(self._optimizers, rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor

    def _play(self, env: DifferentiableEnvironment, steps: int) -> Window:
        """Act for some steps, at most to the end of the episodes."""
        seen, rewards = [env.observed()], list[Tensor]()
        excess, ended = torch.zeros((), device=self.device), False
        while len(rewards) < steps and not ended:
            raw = self.policy.unbounded(seen[-1], None)
            excess = excess + (raw.abs() - 2.0).clamp_min(0.0).square().mean()
            reward, ended = env.step_tensors(raw.tanh())
            rewards.append(reward)
            seen.append(env.observed())
        return Window(torch.stack(seen), torch.stack(rewards), excess / len(rewards), ended)

    def _improve(self, window: Window) -> float:
        """Move the policy up the gradient of what the window earned and ended in."""
        steps = len(window.rewards)
        discounts = self.discount ** torch.arange(steps, device=self.device)
        earned = (window.rewards * discounts.unsqueeze(1)).sum(0)
        if not window.ended and self.values.ready:
            earned = earned + self.discount**steps * self.lagged.value(window.observations[-1])
        unit = self.lagged.scale if self.values.ready else earned.detach().std().clamp_min(1e-12)
        loss = -earned.mean() / unit + self.training.saturation * window.excess
        optimizer = self._optimizers[0]
        optimizer.zero_grad()
        # The values are looked at here, not taught.
        torch.autograd.backward(loss, inputs=list(self.policy.parameters()))
        nn.utils.clip_grad_norm_(
            self.policy.parameters(), self.training.max_grad_norm, error_if_nonfinite=True
        )
        optimizer.step()
        return loss.item()

    def _value(self, window: Window) -> float:
        """Fit the values to the window's returns; the mean squared error in their own unit."""
        how, states = self.training, window.observations[:-1].detach().flatten(0, 1)
        returns = self._returns(window).flatten()
        self.values.follow(returns, how.normaliser_rate)
        targets, optimizer = self.values.from_reward(returns), self._optimizers[1]
        error = torch.zeros(())
        for _ in range(how.value_passes if self.discount > 0.0 else 0):
            order = torch.randperm(len(states), generator=self.generator, device=self.device)
            for some in torch.split(order, how.value_batch):
                error = (self.values(states[some])[0] - targets[some]).square().mean()
                optimizer.zero_grad()
                torch.autograd.backward(error)
                optimizer.step()
        self.lagged.track(self.values, how.tau)
        return error.item()

    @torch.no_grad()
    def _returns(self, window: Window) -> Tensor:
        """TD(lambda) returns of each step, ``(steps, num_envs)``."""
        steps, rewards = len(window.rewards), window.rewards.detach()
        if self.values.ready:
            flat = window.observations.flatten(0, 1)
            values = self.lagged.value(flat).view(steps + 1, -1)
        else:
            values = torch.zeros(steps + 1, rewards.shape[1], device=self.device)
        following = torch.zeros_like(rewards[0]) if window.ended else values[-1]
        values[-1] = following
        returns = torch.empty_like(rewards)
        for step in reversed(range(steps)):
            later = torch.lerp(values[step + 1], following, self.training.td_lambda)
            returns[step] = following = rewards[step] + self.discount * later
        return returns

    @torch.no_grad()
    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Choose actions, whether asked to be deterministic or not: nothing was explored."""
        observations = torch.from_numpy(np.ascontiguousarray(observation, np.float32))
        actions = self.policy.sample(observations.to(self.device), None)
        return np.asarray(actions.cpu().numpy(), np.float32)

    def save(self, folder: Path) -> None:
        """Write policy and values; see ``Agent``."""
        weights.write(folder, self.networks, self._shape())

    def load(self, folder: Path) -> None:
        """Read policy and values; see ``Agent``."""
        weights.read(folder, self.networks, self._shape())

    def checkpoint(self, folder: Path) -> list[str]:
        """Write where learning stands; see ``Resumable``."""
        name = f"agent-{self.env_steps:012}.safetensors"
        tree = {
            "shape": self._shape(),
            "networks": state.of_module(self.networks),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "generator": self.generator.get_state(),
            "env_steps": self.env_steps,
            "gradient_steps": self.gradient_steps,
        }
        state.write(folder / name, tree)
        return [name]

    def resume(self, folder: Path, files: Sequence[str]) -> None:
        """Go on from a checkpoint; see ``Resumable``."""
        self._resumed = folder, files, state.read_agent(folder, files, self._shape())

    def _go_on(self) -> bool:
        """Return to where the checkpoint was taken, if there is one."""
        if self._resumed is None:
            return False
        saved, self._resumed = self._resumed[2], None
        state.into_module(self.networks, saved["networks"])
        for optimizer, values in zip(self._optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        self.generator.set_state(saved["generator"])
        self.env_steps, self.gradient_steps = saved["env_steps"], saved["gradient_steps"]
        return True

    def _shape(self) -> dict[str, object]:
        return {
            "agent": type(self).__name__,
            "observation_size": self.observation_size,
            "action_size": self.action_size,
            **{key: asdict(self.training)[key] for key in ("width", "depth", "actor_depth")},
        }
