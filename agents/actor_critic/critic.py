"""An ensemble of critics, evaluated together by batched matrix products."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class CriticEnsemble(nn.Module):
    """Independent action-value networks ``Q(s, a)`` with layer normalisation.

    Layer normalisation keeps the values of unseen actions bounded, which off-policy learning needs (Ball et al. 2023,
    arXiv:2302.02948). The members share no weight; their layers are stacked so that one ``baddbmm`` runs them all.

    What the networks are fitted to are values that have been compressed, ``asinh(value / unit)``, and standardised. Compressed
    (Pohlen et al. 2018, arXiv:1805.11593), because penalties make values span orders of magnitude, and a squared error would
    spend the network on the worst of them; standardised by moments that follow the targets while the last layer is adapted so
    that no value changes (PopArt, van Hasselt et al. 2016, arXiv:1602.07714), because rewards are far smaller under a good
    policy than under a random one. The map is monotone: the better of two actions is the better in either scale.
    """

    unit: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(
        self, observation_size: int, action_size: int, width: int, depth: int, members: int
    ) -> None:
        """Draw the weights from torch's global generator.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            width: Units of each hidden layer.
            depth: Hidden layers.
            members: Networks in the ensemble.
        """
        super().__init__()
        self.members = members
        fan_in = observation_size + action_size
        self.from_observation = _stacked(members, observation_size, width, fan_in)
        self.from_action = _stacked(members, action_size, width, fan_in)
        self.weights = nn.ParameterList(_stacked(members, width, width) for _ in range(depth - 1))
        self.biases = nn.ParameterList(
            nn.Parameter(torch.zeros(members, 1, width)) for _ in range(depth)
        )
        self.head = nn.Parameter(torch.zeros(members, width, 1))
        self.head_bias = nn.Parameter(torch.zeros(members, 1, 1))
        self.register_buffer("unit", torch.ones(()))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Value actions, in the networks' own scale.

        Args:
            observations: ``(batch, observation_size)``.
            actions: ``(batch, action_size)``, or ``(batch, candidates, action_size)`` for several per observation.

        Returns:
            ``(members, batch)`` or ``(members, batch, candidates)``.
        """
        batch = observations.shape[0]
        shared = torch.baddbmm(
            self.biases[0], observations.expand(self.members, -1, -1), self.from_observation
        )
        flat = actions.reshape(-1, actions.shape[-1])
        hidden = torch.bmm(flat.expand(self.members, -1, -1), self.from_action)
        if actions.dim() == 3:
            hidden = (hidden.unflatten(1, (batch, -1)) + shared.unsqueeze(2)).flatten(1, 2)
        else:
            hidden = hidden + shared
        for weight, bias in zip(self.weights, list(self.biases)[1:], strict=True):
            hidden = torch.baddbmm(bias, _activate(hidden), weight)
        values = torch.baddbmm(self.head_bias, _activate(hidden), self.head)
        return values.view(self.members, *actions.shape[:-1])

    def to_reward(self, values: Tensor) -> Tensor:
        """Values in units of reward, of values in the networks' scale."""
        return self.unit * (self.mean + self.scale * values).sinh()

    def compress(self, rewards: Tensor) -> Tensor:
        """Compressed but not standardised values, of values in units of reward."""
        return (rewards / self.unit).asinh()

    @torch.no_grad()
    def renormalise(self, mean: Tensor, scale: Tensor) -> None:
        """Change the moments that values are standardised by, and no value.

        Args:
            mean: Of compressed targets, a scalar.
            scale: Their standard deviation, a positive scalar.
        """
        ratio = self.scale / scale
        self.head.mul_(ratio)
        self.head_bias.mul_(ratio).add_((self.mean - mean) / scale)
        self.mean.copy_(mean)
        self.scale.copy_(scale)


def _activate(hidden: Tensor) -> Tensor:
    return functional.silu(functional.layer_norm(hidden, hidden.shape[-1:]))


def _stacked(members: int, inputs: int, outputs: int, fan_in: int | None = None) -> nn.Parameter:
    bound = 1.0 / math.sqrt(fan_in or inputs)
    return nn.Parameter(torch.empty(members, inputs, outputs).uniform_(-bound, bound))
