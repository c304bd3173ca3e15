"""The kernel of radial power flow: the squared currents of a feeder, by sweeps.

Branch flow equations (Baran and Wu 1989), solved for the squared currents by repeated backward sums
of power and forward sums of voltage drop. Everything else of the flow is linear in them, and stands
in the language (`envs.compiler.fields.grid`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from envs.compiler import linear_kernels
from envs.compiler.linear_kernels import Parents

SWEEPS = 14
"""An error shrinks by the share of power that is lost, about a tenth, with each."""
LOWEST_VOLTAGE = 0.5
"""Where the flow has no solution, voltages stop at this share of the source's."""


class Feeder(NamedTuple):
    """The feeder as a kernel's attribute.

    Attributes:
        axis: Of the buses.
        parents: Of each bus, -1 at the source.
        resistance: Of the line that feeds each bus, in ohm.
        reactance: Likewise.
        limit: Of the squared current, in A².
    """

    axis: int
    parents: Parents
    resistance: tuple[float, ...]
    reactance: tuple[float, ...]
    limit: float


def _sweeps(
    p: Any, q: Any, source: Any, r: Any, x: Any, limit: float, down: Any, up: Any, above: Any
) -> Any:
    """Squared currents ``(bus, …)`` of loads ``(bus, …)`` and a squared source voltage."""
    floor = LOWEST_VOLTAGE**2 * source
    impedance = r * r + x * x
    current = 0.0 * (p + q + source)
    for _ in range(SWEEPS):
        active, reactive = down(p + r * current), down(q + x * current)
        drop = up(2 * (r * active + x * reactive) - impedance * current)
        sending = above(source - drop, source)
        # Not clip: bounds that are tensors keep their gradients with maximum alone.
        sending = sending + (floor - sending) * (sending < floor)
        current = ((active * active + reactive * reactive) / sending).clip(0.0, limit)
    return current


def _columns(values: tuple[float, ...], rank: int) -> Any:
    return np.array(values).reshape((-1,) + (1,) * (rank - 1))


def numpy_kernel(p: Any, q: Any, voltage: Any, out: Any, attribute: Feeder) -> None:
    """The squared currents into ``out``."""
    axis, parents, limit = attribute.axis, attribute.parents, attribute.limit
    p, q, voltage = (np.moveaxis(array, axis, 0) for array in (p, q, voltage))
    rows = np.array(parents) + 1

    def above(squared: Any, source: Any) -> Any:
        return np.concatenate([np.broadcast_to(source, (1, *squared.shape[1:])), squared])[rows]

    r, x = (_columns(v, p.ndim) for v in (attribute.resistance, attribute.reactance))
    current = _sweeps(
        p,
        q,
        np.square(voltage),
        r,
        x,
        limit,
        lambda array: linear_kernels.downstream_sum(array, parents),
        lambda array: linear_kernels.upstream_sum(array, parents),
        above,
    )
    np.copyto(out, np.moveaxis(current, 0, axis))


def torch_kernel(torch: Any, p: Any, q: Any, voltage: Any, attribute: Feeder) -> Any:
    """The squared currents, differentiable through all sweeps."""
    axis, parents = attribute.axis, attribute.parents
    p, q, voltage = (tensor.movedim(axis, 0) for tensor in (p, q, voltage))
    rows = torch.tensor(parents, device=p.device) + 1

    def above(squared: Any, source: Any) -> Any:
        return torch.cat([source.expand(1, *squared.shape[1:]), squared])[rows]

    def over(kernel: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda tensor: kernel(torch, tensor, parents)

    r, x = (
        torch.as_tensor(_columns(v, p.ndim)).to(p)
        for v in (attribute.resistance, attribute.reactance)
    )
    current = _sweeps(
        p,
        q,
        voltage.square(),
        r,
        x,
        attribute.limit,
        over(linear_kernels.torch_downstream_sum),
        over(linear_kernels.torch_upstream_sum),
        above,
    )
    return current.movedim(0, axis)


NUMPY = {"radial_current": numpy_kernel}
TORCH = {"radial_current": torch_kernel}
