"""``mlp``: everything of ``gdm`` but the diffusion."""

from typing import Any

import torch
from torch import Tensor, nn

from agents.actor_critic.agent import ActorCriticAgent, Training
from agents.actor_critic.algorithm import ActorCritic
from agents.actor_critic.policy import ActorPolicy, BoundedPolicy


class DeterministicPolicy(BoundedPolicy):
    """A multilayer perceptron from observation to action, bounded by tanh."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        *,
        exploration: tuple[float, float],
        generator: torch.Generator,
        width: int,
        depth: int,
    ) -> None:
        """Build the network.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            exploration: Smallest and largest standard deviation of the exploration noise.
            generator: Draws the exploration noise.
            width: Units of each hidden layer.
            depth: Hidden layers.
        """
        super().__init__(observation_size, action_size, exploration, generator)
        sizes = [observation_size, *[width] * depth]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), nn.SiLU()]
        self.network = nn.Sequential(*layers, nn.Linear(width, action_size))

    def unbounded(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """The one action of each observation before its tanh, with or without a generator."""
        action: Tensor = self.network(observations)
        return action


class DeterministicAlgorithm(ActorCritic):
    """Deterministic policy gradients (Lillicrap et al. 2015, arXiv:1509.02971).

    The gradient normalised as in ``gdm``.
    """

    policy: DeterministicPolicy

    def __init__(self, *, saturation: float, **values: Any) -> None:
        """Assemble the algorithm.

        Args:
            saturation: Weight of the squared excess of predictions beyond ±2 before tanh, where its
                gradient fades.
            **values: See ``ActorCritic``.
        """
        super().__init__(**values)
        self.saturation = saturation

    def _actor_loss_of(self, batch: Any) -> Tensor:
        raw = self.policy.network(batch.obs)
        predicted = raw.tanh()
        excess = (raw.abs() - 2.0).clamp_min(0.0)
        loss: Tensor = (
            self._ascent(batch, predicted) + self.saturation * excess.square().sum(1).mean()
        )
        return loss


class MLP(ActorCriticAgent):
    """The critics and the training of ``gdm`` with a deterministic actor.

    What is left is what diffusion adds.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        actor_depth: int,
        saturation: float,
        **training: Any,
    ) -> None:
        """Build the agent.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step; 0 for one-shot problems.
            seed: Decides everything the agent draws.
            device: ``cpu`` or ``cuda``.
            actor_depth: Hidden layers of the actor.
            saturation: See ``DeterministicAlgorithm``.
            **training: See ``Training``.
        """
        self._depth, self._saturation = actor_depth, saturation
        super().__init__(
            observation_size=observation_size,
            action_size=action_size,
            discount=discount,
            seed=seed,
            device=device,
            training=Training(**training),
        )

    def _policy(self) -> ActorPolicy:
        return DeterministicPolicy(
            self.observation_size,
            self.action_size,
            exploration=self.training.exploration,
            generator=self._explorer,
            width=self.training.width,
            depth=self._depth,
        )

    def _algorithm(self, policy: ActorPolicy, **values: Any) -> ActorCritic:
        return DeterministicAlgorithm(policy=policy, saturation=self._saturation, **values)
