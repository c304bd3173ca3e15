"""``gdm_paper``.

The published diffusion agent, learnt by back-propagation through the whole denoising chain.

After H. Du et al., "Enhancing Deep Reinforcement Learning: A Tutorial on Generative Diffusion
Models in Network Optimization", IEEE Communications Surveys & Tutorials, 2024. Its method and
values are kept: six steps of a variance-preserving schedule, a noise-predicting network with Mish,
twin critics, the loss ``−min Q(s, chain(s))``, no entropy term. Not kept are the seeds that were
ignored, the exploration noise in evaluation and targets, and the targets computed for transitions
that are all terminal.
"""

from typing import Any

import torch
from torch import Tensor, nn

from agents.actor_critic.agent import ActorCriticAgent, Training
from agents.actor_critic.algorithm import ActorCritic
from agents.actor_critic.policy import ActorPolicy
from agents.gdm.network import Denoiser


class DiffusionPolicy(ActorPolicy):
    """Denoises by the ancestral sampling of Ho et al. 2020 (arXiv:2006.11239).

    The deterministic action starts from, and adds, no noise.
    """

    signal: Tensor
    noise_share: Tensor
    mean_of_action: Tensor
    mean_of_noisy: Tensor
    deviation: Tensor

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
        beta: tuple[float, float],
    ) -> None:
        """Build the network and the schedule.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            exploration: Smallest and largest standard deviation of the exploration noise.
            generator: Draws the noise.
            width: Units of each hidden layer.
            depth: Hidden layers.
            steps: Network evaluations for an action.
            time_size: Components of the embedding of time.
            beta: First and last rate of the variance-preserving schedule (Song et al. 2021,
                arXiv:2011.13456).
        """
        super().__init__(observation_size, action_size, exploration, generator)
        self.steps = steps
        self.network = Denoiser(observation_size, action_size, width, depth, time_size, nn.Mish)
        low, high = beta
        step = torch.arange(1, steps + 1, dtype=torch.float64)
        alpha = (-low / steps - 0.5 * (high - low) * (2 * step - 1) / steps**2).exp()
        product = alpha.cumprod(0)
        before = torch.cat((torch.ones(1, dtype=torch.float64), product[:-1]))
        # Ho et al. 2020, equations 6, 7 and 15.
        tables = {
            "signal": product.rsqrt(),
            "noise_share": (1.0 / product - 1.0).sqrt(),
            "mean_of_action": before.sqrt() * (1.0 - alpha) / (1.0 - product),
            "mean_of_noisy": alpha.sqrt() * (1.0 - before) / (1.0 - product),
            "deviation": ((1.0 - alpha) * (1.0 - before) / (1.0 - product)).sqrt(),
        }
        for name, values in tables.items():
            self.register_buffer(name, values.float(), persistent=False)

    def sample(self, observations: Tensor, generator: torch.Generator | None) -> Tensor:
        """Choose actions; see ``ActorPolicy``."""
        noisy = self._noise(len(observations), generator)
        for step in reversed(range(self.steps)):
            time = torch.full((len(observations), 1), (step + 1) / self.steps, device=noisy.device)
            noise = self.network(observations, noisy, time)
            action = (self.signal[step] * noisy - self.noise_share[step] * noise).clamp(-1.0, 1.0)
            noisy = self.mean_of_action[step] * action + self.mean_of_noisy[step] * noisy
            if step > 0 and generator is not None:
                fresh = self._noise(len(observations), generator)
                noisy = noisy + self.deviation[step] * fresh
        return noisy.clamp(-1.0, 1.0)

    def _noise(self, rows: int, generator: torch.Generator | None) -> Tensor:
        device = self.generator.device
        if generator is None:
            return torch.zeros(rows, self.action_size, device=device)
        return torch.randn(rows, self.action_size, generator=generator, device=device)


class ChainAlgorithm(ActorCritic):
    """Descends ``−min Q(s, chain(s))`` through every step of the chain."""

    def _actor_loss_of(self, batch: Any) -> Tensor:
        chosen = self.policy.sample(batch.obs, self.policy.generator)
        loss: Tensor = -self.critics.action(batch.obs, chosen).amin(0).mean()
        return loss


class GDMPaper(ActorCriticAgent):
    """The published agent on the shared loop."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        steps: int,
        time_size: int,
        actor_depth: int,
        beta: tuple[float, float],
        **training: Any,
    ) -> None:
        """Build the agent.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step; 0 for one-shot problems.
            seed: Decides everything the agent draws.
            device: ``cpu`` or ``cuda``.
            steps: See ``DiffusionPolicy``, as for the three that follow.
            time_size: See there.
            actor_depth: See there.
            beta: See there.
            **training: See ``Training``.
        """
        self._network = {"steps": steps, "time_size": time_size, "depth": actor_depth}
        self._beta = (beta[0], beta[1])
        super().__init__(
            observation_size=observation_size,
            action_size=action_size,
            discount=discount,
            seed=seed,
            device=device,
            training=Training(**training),
        )

    def _policy(self) -> ActorPolicy:
        return DiffusionPolicy(
            self.observation_size,
            self.action_size,
            exploration=self.training.exploration,
            generator=self._explorer,
            width=self.training.width,
            beta=self._beta,
            **self._network,
        )

    def _algorithm(self, policy: ActorPolicy, **values: Any) -> ActorCritic:
        return ChainAlgorithm(policy=policy, **values)
