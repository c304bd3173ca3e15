"""Kernels of complex quantities: real arrays with an axis of two parts, real and imaginary.

As in `envs.compiler.kernels`, axes are counted from the end, the batch being the last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

Kernel = Callable[..., Any]

DUALITY_ROUNDS = 6
"""Fixed-point rounds of `least_powers`; each is feasible and below the one before."""
_LOADING = 1e-9
"""Added to the unit diagonal of the scaled Gram matrix: powers stay finite where it is singular."""


def _part(x: Any, axis: int, which: int) -> Any:
    """The real (0) or imaginary (1) part along an axis, as a view without it."""
    return x[(..., which, *(slice(None),) * (-axis - 1))]


def _polar(modulus: Any, angle: Any, out: Any, attribute: int) -> None:
    for which, function in enumerate((np.cos, np.sin)):
        target = _part(out, attribute, which)
        function(angle, out=target)
        np.multiply(target, modulus, out=target)


def _torch_polar(torch: Any, modulus: Any, angle: Any, attribute: int) -> Any:
    pair = [modulus * torch.cos(angle), modulus * torch.sin(angle)]
    return torch.stack(torch.broadcast_tensors(*pair), dim=attribute)


def _times(a: Any, b: Any, out: Any, attribute: int) -> None:
    (ar, ai), (br, bi) = ([_part(x, attribute, w) for w in (0, 1)] for x in (a, b))
    real, imaginary = _part(out, attribute, 0), _part(out, attribute, 1)
    np.multiply(ai, bi, out=imaginary)
    np.multiply(ar, br, out=real)
    np.subtract(real, imaginary, out=real)
    np.multiply(ar, bi, out=imaginary)
    imaginary += ai * br


def _torch_times(torch: Any, a: Any, b: Any, attribute: int) -> Any:
    (ar, ai), (br, bi) = (x.unbind(attribute) for x in (a, b))
    pair = [ar * br - ai * bi, ar * bi + ai * br]
    return torch.stack(torch.broadcast_tensors(*pair), dim=attribute)


def _contract(a: Any, b: Any, out: Any, attribute: tuple[int, tuple[int, ...]]) -> None:
    part, over = attribute
    real, imaginary = _part(out, _kept(part, over), 0), _part(out, _kept(part, over), 1)
    # Without the axis of parts, axes before it are one nearer to the end.
    inner = tuple(axis + 1 if axis < part else axis for axis in over)
    (ar, ai), (br, bi) = ([_part(x, part, w) for w in (0, 1)] for x in (a, b))
    product = _matmul(ar, br, inner) or partial(_sum_of_products, over=inner)
    product(ai, bi, imaginary)
    product(ar, br, real)
    np.subtract(real, imaginary, out=real)
    product(ar, bi, imaginary)
    rest = np.empty_like(imaginary)
    product(ai, br, rest)
    imaginary += rest


def _kept(axis: int, dropped: tuple[int, ...]) -> int:
    """An axis after others are gone."""
    return axis + sum(other > axis for other in dropped)


Product = Callable[[Any, Any, Any], None]


def _matmul(a: Any, b: Any, over: tuple[int, ...]) -> Product | None:
    """A product with a matrix that all scenarios share goes to the linear-algebra library.

    Possible when one operand has a batch of 1 and its other axes are not those of the other.
    """
    if a.shape[-1] != 1 or b.shape[-1] == 1 or a.ndim != b.ndim:
        if b.shape[-1] == 1 and a.shape[-1] != 1 and a.ndim == b.ndim:
            swapped = _matmul(b, a, over)
            return None if swapped is None else lambda x, y, out: swapped(y, x, out)
        return None
    rank = a.ndim
    summed = [axis + rank for axis in over]
    free = [axis for axis in range(rank - 1) if axis not in summed]
    mine = [axis for axis in free if a.shape[axis] > 1]
    if any(b.shape[axis] > 1 for axis in mine) or any(
        a.shape[axis] != b.shape[axis] for axis in summed
    ):
        return None
    others = [axis for axis in free if axis not in mine]
    size = int(np.prod([a.shape[axis] for axis in summed]))
    kept = [*mine, *others, rank - 1]
    places = np.argsort([sorted(kept).index(axis) for axis in kept])

    def product(x: Any, y: Any, out: Any) -> None:
        rows = x.transpose([*mine, *summed, *others, rank - 1]).reshape(-1, size)
        columns = y.transpose([*others, *mine, *summed, rank - 1])
        columns = columns.reshape(-1, size, y.shape[-1])
        result = np.matmul(rows, columns)  # (other, mine, batch)
        shape = [x.shape[axis] for axis in mine]
        wide = [y.shape[axis] for axis in others]
        result = np.moveaxis(result, 0, 1).reshape(*shape, *wide, y.shape[-1])
        np.copyto(out, result.transpose(places))

    return product


def _sum_of_products(x: Any, y: Any, out: Any, over: tuple[int, ...]) -> None:
    """Term by term: the products of all terms together would leave the processor's cache."""
    wide = [np.moveaxis(v, over, range(len(over))) for v in np.broadcast_arrays(x, y)]
    term = np.empty_like(out)
    out[...] = 0.0
    for place in np.ndindex(*wide[0].shape[: len(over)]):
        np.multiply(wide[0][place], wide[1][place], out=term)
        out += term


def _torch_contract(torch: Any, a: Any, b: Any, attribute: tuple[int, tuple[int, ...]]) -> Any:
    part, over = attribute
    return _torch_times(torch, a, b, part).sum(dim=over)


def _least_powers(gram: Any, sinr: Any, limit: Any, out: Any, attribute: Any) -> None:
    matrix = _square(np, gram, attribute)
    diagonal = np.einsum("...kkb->...kb", matrix).real
    scale = 1 / np.sqrt(np.maximum(diagonal, 1e-290))
    size = matrix.shape[-2]
    matrix = matrix * (scale[..., :, None, :] * scale[..., None, :, :])
    each = np.arange(size)
    matrix[..., each, each, :] = 1.0 + _LOADING
    inverse = _inverse(matrix)
    *_, dropped, user = attribute
    # The user's axis comes to stand before the batch.
    target, most = (np.moveaxis(np.squeeze(x, dropped), user, -2) for x in (sinr, limit))
    most = most / scale**2
    power = np.minimum(target * inverse[..., each, each, :].real, most)
    for _ in range(DUALITY_ROUNDS):
        loaded = inverse.copy()
        loaded[..., each, each, :] += power
        own = _inverse(loaded)[..., each, each, :].real
        power = np.minimum(np.maximum(target * (1 / own - power), 0.0), most)
    np.copyto(out, np.moveaxis(power * scale**2, -2, user))


def _square(xp: Any, gram: Any, attribute: Any) -> Any:
    """The complex matrix, rows and columns before the batch: ``(…, row, column, batch)``."""
    part, row, column, *_ = attribute
    rows, columns = row + (row < part), column + (column < part)
    real, imaginary = _part(gram, part, 0), _part(gram, part, 1)
    matrix = real + 1j * imaginary
    return (xp.moveaxis if xp is np else xp.movedim)(matrix, (rows, columns), (-3, -2))


def _inverse(matrix: Any) -> Any:
    """Inverses of positive definite matrices ``(…, row, column, batch)`` by elimination."""
    work = matrix.copy()
    for k in range(work.shape[-2]):
        pivot = 1 / work[..., k, k, :]
        row = work[..., k, :, :] * pivot[..., None, :]
        row[..., k, :] = pivot
        column = work[..., :, k, :].copy()
        column[..., k, :] = 0.0
        work[..., :, k, :] = 0.0
        work -= column[..., :, None, :] * row[..., None, :, :]
        work[..., k, :, :] = row
    return work


def _torch_least_powers(torch: Any, gram: Any, sinr: Any, limit: Any, attribute: Any) -> Any:
    matrix = _square(torch, gram, attribute).movedim(-1, -3)  # (…, batch, row, column)
    diagonal = torch.diagonal(matrix, dim1=-2, dim2=-1).real
    scale = diagonal.clamp_min(1e-290).rsqrt()
    size = matrix.shape[-1]
    identity = torch.eye(size, dtype=diagonal.dtype, device=diagonal.device)
    matrix = matrix * (scale[..., :, None] * scale[..., None, :])
    inverse = torch.linalg.inv(matrix + _LOADING * identity)
    *_, dropped, user = attribute
    target, most = (x.squeeze(dropped).movedim(user, -1) for x in (sinr, limit))
    most = most / scale**2
    power = torch.minimum(target * torch.diagonal(inverse, dim1=-2, dim2=-1).real, most)
    for _ in range(DUALITY_ROUNDS):
        own = torch.linalg.inv(inverse + torch.diag_embed(power).to(inverse.dtype))
        schur = 1 / torch.diagonal(own, dim1=-2, dim2=-1).real
        power = torch.minimum((target * (schur - power)).clamp_min(0.0), most)
    return (power * scale**2).movedim(-1, user)


NUMPY: dict[str, Kernel] = {
    "polar": _polar,
    "complex_times": _times,
    "complex_contract": _contract,
    "least_powers": _least_powers,
}
TORCH: dict[str, Kernel] = {
    "polar": _torch_polar,
    "complex_times": _torch_times,
    "complex_contract": _torch_contract,
    "least_powers": _torch_least_powers,
}
