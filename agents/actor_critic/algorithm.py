"""The update that every off-policy agent of this package shares: critics by n-step targets."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, cast

import torch
from tianshou.algorithm.algorithm_base import TrainingStats
from tianshou.algorithm.modelfree.ddpg import ActorCriticOffPolicyAlgorithm
from tianshou.algorithm.optim import LRSchedulerFactory, OptimizerFactory, TorchOptimizerFactory
from tianshou.data import Batch
from tianshou.data.types import ActBatchProtocol
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from agents.actor_critic.critic import Critics, Ensemble
from agents.actor_critic.policy import ActorPolicy


@dataclass(kw_only=True)
class ActorCriticStats(TrainingStats):
    """Losses of one update.

    Attributes:
        critic_loss: Mean squared error of the critics, in units of the targets' variance.
        actor_loss: Loss of the policy; NaN before its first update.
        value: Mean target of the batch, in units of reward.
    """

    critic_loss: float
    actor_loss: float
    value: float


class Decay:
    """A learning rate.

    That falls linearly to a fraction of itself over a known number of updates.
    """

    def __init__(self, final: float) -> None:
        """Set the fraction that is left at the end.

        It does not decay until ``updates`` is known.
        """
        self.final = final
        self.updates: int | None = None

    def __call__(self, update: int) -> float:
        """The factor on the learning rate at an update."""
        if not self.updates:
            return 1.0
        return 1.0 - (1.0 - self.final) * min(update / self.updates, 1.0)


class _DecayFactory(LRSchedulerFactory):
    def __init__(self, decay: Decay) -> None:
        super().__init__()
        self._decay = decay

    def create_scheduler(self, optim: torch.optim.Optimizer) -> LambdaLR:
        return LambdaLR(optim, self._decay)


def optimizer(learning_rate: float, weight_decay: float, decay: Decay) -> OptimizerFactory:
    """AdamW in one fused kernel, its learning rate under the given decay."""
    factory = TorchOptimizerFactory(
        torch.optim.AdamW, lr=learning_rate, weight_decay=weight_decay, fused=True
    )
    return factory.with_lr_scheduler_factory(_DecayFactory(decay))


class ActorCritic(ActorCriticOffPolicyAlgorithm[ActorPolicy, ActBatchProtocol]):
    """Critics fitted to n-step targets; what the actor does with them is the subclass's.

    It takes batches from a ``RowReplay`` as from tianshou's own buffers, and so runs under
    tianshou's trainer too.
    """

    def __init__(
        self,
        *,
        policy: ActorPolicy,
        policy_optim: OptimizerFactory,
        critic: Critics,
        critic_optim: OptimizerFactory,
        tau: float,
        gamma: float,
        n_step_return_horizon: int,
        pessimism: float,
        normaliser_rate: float,
        actor_period: int,
    ) -> None:
        """Assemble the algorithm.

        Args:
            policy: The actor.
            policy_optim: Makes the actor's optimizer.
            critic: The critics.
            critic_optim: Makes the critics' optimizer.
            tau: Rate at which the target critics follow.
            gamma: Discount of one step. At 0 no target is ever computed.
            n_step_return_horizon: Rewards summed before bootstrapping.
            pessimism: Standard deviations over the ensemble taken off the value bootstrapped from;
                with two critics 1 is their minimum.
            normaliser_rate: Rate at which the critics' scale follows their targets.
            actor_period: The actor is updated at every so many updates of the critics.
        """
        super().__init__(
            policy=policy,
            policy_optim=policy_optim,
            critic=critic,
            critic_optim=critic_optim,
            tau=tau,
            gamma=gamma,
            n_step_return_horizon=n_step_return_horizon,
        )
        self.critics = critic
        self.pessimism = pessimism
        self.normaliser_rate = normaliser_rate
        self.actor_period = actor_period
        self.updates = 0
        self._actor_loss = float("nan")

    @property
    def target_critics(self) -> Critics:
        """The critics that targets are computed with."""
        return cast(Critics, self.critic_old.module)

    @abstractmethod
    def _actor_loss_of(self, batch: Any) -> Tensor:
        """The scalar that the actor descends, on a batch prepared for the critics."""

    def _ascent(self, batch: Any, actions: Tensor) -> Tensor:
        """A scalar whose descent moves actions up the gradient of their value.

        The gradient is scaled to a mean norm of 1 over the batch, so that no unit of reward and no
        stage of learning makes it stronger or weaker beside the other terms of a loss.
        """
        at = actions.detach().requires_grad_(True)
        value = self.critics(batch.obs, at, batch.continues).sum()
        (gradient,) = torch.autograd.grad(value, at)
        uphill = gradient / gradient.norm(dim=1).mean().clamp_min(1e-12)
        loss: Tensor = -(actions * uphill).sum(1).mean()
        return loss

    def _preprocess_batch(self, batch: Any, buffer: Any, indices: Any) -> Any:
        """Add ``returns``, what values are fitted to ``(batch,)``.

        Bring the batch to the device.
        """
        if "bootstrap" in batch:
            if not buffer.never_bootstraps:
                with torch.no_grad():
                    later = Batch(obs=batch.obs_later)
                    value = self._target_q_compute_value(
                        later, self._target_q_compute_action(later)
                    )
                batch.returns = batch.returns + batch.bootstrap * value
            return batch
        # A batch of one of tianshou's own buffers.
        if self.gamma == 0.0:
            batch.returns = batch.rew
        else:
            batch = super()._preprocess_batch(batch, buffer, indices)
        batch.continues = self.gamma * (1.0 - self._tensor(batch.terminated))
        for key in ("obs", "act", "obs_next", "rew", "returns"):
            batch[key] = self._tensor(batch[key])
        batch.returns = batch.returns.flatten()
        return batch

    def _target_q_compute_action(self, obs_batch: Batch) -> ActBatchProtocol:
        if self.critics.state is not None:  # states are valued as such
            return cast(ActBatchProtocol, Batch())
        return cast(ActBatchProtocol, self.policy(obs_batch))

    def _target_q_compute_value(self, obs_batch: Batch, act_batch: ActBatchProtocol) -> Tensor:
        observations, critics = self._tensor(obs_batch.obs), self.target_critics
        if critics.state is not None:
            return critics.state.value(observations)
        values = critics.action(observations, act_batch.act)
        return critics.action.to_reward(
            values.mean(0) - self.pessimism * values.std(0, correction=0)
        )

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.policy.generator.device)

    def _update_with_batch(self, batch: Any) -> ActorCriticStats:
        critic_loss = self._critic_loss(batch)
        self.critic_optim.step(critic_loss)
        if self.updates % self.actor_period == 0:
            self.critics.requires_grad_(False)
            actor_loss = self._actor_loss_of(batch)
            self.policy_optim.step(actor_loss)
            self.critics.requires_grad_(True)
            self._actor_loss = actor_loss.item()
        if self.gamma > 0.0:
            self._update_lagged_network_weights()
        self.updates += 1
        return ActorCriticStats(
            critic_loss=critic_loss.item(),
            actor_loss=self._actor_loss,
            value=batch.returns.mean().item(),
        )

    def _critic_loss(self, batch: Any) -> Tensor:
        """Squared errors of all critics, each in its own scale; the scales follow first."""
        state, action, model = self.critics.state, self.critics.action, self.critics.model
        rate = self.normaliser_rate
        if state is None or model is None:
            return _error(action, batch.returns, rate, batch.obs, batch.act)
        going_on = (batch.continues > 0.0).float()
        flagged = self.critics.flagged(batch.obs, batch.continues)
        return (
            _error(action, batch.rew, rate, flagged, batch.act)
            + _error(state, batch.returns, rate, batch.obs)
            + model.loss(batch.obs, batch.act, batch.obs_next, going_on, rate)
        )

    def _update_lagged_network_weights(self) -> None:
        target, source = self.target_critics, self.critics
        if target.state is not None and source.state is not None:
            target.state.track(source.state, self.tau)
        else:
            target.action.track(source.action, self.tau)


def _error(ensemble: Ensemble, targets: Tensor, rate: float, *inputs: Tensor) -> Tensor:
    ensemble.follow(targets, rate)
    error: Tensor = ensemble(*inputs) - ensemble.from_reward(targets)
    return error.square().mean(1).sum()
