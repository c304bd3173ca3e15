"""Bandwidth shares of ``offload``: a price on bandwidth parts the users of a slot.

At a price mu per hertz each user takes the bandwidth that is best for it alone; the price at which
the users together take the whole band gives the shares, and the sum of their costs less the band's
worth is a lower bound for any shares (Lagrange).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.oracle.offload_slot import Cell, Choice, Demand, best_choice

Array = NDArray[np.float64]


def tried(cell: Cell, users: int, count: int) -> Array:
    """Bandwidths to try, from the least to the largest reachable share.

    Equally spaced in the logarithm.
    """
    low, high = cell.share_bounds(users)
    return cell.band * np.geomspace(low, high, count)


def part(band: float, bandwidths: Array, cost: Array, rounds: int = 40) -> tuple[Array, Array]:
    """Find the price of bandwidth at which the band is used up.

    Args:
        band: Hz to part.
        bandwidths: Those tried, ``(bandwidth,)``, increasing.
        cost: Of each, ``(slot, user, bandwidth)``, never rising.
        rounds: Halvings of the price's logarithm.

    Returns:
        The price ``(slot, 1)`` and the taken bandwidths ``(slot, user)``, which fill the band at
        most.
    """
    low = np.zeros((len(cost), 1))
    high = np.full_like(low, 1e-12) + (cost[..., 0] - cost[..., -1]).max(axis=1, keepdims=True) / (
        bandwidths[1] - bandwidths[0]
    )
    for _ in range(rounds):
        mu = np.where(low > 0, np.sqrt(np.maximum(low, 1e-300) * high), high * 1e-6)
        taken = bandwidths[(cost + mu[..., None] * bandwidths).argmin(axis=-1)]
        over = taken.sum(axis=1, keepdims=True) > band
        low, high = np.where(over, mu, low), np.where(over, high, mu)
    return high, bandwidths[(cost + high[..., None] * bandwidths).argmin(axis=-1)]


def shares(cell: Cell, bandwidths: Array, cost: Array, floor: float) -> Array:
    """Bandwidth of each user ``(slot, user)`` that fills the band.

    Smooth between the bandwidths tried.
    """
    fine = np.geomspace(bandwidths[0], bandwidths[-1], 8 * len(bandwidths))
    x, place = np.log(bandwidths), np.log(fine)
    right = np.clip(np.searchsorted(x, place), 1, len(x) - 1)
    weight = (place - x[right - 1]) / (x[right] - x[right - 1])
    smooth = cost[..., right - 1] * (1 - weight) + cost[..., right] * weight
    _, taken = part(cell.band, fine, smooth)
    spare = cell.band - taken.sum(axis=1, keepdims=True)
    worth = np.where(cost[..., 0] - cost[..., -1] > 0, taken, floor)
    return np.asarray(taken + spare * worth / worth.sum(axis=1, keepdims=True))


def serve(cell: Cell, demand: Demand, price: Array, quality: float, count: int = 12) -> Choice:
    """A near-best way to serve every slot at the given prices; arrays ``(slot, user)``."""
    slots, users = demand.gain.shape
    bandwidths = tried(cell, users, count)
    wide = np.broadcast_to(bandwidths, (slots, users, count))
    cost = best_choice(cell, demand, wide, price, quality).cost
    taken = shares(cell, bandwidths, cost, floor=bandwidths[0])
    found = best_choice(cell, demand, taken[..., None], price, quality)
    return Choice(**{n: getattr(found, n)[..., 0] for n in Choice.__dataclass_fields__})


def lower_bound(cell: Cell, demand: Demand, price: Array, quality: float, count: int = 48) -> Array:
    """What no choice of any shares can undercut at the given prices, ``(slot,)``.

    Cost never rises with bandwidth, so that in a cell of bandwidths it is at least that of the
    upper end, while the bandwidth paid for is at least the lower end.
    """
    slots, users = demand.gain.shape
    bandwidths = tried(cell, users, count)
    wide = np.broadcast_to(bandwidths, (slots, users, count))
    cost = best_choice(cell, demand, wide, price, quality).cost
    mu, _ = part(cell.band, bandwidths, cost)
    cells = cost[..., 1:] + mu[..., None] * bandwidths[:-1]
    return np.asarray(cells.min(axis=-1).sum(axis=1) - mu[:, 0] * cell.band)
