"""What each operation computes, in NumPy (into a given array) and torch (differentiably).

One table for each backend with the same keys: a NumPy kernel is called as ``kernel(*arrays,
out=out, attribute=attribute)``, a torch kernel as ``kernel(torch, *tensors, attribute=attribute)``.
Torch is handed in, never imported here. ``attribute`` is an axis, counted from the end so that
leading time axes do not matter, or whatever the operation needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from envs.compiler import complex_kernels, linear_kernels, radial

Kernel = Callable[..., Any]


def _ufunc(function: Kernel) -> Kernel:
    def kernel(*arrays: Any, out: Any, attribute: Any = None) -> None:
        function(*arrays, out=out)

    return kernel


UFUNCS: dict[str, Kernel] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "mod": np.mod,
    "negate": np.negative,
    "abs": np.abs,
    "square": np.square,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sign": np.sign,
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "hypot": np.hypot,
    "atan2": np.arctan2,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
}
"""The operations that are one NumPy ufunc."""


def _number(x: Any, out: Any, attribute: Any = None) -> None:
    np.copyto(out, x)


def _where(condition: Any, a: Any, b: Any, out: Any, attribute: Any = None) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=condition)


def _reduce(function: Kernel) -> Kernel:
    def kernel(x: Any, out: Any, attribute: int) -> None:
        function(x, axis=attribute, out=out)

    return kernel


def _cumsum(x: Any, out: Any, attribute: int) -> None:
    np.cumsum(x, axis=attribute, out=out)


def _argmin(x: Any, out: Any, attribute: int) -> None:
    np.copyto(out, np.argmin(x, axis=attribute))


def _argmax(x: Any, out: Any, attribute: int) -> None:
    np.copyto(out, np.argmax(x, axis=attribute))


def _element(x: Any, out: Any, attribute: tuple[int, int]) -> None:
    axis, position = attribute
    out[...] = x[(..., position, *(slice(None),) * (-axis - 1))]


def _shift(x: Any, out: Any, attribute: tuple[int, int]) -> None:
    axis, places = attribute
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
    target[...] = 0.0
    if places >= 0:
        target[places:] = source[: max(len(source) - places, 0)]
    else:
        target[:places] = source[-places:]


def _take(x: Any, position: Any, out: Any, attribute: int) -> None:
    np.copyto(out, _taken(np, x, position, attribute))


def _taken(xp: Any, x: Any, position: Any, axis: int) -> Any:
    """Gather along an axis of ``x``; ``position`` has length 1 there."""
    size = x.shape[axis]
    whole = position.round() if xp is not np else np.rint(position)
    bounded = whole.clip(0, size - 1)
    shape = list(
        xp.broadcast_shapes(tuple(_without(x.shape, axis)), tuple(_without(position.shape, axis)))
    )
    shape.insert(len(shape) + 1 + axis, 0)
    wide_x, wide_position = list(shape), list(shape)
    wide_x[axis], wide_position[axis] = size, 1
    if xp is np:
        indices = np.broadcast_to(bounded, wide_position).astype(np.intp)
        return np.take_along_axis(np.broadcast_to(x, wide_x), indices, axis=axis).squeeze(axis)
    indices = bounded.broadcast_to(wide_position).to(xp.int64)
    return xp.take_along_dim(x.broadcast_to(wide_x), indices, dim=axis).squeeze(axis)


def _without(shape: Any, axis: int) -> list[int]:
    items = list(shape)
    del items[axis]
    return items


def _one_hot(position: Any, out: Any, attribute: tuple[int, int]) -> None:
    axis, size = attribute
    places = np.arange(size).reshape((size,) + (1,) * (-axis - 1))
    np.copyto(out, np.rint(np.expand_dims(position, axis)).clip(0, size - 1) == places)


def _contract(a: Any, b: Any, out: Any, attribute: int) -> None:
    np.sum(a * b, axis=attribute, out=out)


def _transpose(x: Any, out: Any, attribute: tuple[int, ...]) -> None:
    np.copyto(out, np.transpose(x, _permutation(x.ndim, attribute)))


def _permutation(rank: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    """Permute the last axes as told, keep those in front."""
    lead = rank - len(axes)
    return (*range(lead), *(lead + axis for axis in axes))


def _interp(x: Any, out: Any, attribute: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    np.copyto(out, np.interp(x, *attribute))


NUMPY: dict[str, Kernel] = {
    **{name: _ufunc(function) for name, function in UFUNCS.items()},
    "number": _number,
    "where": _where,
    "sum": _reduce(np.add.reduce),
    "prod": _reduce(np.multiply.reduce),
    "min_over": _reduce(np.minimum.reduce),
    "max_over": _reduce(np.maximum.reduce),
    "cumsum": _cumsum,
    "argmin": _argmin,
    "argmax": _argmax,
    "element": _element,
    "shift": _shift,
    "take": _take,
    "one_hot": _one_hot,
    "contract": _contract,
    "transpose": _transpose,
    "interp": _interp,
}


def _torch_unary(name: str) -> Kernel:
    return lambda torch, x, attribute=None: getattr(torch, name)(x)


def _torch_binary(name: str) -> Kernel:
    return lambda torch, a, b, attribute=None: getattr(torch, name)(a, b)


def _straight_through(name: str) -> Kernel:
    # The declared gradient of rounding is 1: optimisers then see the slope of what is rounded.
    return lambda torch, x, attribute=None: x + (getattr(torch, name)(x) - x).detach()


def _torch_sqrt(torch: Any, x: Any, attribute: Any = None) -> Any:
    # Its slope at 0 is infinite, and times a slope of 0 no number; here it is 0.
    zero = x == 0
    return torch.where(zero, 0.0, torch.where(zero, 1.0, x).sqrt())


def _of_a_vector(name: str) -> Kernel:
    # Both are 0 at the origin, where torch's gradient is no number; here it is 0.
    def kernel(torch: Any, a: Any, b: Any, attribute: Any = None) -> Any:
        origin = (a == 0) & (b == 0)
        value = getattr(torch, name)(a, torch.where(origin, 1.0, b))
        return torch.where(origin, 0.0, value)

    return kernel


def _torch_shift(torch: Any, x: Any, attribute: tuple[int, int]) -> Any:
    axis, places = attribute
    size = x.shape[axis]
    places = max(-size, min(size, places))
    zeros = torch.zeros_like(x.narrow(axis, 0, abs(places)))
    if places >= 0:
        return torch.cat([zeros, x.narrow(axis, 0, size - places)], dim=axis)
    return torch.cat([x.narrow(axis, -places, size + places), zeros], dim=axis)


def _torch_one_hot(torch: Any, position: Any, attribute: tuple[int, int]) -> Any:
    axis, size = attribute
    places = torch.arange(size, device=position.device).reshape((size,) + (1,) * (-axis - 1))
    return (position.round().clip(0, size - 1).unsqueeze(axis) == places).to(position.dtype)


def _torch_interp(
    torch: Any, x: Any, attribute: tuple[tuple[float, ...], tuple[float, ...]]
) -> Any:
    xs, ys = (torch.as_tensor(table, dtype=x.dtype, device=x.device) for table in attribute)
    right = torch.searchsorted(xs, x.detach().contiguous()).clip(1, len(xs) - 1)
    slope = (ys[right] - ys[right - 1]) / (xs[right] - xs[right - 1])
    return ys[right - 1] + slope * (x.clip(xs[0], xs[-1]) - xs[right - 1])


TORCH: dict[str, Kernel] = {
    **{
        op: _torch_unary(name)
        for op, name in {
            "negate": "neg",
            "abs": "abs",
            "square": "square",
            "exp": "exp",
            "expm1": "expm1",
            "log": "log",
            "log2": "log2",
            "log10": "log10",
            "log1p": "log1p",
            "sin": "sin",
            "cos": "cos",
            "tanh": "tanh",
            "sign": "sign",
            "not": "logical_not",
        }.items()
    },
    **{
        op: _torch_binary(name)
        for op, name in {
            "add": "add",
            "subtract": "sub",
            "multiply": "mul",
            "divide": "div",
            "power": "pow",
            "mod": "remainder",
            "minimum": "minimum",
            "maximum": "maximum",
            "less": "lt",
            "less_equal": "le",
            "greater": "gt",
            "greater_equal": "ge",
            "equal": "eq",
            "not_equal": "ne",
            "and": "logical_and",
            "or": "logical_or",
        }.items()
    },
    "sqrt": _torch_sqrt,
    "hypot": _of_a_vector("hypot"),
    "atan2": _of_a_vector("atan2"),
    "round": _straight_through("round"),
    "floor": _straight_through("floor"),
    "ceil": _straight_through("ceil"),
    "number": lambda torch, x, attribute=None: x * torch.ones((), dtype=torch.get_default_dtype()),
    "where": lambda torch, c, a, b, attribute=None: torch.where(c, a, b),
    "sum": lambda torch, x, attribute: x.sum(dim=attribute),
    "prod": lambda torch, x, attribute: x.prod(dim=attribute),
    "min_over": lambda torch, x, attribute: x.amin(dim=attribute),
    "max_over": lambda torch, x, attribute: x.amax(dim=attribute),
    "cumsum": lambda torch, x, attribute: x.cumsum(dim=attribute),
    "argmin": lambda torch, x, attribute: x.argmin(dim=attribute).to(x.dtype),
    "argmax": lambda torch, x, attribute: x.argmax(dim=attribute).to(x.dtype),
    "element": lambda torch, x, attribute: x.select(*attribute),
    "shift": _torch_shift,
    "take": lambda torch, x, i, attribute: _taken(torch, x, i, attribute),
    "one_hot": _torch_one_hot,
    "contract": lambda torch, a, b, attribute: (a * b).sum(dim=attribute),
    "transpose": lambda torch, x, attribute: x.permute(_permutation(x.ndim, attribute)),
    "interp": _torch_interp,
}

for _module in (complex_kernels, linear_kernels, radial):
    NUMPY |= _module.NUMPY
    TORCH |= _module.TORCH
