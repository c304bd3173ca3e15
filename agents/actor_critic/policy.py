"""What the shared update and loop ask of a policy, whatever network is behind it."""

from abc import abstractmethod
from typing import Any, cast

import numpy as np
import torch
from gymnasium import spaces
from tianshou.algorithm.algorithm_base import Policy
from tianshou.data import Batch
from tianshou.data.types import ActStateBatchProtocol, ObsBatchProtocol
from torch import Tensor


class ActorPolicy(Policy):
    """A tianshou policy over ``Box(-1, 1)`` that draws its noise from a generator of its own.

    Exploration noise is added to the actions taken while exploring and nowhere else: neither in
    evaluation nor in targets. Each environment of a row has its own noise level, from the smallest
    to the largest on a logarithmic ladder: the critics see the neighbourhood of the policy at every
    scale at once, and most trajectories stay close to what the policy would do.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        exploration: tuple[float, float],
        generator: torch.Generator,
    ) -> None:
        """Set the spaces and the exploration.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            exploration: Smallest and largest standard deviation of the exploration noise.
            generator: Draws exploration noise, and the policy's own.
        """
        super().__init__(
            action_space=spaces.Box(-1.0, 1.0, (action_size,), np.float32),
            observation_space=spaces.Box(-np.inf, np.inf, (observation_size,), np.float32),
            action_scaling=False,
            action_bound_method="clip",
        )
        self.action_size = action_size
        self.exploration = exploration
        self.generator = generator

    @abstractmethod
    def sample(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """Choose actions.

        Args:
            observations: ``(batch, observation_size)``.
            generator: Source of the policy's randomness; None for the deterministic action.

        Returns:
            ``(batch, action_size)`` in [-1, 1].
        """

    def forward(
        self,
        batch: ObsBatchProtocol,
        state: Any = None,
        **kwargs: Any,
    ) -> ActStateBatchProtocol:
        """Choose actions as tianshou asks for them.

        At random in training steps, deterministic otherwise.
        """
        observations = torch.as_tensor(batch.obs, dtype=torch.float32, device=self.generator.device)
        generator = self.generator if self.is_within_training_step else None
        return cast(
            ActStateBatchProtocol, Batch(act=self.sample(observations, generator), state=state)
        )

    def add_exploration_noise(self, act: Any, batch: ObsBatchProtocol) -> Any:
        """Add the noise ladder to a row of actions, tensor or array ``(num_envs, action_size)``."""
        low, high = self.exploration
        rows = len(act)
        device = self.generator.device
        ladder = torch.linspace(0.0, 1.0, rows, device=device).unsqueeze(1)
        levels = low * (high / low) ** ladder
        noise = torch.randn(rows, self.action_size, generator=self.generator, device=device)
        noisy = torch.as_tensor(act, device=device).add(levels * noise).clamp(-1.0, 1.0)
        return noisy if isinstance(act, Tensor) else noisy.cpu().numpy()


class BoundedPolicy(ActorPolicy):
    """A policy that bounds its actions by tanh."""

    @abstractmethod
    def unbounded(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """The actions before their bounding tanh, ``(batch, action_size)``; see ``sample``."""

    def sample(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """Choose actions; see ``ActorPolicy``."""
        return self.unbounded(observations, generator).tanh()
