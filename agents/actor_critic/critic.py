"""Critics: ensembles of networks evaluated together, and the scale they are fitted in."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

_SMALLEST_SCALE = 1e-6


class Ensemble(nn.Module):
    """Independent networks with layer normalisation, of an observation or of observation and action.

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
        """
        super().__init__()
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
            hidden = torch.baddbmm(bias, _activate(hidden), weight)
        values = torch.baddbmm(self.head_bias, _activate(hidden), self.head)
        return values.view(self.members, *shape)

    def to_reward(self, values: Tensor) -> Tensor:
        """Values in units of reward, of values in the networks' scale."""
        compressed = self.mean + self.scale * values
        return self.unit * (compressed.sinh() if self.compression else compressed)

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


class Transition(nn.Module):
    """Predicts the next observation."""

    spread: Tensor

    def __init__(self, observation_size: int, action_size: int, width: int, depth: int) -> None:
        super().__init__()
        sizes = [observation_size + action_size, *[width] * depth]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Linear(width, observation_size))
        self.register_buffer("spread", torch.zeros(observation_size))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        change: Tensor = self.body(torch.cat((observations, actions), dim=-1))
        return observations + self.spread * change

    def loss(self, observations: Tensor, actions: Tensor, after: Tensor, weight: Tensor) -> Tensor:
        change = after - observations
        with torch.no_grad():
            now = (change.square() * weight.unsqueeze(1)).mean(0) / weight.mean()
            if not self.spread.any():
                self.spread.copy_(now.sqrt() + 1e-3)
            else:
                new = (self.spread.square() * 0.995 + 0.005 * now).sqrt().clamp_min(1e-3)
                ratio = self.spread / new
                self.body[-1].weight.mul_(ratio.unsqueeze(1)); self.body[-1].bias.mul_(ratio)
                self.spread.copy_(new)
        error = self.body(torch.cat((observations, actions), dim=-1)) - change / self.spread
        self.last = (error.square() * weight.unsqueeze(1)).mean(0).detach()
        return (error.square().mean(1) * weight).mean()


class Critics(nn.Module):
    """What the actor climbs."""

    def __init__(self, action: Ensemble, state: Ensemble | None, transition: Transition | None, discount: float=0.) -> None:
        """Put the parts together; without ``state`` they are ordinary action values."""
        super().__init__()
        self.action, self.state, self.transition = action, state, transition

    def forward(self, observations: Tensor, actions: Tensor, continues: Tensor | None = None) -> Tensor:
        """Value actions, as ``Ensemble`` does."""
        values: Tensor = self.action(observations, actions)
        if self.transition is None or self.state is None or continues is None:
            return values
        if actions.dim() == 3:
            observations = observations.unsqueeze(1).expand(-1, actions.shape[1], -1)
            continues = continues.unsqueeze(1)
        after = self.transition(observations, actions)
        future = self.state.to_reward(self.state(after.reshape(-1, after.shape[-1])).mean(0)).view(actions.shape[:-1])
        return self.action.to_reward(values) + continues * future


def _activate(hidden: Tensor) -> Tensor:
    return functional.silu(functional.layer_norm(hidden, hidden.shape[-1:]))


def _stacked(members: int, inputs: int, outputs: int, fan_in: int | None = None) -> nn.Parameter:
    bound = 1.0 / math.sqrt(fan_in or inputs)
    return nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
