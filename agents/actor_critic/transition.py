"""A model of what an action does to the next observation."""

import torch
from torch import Tensor, nn

_SMALLEST_SPREAD = 1e-3
_GLANCE = 0.02  # of the loss, for components that actions seem not to move
_NEGLIGIBLE = 0.01  # of a component's variance: predicted well enough without the action


class Transition(nn.Module):
    """Predicts the expected next observation.

    Most of an observation is weather and demand, which no action moves; a network fitted to a
    finite sample nevertheless finds some influence. ``influence`` measures, for each component, by
    how much knowing the action taken, rather than another of the batch, lowers the squared error:
    only as much of the network's dependence on the action is let through.
    """

    spread: Tensor
    influence: Tensor
    ready: Tensor

    def __init__(self, observation_size: int, action_size: int, width: int, depth: int) -> None:
        """Draw the weights from torch's global generator.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            width: Units of each hidden layer.
            depth: Hidden layers.
        """
        super().__init__()
        sizes = [observation_size + action_size, *[width] * depth]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, observation_size)
        self.register_buffer("spread", torch.full((observation_size,), _SMALLEST_SPREAD))
        self.register_buffer("influence", torch.zeros(observation_size))
        self.register_buffer("ready", torch.zeros(()))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Predict.

        Args:
            observations: ``(batch, observation_size)``.
            actions: ``(batch, action_size)`` or ``(batch, candidates, action_size)``.

        Returns:
            Next observations, ``(batch, observation_size)`` or ``(batch, candidates,
            observation_size)``.
        """
        if actions.dim() == 3:
            observations = observations.unsqueeze(1).expand(-1, actions.shape[1], -1)
        change = self._change(observations, actions)
        fixed = change.detach()
        if actions.dim() == 3:
            fixed = fixed.mean(1, keepdim=True)
        influence = self.influence.clamp(0.0, 1.0)
        return observations + self.spread * (fixed + influence * (change - fixed))

    def _change(self, observations: Tensor, actions: Tensor) -> Tensor:
        change: Tensor = self.head(self.body(torch.cat((observations, actions), dim=-1)))
        return change

    def loss(
        self,
        observations: Tensor,
        actions: Tensor,
        following: Tensor,
        going_on: Tensor,
        rate: float,
    ) -> Tensor:
        """Mean squared error in units of the components' spread, which follows the data first.

        Args:
            observations: ``(batch, observation_size)``.
            actions: ``(batch, action_size)``.
            following: The observations that came next; meaningless at the end of an episode.
            going_on: 0 at the end of an episode, else 1: ``(batch,)``.
            rate: Weight of this batch in the moving averages.

        Returns:
            A scalar.
        """
        weight = (going_on / going_on.mean().clamp_min(1e-6)).unsqueeze(1)
        change = following - observations
        self._follow((change.square() * weight).mean(0), rate)
        error = (self._change(observations, actions) - change / self.spread).square() * weight
        with torch.no_grad():
            blind = self._change(observations, actions.roll(1, 0)) - change / self.spread
            without = (blind.square() * weight).mean(0)
            self.influence.lerp_((without - error.mean(0)) / (without + _NEGLIGIBLE), rate)
        attention = self.influence.clamp(_GLANCE, 1.0)
        return (error * attention).mean(0).sum()

    @torch.no_grad()
    def _follow(self, square: Tensor, rate: float) -> None:
        """Let the spread follow the mean squared change, and no prediction change with it."""
        if not self.ready:
            self.ready.fill_(1.0)
            self.spread.copy_(square.sqrt().clamp_min(_SMALLEST_SPREAD))
            return
        spread = self.spread.square().lerp(square, rate).sqrt().clamp_min(_SMALLEST_SPREAD)
        ratio = self.spread / spread
        self.head.weight.mul_(ratio.unsqueeze(1))
        self.head.bias.mul_(ratio)
        self.spread.copy_(spread)
