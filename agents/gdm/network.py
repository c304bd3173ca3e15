"""The network of the diffusion policies: a noisy action, a time and an observation in.

A clean action out.
"""

import math

import torch
from torch import Tensor, nn


class Denoiser(nn.Module):
    """A multilayer perceptron with a sinusoidal embedding of time.

    What its output means is the caller's: the clean action before its bounding ``tanh`` (``gdm``),
    or the noise (``gdm_paper``).
    """

    frequencies: Tensor

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        width: int,
        depth: int,
        time_size: int,
        activation: type[nn.Module],
    ) -> None:
        """Draw the weights from torch's global generator.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            width: Units of each hidden layer.
            depth: Hidden layers.
            time_size: Components of the embedding of time; even.
            activation: Between the layers.
        """
        super().__init__()
        exponents = torch.arange(time_size // 2) / max(time_size // 2 - 1, 1)
        # One full turn over t in [0, 1] down to a thousandth of a radian's wavelength would be
        # wasted on a handful of steps: frequencies run from 1 to 100.
        self.register_buffer("frequencies", math.tau / 4 * 100.0**exponents, persistent=False)
        sizes = [observation_size + action_size + time_size, *[width] * depth]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(inputs, outputs), activation()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width, action_size)

    def forward(self, observations: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Run the network.

        Args:
            observations: ``(batch, observation_size)``.
            noisy: ``(batch, action_size)``.
            time: ``(batch, 1)`` in [0, 1].

        Returns:
            ``(batch, action_size)``, unbounded.
        """
        angles = time * self.frequencies
        output: Tensor = self.head(
            self.body(torch.cat((observations, noisy, angles.sin(), angles.cos()), dim=1))
        )
        return output
