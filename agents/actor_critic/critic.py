"""Critics: ensembles of networks evaluated together, and the scale they are fitted in."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.actor_critic.transition import Transition

_SMALLEST_SCALE = 1e-6


class Ensemble(nn.Module):
    """Independent networks of an observation, or of observation and action.

    Layer normalisation keeps the values of unseen actions bounded, which off-policy learning needs
    (Ball et al. 2023, arXiv:2302.02948). The members share no weight; their layers are stacked so
    that one batched matrix product runs them all.

    What the networks are fitted to has been compressed, ``asinh(value / unit)``, and standardised.
    Compressed (Pohlen et al. 2018, arXiv:1805.11593), because penalties make values span orders of
    magnitude, and a squared error would spend the network on the worst of them; standardised by
    moments that follow the targets while the last layer is adapted so that no value changes
    (PopArt, van Hasselt et al. 2016, arXiv:1602.07714), because rewards are far smaller under a
    good policy than under a random one. The map is monotone: the better of two actions is the
    better in either scale.
    """

    unit: Tensor
    mean: Tensor
    scale: Tensor
    ready: Tensor

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        width: int,
        depth: int,
        members: int,
        compression: float,
        normalised: bool = True,
    ) -> None:
        """Draw the weights from torch's global generator.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action; 0 for networks of the observation alone.
            width: Units of each hidden layer.
            depth: Hidden layers.
            members: Networks in the ensemble.
            compression: Values are compressed beyond their first median magnitude divided by this;
                0 compresses none.
            normalised: Whether layers are normalised. Where only the policy's own states are valued
                there is nothing to bound, and a policy learnt better by the slope without.
        """
        super().__init__()
        self.normalised = normalised
        self.members, self.compression = members, compression
        fan_in = observation_size + action_size
        self.from_observation = _stacked(members, observation_size, width, fan_in)
        self.from_action = _stacked(members, action_size, width, fan_in) if action_size else None
        self.weights = nn.ParameterList(_stacked(members, width, width) for _ in range(depth - 1))
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(members, 1, width)) for _ in range(depth)
        )
        self.head = nn.Parameter(torch.zeros(members, width, 1))
        self.head_bias = nn.Parameter(torch.zeros(members, 1, 1))
        for name, value in {"unit": 1.0, "mean": 0.0, "scale": 1.0, "ready": 0.0}.items():
            self.register_buffer(name, torch.tensor(value))

    def forward(self, observations: Tensor, actions: Tensor | None = None) -> Tensor:
        """Value observations, or actions, in the networks' own scale.

        Args:
            observations: ``(batch, observation_size)``.
            actions: ``(batch, action_size)``, or ``(batch, candidates, action_size)`` for several
                per observation.

        Returns:
            ``(members, batch)`` or ``(members, batch, candidates)``.
        """
        shape = observations.shape[:1] if actions is None else actions.shape[:-1]
        hidden = torch.baddbmm(
            self.biases[0], observations.expand(self.members, -1, -1), self.from_observation
        )
        if actions is not None and self.from_action is not None:
            flat = actions.reshape(-1, actions.shape[-1]).expand(self.members, -1, -1)
            of_actions = torch.bmm(flat, self.from_action).view(self.members, *shape, -1)
            if actions.dim() == 3:
                hidden = hidden.unsqueeze(2)
            hidden = (hidden + of_actions).view(self.members, -1, hidden.shape[-1])
        for weight, bias in zip(self.weights, list(self.biases)[1:], strict=True):
            hidden = torch.baddbmm(bias, self._activate(hidden), weight)
        values = torch.baddbmm(self.head_bias, self._activate(hidden), self.head)
        return values.view(self.members, *shape)

    def _activate(self, hidden: Tensor) -> Tensor:
        if self.normalised:
            hidden = functional.layer_norm(hidden, hidden.shape[-1:])
        return functional.silu(hidden)

    def to_reward(self, values: Tensor) -> Tensor:
        """Values in units of reward, of values in the networks' scale."""
        compressed = self.mean + self.scale * values
        return self.unit * (compressed.sinh() if self.compression else compressed)

    def value(self, observations: Tensor) -> Tensor:
        """Mean value of observations in units of reward, ``(batch,)``."""
        return self.to_reward(self(observations).mean(0))

    def from_reward(self, rewards: Tensor) -> Tensor:
        """Values in the networks' scale, of values in units of reward."""
        return (self._compress(rewards) - self.mean) / self.scale

    def _compress(self, rewards: Tensor) -> Tensor:
        relative = rewards / self.unit
        return relative.asinh() if self.compression else relative

    @torch.no_grad()
    def follow(self, targets: Tensor, rate: float) -> None:
        """Let the scale follow the targets, and no value change with it.

        Args:
            targets: In units of reward, ``(batch,)``. The first ones set the scale.
            rate: Weight of these targets' moments in the moving average.
        """
        if not self.ready:
            self.ready.fill_(1.0)
            if self.compression:
                unit = targets.abs().median() / self.compression
                self.unit.copy_(unit.clamp_min(_SMALLEST_SCALE))
            compressed = self._compress(targets)
            self.mean.copy_(compressed.mean())
            self.scale.copy_(compressed.std().clamp_min(_SMALLEST_SCALE))
            return
        compressed = self._compress(targets)
        mean = torch.lerp(self.mean, compressed.mean(), rate)
        variance = torch.lerp(self.scale.square(), (compressed - mean).square().mean(), rate)
        self.adopt(mean, variance.sqrt().clamp_min(_SMALLEST_SCALE))

    @torch.no_grad()
    def adopt(self, mean: Tensor, scale: Tensor) -> None:
        """Standardise by other moments of the compressed targets, and change no value.

        Args:
            mean: A scalar.
            scale: The standard deviation, a positive scalar.
        """
        ratio = self.scale / scale
        self.head.mul_(ratio)
        self.head_bias.mul_(ratio).add_((self.mean - mean) / scale)
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    @torch.no_grad()
    def track(self, source: "Ensemble", rate: float) -> None:
        """Move towards another ensemble's weights, in its scale.

        Args:
            source: Of the same shape.
            rate: Fraction of the way.
        """
        self.unit.copy_(source.unit)
        self.adopt(source.mean, source.scale)
        torch._foreach_lerp_(list(self.parameters()), list(source.parameters()), rate)


class Critics(nn.Module):
    """What the actor climbs.

    Without foresight: ordinary action values, bootstrapped from the policy's next action.

    With foresight an action is worth its immediate reward and, discounted, the value of the state
    it leads to, each from a network of its own. Over a long horizon the value of a state is orders
    of magnitude larger than what one action changes in it and moves with weather and demand: a
    network fitted to sampled action values does not see the action through that noise. The
    immediate reward and the part of the next state that the action moves are nearly free of noise.
    As no maximum over actions enters a target, no overestimate can feed itself. (Value gradients
    through a model: Heess et al. 2015, arXiv:1510.09142, there SVG(1).)
    """

    def __init__(self, action: Ensemble, state: Ensemble | None, model: Transition | None) -> None:
        """Put the parts together.

        Args:
            action: Values actions; with foresight their immediate rewards only.
            state: Values observations under the policy; None without foresight.
            model: Predicts the next observation; None without foresight.
        """
        super().__init__()
        self.action, self.state, self.model = action, state, model

    def forward(self, observations: Tensor, actions: Tensor, continues: Tensor) -> Tensor:
        """Judge actions, the mean over the ensemble, monotone in value for each observation.

        Args:
            observations: ``(batch, observation_size)``.
            actions: ``(batch, action_size)`` or ``(batch, candidates, action_size)``.
            continues: Discount of what follows, 0 at the end of an episode: ``(batch,)``.

        Returns:
            ``(batch,)`` or ``(batch, candidates)``: in units of reward with foresight, else in the
            networks' own scale.
        """
        if self.state is None or self.model is None:
            plain: Tensor = self.action(observations, actions).mean(0)
            return plain
        values: Tensor = self.action(self.flagged(observations, continues), actions).mean(0)
        following = self.model(observations, actions)
        later = self.state.value(following.flatten(0, -2)).view(values.shape)
        if actions.dim() == 3:
            continues = continues.unsqueeze(1)
        return self.action.to_reward(values) + continues * later

    def flagged(self, observations: Tensor, continues: Tensor) -> Tensor:
        """Observations and whether the episode ends with this step.

        What a step earns may change abruptly at the last one, where stocks are settled. Without
        the flag a network would smear that over the steps before.
        """
        return torch.cat((observations, (continues == 0.0).float().unsqueeze(-1)), dim=-1)


def _stacked(members: int, inputs: int, outputs: int, fan_in: int | None = None) -> nn.Parameter:
    bound = 1.0 / math.sqrt(fan_in or inputs)
    return nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
