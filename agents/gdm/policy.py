"""The few-step flow policy."""

import torch
from torch import Tensor, nn

from agents.actor_critic.policy import BoundedPolicy
from agents.gdm.network import Denoiser


class FlowPolicy(BoundedPolicy):
    """Carries noise to actions along straight paths, in a few steps.

    On the path ``x_t = (1 − t) noise + t action`` the network predicts the action itself, bounded
    by tanh, so that every intermediate prediction is an action too: the critic can judge it, and
    its gradient reaches the network without going through the chain. A step re-noises the
    prediction to the next time. The deterministic action starts from, and adds, no noise.
    """

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        *,
        exploration: tuple[float, float],
        generator: torch.Generator,
        width: int,
        depth: int,
        steps: int,
        time_size: int,
    ) -> None:
        """Build the network; see ``Denoiser`` and ``ActorPolicy`` for the arguments.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            exploration: Smallest and largest standard deviation of the exploration noise.
            generator: Draws the noise.
            width: Units of each hidden layer.
            depth: Hidden layers.
            steps: Network evaluations for an action.
            time_size: Components of the embedding of time.
        """
        super().__init__(observation_size, action_size, exploration, generator)
        self.steps = steps
        self.network = Denoiser(observation_size, action_size, width, depth, time_size, nn.SiLU)

    def denoise(self, observations: Tensor, noisy: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Predict the action at the end of the path, and its value before tanh.

        Args:
            observations: ``(batch, observation_size)``.
            noisy: Points on the path, ``(batch, action_size)``.
            time: Where on the path, ``(batch, 1)``.

        Returns:
            The action in [-1, 1] and the unbounded prediction, both ``(batch, action_size)``.
        """
        raw = self.network(observations, noisy, time)
        return raw.tanh(), raw

    def noise(self, rows: int, generator: torch.Generator | None) -> Tensor:
        """Standard normal ``(rows, action_size)``; zeros without a generator."""
        device = self.generator.device
        if generator is None:
            return torch.zeros(rows, self.action_size, device=device)
        return torch.randn(rows, self.action_size, generator=generator, device=device)

    def unbounded(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """Follow the path; see ``BoundedPolicy``."""
        rows = len(observations)
        action = raw = self.noise(rows, generator)
        for step in range(self.steps):
            time = step / self.steps
            noisy = action
            if step > 0:
                noisy = (1.0 - time) * self.noise(rows, generator) + time * action
            at = torch.full((rows, 1), time, device=observations.device)
            action, raw = self.denoise(observations, noisy, at)
        return raw
