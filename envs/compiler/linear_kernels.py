"""Kernels of linear algebra and trees, for NumPy and torch; called as those of `kernels`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

SMALLEST_PIVOT = 1e-12
"""Relative to the largest entry of the matrix."""
SOLUTION_LIMIT = 1e30

_CACHED_ELEMENTS = 65_536
"""Matrices are solved so many elements at a time: they stay in the processor's cache."""

Parents = tuple[int, ...]


def solve(xp: Any, a: Any, b: Any, attribute: tuple[int, int]) -> Any:
    """Gaussian elimination with row pivoting, on all matrices at once and in either backend.

    What remains shrinks by a row and a column at a time; nothing is written in place, so that torch
    differentiates it.
    """
    row, column = attribute
    a = xp.moveaxis(a, (row, column), (0, 1))
    b = xp.moveaxis(b, (row, column), (0, 1))[:, 0]
    shape = xp.broadcast_shapes(tuple(a.shape[2:]), tuple(b.shape[1:]))
    a = xp.broadcast_to(a, (*a.shape[:2], *shape))
    b = xp.broadcast_to(b, (b.shape[0], *shape))
    least = SMALLEST_PIVOT * _largest(abs(a))
    reduced = []
    for _ in range(len(a)):
        pivot_row = abs(a[:, 0]).argmax(0)
        first_a, first_b = a[0], b[0]
        if (pivot_row != 0).any():
            places = xp.arange(len(a)).reshape((-1,) + (1,) * len(shape))
            chosen = places.to(b.device) == pivot_row if xp is not np else places == pivot_row
            first_a = xp.where(chosen[:, None], a, 0.0).sum(0)
            first_b = xp.where(chosen, b, 0.0).sum(0)
            a, b = xp.where(chosen[:, None], a[:1], a), xp.where(chosen, b[:1], b)
        good = abs(first_a[0]) > least
        inverse = xp.where(good, 1.0, 0.0) / xp.where(good, first_a[0], 1.0)
        reduced.append((first_a[1:], first_b, inverse))
        factor = a[1:, 0] * inverse
        a = a[1:, 1:] - factor[:, None] * first_a[1:]
        b = b[1:] - factor * first_b
    x = b  # of no rows
    for coefficients, right, inverse in reversed(reduced):
        unknown = (right - (coefficients * x).sum(0)) * inverse
        x = xp.concatenate([unknown[None], x])
    # The axis of the rows is gone; an axis before it moves one nearer to the end.
    place = column if column > row else column + 1
    return xp.moveaxis(x.clip(-SOLUTION_LIMIT, SOLUTION_LIMIT), 0, place)


def _largest(x: Any) -> Any:
    return x.reshape(-1, *x.shape[2:]).max(0) if isinstance(x, np.ndarray) else x.amax((0, 1))


def downstream_sum(x: Any, parents: Parents) -> Any:
    """Sum over an element and all below, along the first axis, in place."""
    for child in range(len(parents) - 1, -1, -1):
        if parents[child] >= 0:
            x[parents[child]] += x[child]
    return x


def upstream_sum(x: Any, parents: Parents) -> Any:
    """Sum over an element and all above, along the first axis, in place."""
    for child, parent in enumerate(parents):
        if parent >= 0:
            x[child] += x[parent]
    return x


@lru_cache(maxsize=64)
def below(parents: Parents) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Matrix of a downstream sum: 1 where the column's element is the row's or below it."""
    matrix = np.eye(len(parents))
    downstream_sum(matrix, parents)
    return matrix


def torch_downstream_sum(torch: Any, x: Any, parents: Parents) -> Any:
    """`downstream_sum`, differentiable and not in place."""
    return torch.tensordot(torch.as_tensor(below(parents)).to(x), x, dims=1)


def torch_upstream_sum(torch: Any, x: Any, parents: Parents) -> Any:
    """`upstream_sum`, differentiable and not in place."""
    return torch.tensordot(torch.as_tensor(below(parents).T.copy()).to(x), x, dims=1)


def _numpy_solve(a: Any, b: Any, out: Any, attribute: tuple[int, int]) -> None:
    batch = out.shape[-1]
    piece = max(1, _CACHED_ELEMENTS * a.shape[-1] // a.size)
    for start in range(0, batch, piece):
        part = slice(start, start + piece)
        np.copyto(out[..., part], solve(np, _columns(a, part), _columns(b, part), attribute))


def _columns(array: Any, part: slice) -> Any:
    """Some of the batch; what is the same for all of it stays as it is."""
    return array if array.shape[-1] == 1 else array[..., part]


def _numpy_downstream(x: Any, out: Any, attribute: tuple[int, Parents]) -> None:
    np.copyto(out, x)
    downstream_sum(np.moveaxis(out, attribute[0], 0), attribute[1])


def _numpy_upstream(x: Any, out: Any, attribute: tuple[int, Parents]) -> None:
    np.copyto(out, x)
    upstream_sum(np.moveaxis(out, attribute[0], 0), attribute[1])


def _torch_along(kernel: Any) -> Any:
    def along(torch: Any, x: Any, attribute: tuple[int, Parents]) -> Any:
        axis, parents = attribute
        return kernel(torch, x.movedim(axis, 0), parents).movedim(0, axis)

    return along


NUMPY = {
    "solve": _numpy_solve,
    "downstream_sum": _numpy_downstream,
    "upstream_sum": _numpy_upstream,
}
TORCH = {
    "solve": solve,
    "downstream_sum": _torch_along(torch_downstream_sum),
    "upstream_sum": _torch_along(torch_upstream_sum),
}
