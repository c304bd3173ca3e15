"""How the flow policy learns.

Regression onto the better of its candidates, and the critics' gradient.
"""

from typing import Any

import torch
from torch import Tensor

from agents.actor_critic.algorithm import ActorCritic
from agents.gdm.policy import FlowPolicy


class GDMAlgorithm(ActorCritic):
    """Candidates, re-weighted flow regression and a normalised value gradient.

    For each observation the policy proposes an action, and the candidates around it are judged by
    the critics. The policy is then regressed, from a random point of the path, onto a candidate
    drawn with weight ``softmax(z / temperature)``, z being the values standardised over the
    candidates; and its prediction is moved up the critics' gradient. Regression alone is slow to
    converge and the gradient alone sticks to the mode it started in. Nothing is propagated through
    the sampling chain.

    Candidates and weights: Ding et al. 2024 (QVPO, arXiv:2405.16173), Ma et al. 2025 (SDAC,
    arXiv:2502.00361).
    """

    policy: FlowPolicy
    levels: Tensor

    def __init__(
        self,
        *,
        candidates: int,
        candidate_noise: tuple[float, float],
        temperature: float,
        regression: float,
        saturation: float,
        **values: Any,
    ) -> None:
        """Assemble the algorithm; the other values are ``ActorCritic``'s.

        Args:
            candidates: Actions judged per observation, the proposal and the action once taken among
                them.
            candidate_noise: Smallest and largest standard deviation of the candidates' distance
                from the proposal.
            temperature: Of the candidates' weights; 0 takes the best.
            regression: Weight of the regression beside the value gradient, whose norm is 1.
            saturation: Weight of the squared excess of predictions beyond ±2 before tanh, where its
                gradient fades.
            **values: See ``ActorCritic``.
        """
        super().__init__(**values)
        self.candidates = candidates
        self.temperature = temperature
        self.regression = regression
        self.saturation = saturation
        low, high = candidate_noise
        device = self.policy.generator.device
        spread = torch.linspace(0.0, 1.0, max(candidates - 2, 1), device=device)
        self.register_buffer(
            "levels", (low * (high / low) ** spread).view(1, -1, 1), persistent=False
        )

    def _actor_loss_of(self, batch: Any) -> Tensor:
        observations = batch.obs
        policy, generator = self.policy, self.policy.generator
        with torch.no_grad():
            chosen = self._choose(batch)
            rows = len(observations)
            step = torch.randint(
                policy.steps, (rows, 1), generator=generator, device=generator.device
            )
            time = step / policy.steps
            noisy = (1.0 - time) * policy.noise(rows, generator) + time * chosen
        predicted, raw = policy.denoise(observations, noisy, time)
        loss = self._ascent(batch, predicted)
        if self.regression > 0.0:
            loss = loss + self.regression * (predicted - chosen).square().sum(1).mean()
        excess = (raw.abs() - 2.0).clamp_min(0.0)
        return loss + self.saturation * excess.square().sum(1).mean()

    def _choose(self, batch: Any) -> Tensor:
        """One of the candidates for each observation: ``(batch, action_size)``."""
        policy, generator = self.policy, self.policy.generator
        observations = batch.obs
        proposal = policy.sample(observations, generator)
        if self.regression == 0.0:
            return proposal
        rows = len(observations)
        noise = torch.randn(
            rows,
            max(self.candidates - 2, 1),
            policy.action_size,
            generator=generator,
            device=generator.device,
        )
        around = (proposal.unsqueeze(1) + self.levels * noise).clamp(-1.0, 1.0)
        pool = torch.cat((proposal.unsqueeze(1), batch.act.unsqueeze(1), around), dim=1)
        values = self.critics(observations, pool, batch.continues)
        if self.temperature == 0.0:
            index = values.argmax(1)
        else:
            standard = (values - values.mean(1, keepdim=True)) / (
                values.std(1, keepdim=True) + 1e-12
            )
            weights = (standard / self.temperature).softmax(1)
            index = torch.multinomial(weights, 1, generator=generator).squeeze(1)
        return pool[torch.arange(rows, device=index.device), index]
