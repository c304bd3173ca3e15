"""The feeder of ``v2g_feeder`` for its programme: losses, voltages and their slopes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.compiler import radial
from envs.compiler.linear_kernels import below
from envs.compiler.radial import Feeder

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Flow:
    """Power lost (kW, ``(step,)``), its slope over loads in kW ``(bus, step)``, voltages in pu."""

    lost: Array
    slope: Array
    voltage: Array


@dataclass(frozen=True)
class Network:
    """The feeder in ohm and volt; published loads in kW and kvar, ``(bus,)``.

    ``sensitivity`` is the slope of squared voltages in pu over loads in kW, without losses,
    ``(bus, bus)``.
    """

    parents: tuple[int, ...]
    resistance: Array
    reactance: Array
    active: Array
    reactive: Array
    source: float
    nominal: float
    sensitivity: Array

    @classmethod
    def of(cls, given: Mapping[str, Array]) -> Network:
        """From a problem's constants."""
        parents = tuple(int(place) for place in given["parent"])
        nominal = float(given["nominal"])
        shared = below(parents).T @ (given["resistance"][:, None] * below(parents))
        return cls(
            parents,
            given["resistance"],
            given["reactance"],
            given["peak_active"] / 1e3,
            given["peak_reactive"] / 1e3,
            nominal * float(given["tap"]),
            nominal,
            -2e3 * shared / nominal**2,
        )

    def flow(self, active: Array, reactive: Array) -> Flow:
        """The flow of loads in kW and kvar, ``(bus, step)``, by the simulation's own sweeps."""
        import torch

        feeder = Feeder(
            -2, self.parents, tuple(self.resistance), tuple(self.reactance), float("inf")
        )
        load = torch.tensor(active * 1e3, requires_grad=True)
        still = torch.tensor(reactive * 1e3)
        source = torch.full((1, active.shape[1]), self.source, dtype=torch.float64)
        current = radial.torch_kernel(torch, load, still, source, feeder)
        r, x = (torch.tensor(v)[:, None] for v in (self.resistance, self.reactance))
        lost = (r * current).sum(dim=0)
        lost.sum().backward()
        down = torch.tensor(below(self.parents))
        powers = 2 * (r * (down @ (load + r * current)) + x * (down @ (still + x * current)))
        squared = self.source**2 - down.T @ (powers - (r * r + x * x) * current)
        assert load.grad is not None
        return Flow(
            lost.detach().numpy() / 1e3,
            load.grad.numpy(),
            np.sqrt(squared.detach().numpy()) / self.nominal,
        )
