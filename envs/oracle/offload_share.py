"""Bandwidth shares of ``offload``: the band is parted in units, best by dynamic programming.

The costs of the users of a slot add up and depend on each other through the band alone, so that the
best parting of a band into units is found exactly, user by user.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.oracle.offload_slot import Cell, Choice, Demand, best_choice

Array = NDArray[np.float64]
Units = NDArray[np.intp]

SLOTS_AT_ONCE = 4
"""Few enough for the processor's cache, which makes the tables four times as fast."""


def serve(cell: Cell, demand: Demand, price: Array, quality: Array | float, units: int) -> Choice:
    """The cheapest way to serve every slot at given prices, with shares in whole units.

    Args:
        cell: The constants.
        demand: The slots.
        price: Of edge energy in g/J, ``(slot, 1)``.
        quality: Of FID in g per unit and image, one for all or ``(slot, 1)``.
        units: Into how many the band is parted; each user has one at least.

    Returns:
        Arrays ``(slot, user)``.
    """
    _, taken = allot(_table(cell, demand, price, quality, units), units)
    bandwidth = taken.astype(np.float64) * (cell.band / units)
    found = best_choice(cell, demand, bandwidth[..., None], price, quality)
    return Choice(**{n: getattr(found, n)[..., 0] for n in Choice.__dataclass_fields__})


def lower_bound(cell: Cell, demand: Demand, price: Array, quality: float, units: int) -> Array:
    """What no choice of any shares can undercut at the given prices, ``(slot,)``.

    Round each share up to whole units: the cost does not rise, and together the users then have
    less than one unit each more than the band, one user less than one: all but one unit of a whole.
    """
    users = demand.gain.shape[1]
    value, _ = allot(_table(cell, demand, price, quality, units), units + users - 1)
    return value


def allot(cost: Array, total: int) -> tuple[Array, Units]:
    """Part so many units among users at least cost, one at least to each.

    Args:
        cost: Of having 1, 2, … units, ``(slot, user, units)``, never rising.
        total: Units to part.

    Returns:
        The cost ``(slot,)`` and the units of each user ``(slot, user)``.
    """
    slots, users, most = cost.shape
    best = np.full((slots, total + 1), np.inf)
    best[:, 1 : most + 1] = cost[:, 0, :total]
    given: list[Units] = []
    for user in range(1, users):
        following = np.full_like(best, np.inf)
        mine = np.zeros(best.shape, dtype=np.intp)
        for own in range(1, most + 1):
            candidate = best[:, : total + 1 - own] + cost[:, user, own - 1, None]
            better = candidate < following[:, own:]
            np.copyto(following[:, own:], candidate, where=better)
            np.copyto(mine[:, own:], own, where=better)
        best = following
        given.append(mine)
    slot, left = np.arange(slots), np.full(slots, total)
    taken = np.empty((slots, users), dtype=np.intp)
    for user in range(users - 1, 0, -1):
        taken[:, user] = given[user - 1][slot, left]
        left = left - taken[:, user]
    taken[:, 0] = left
    return best[:, total], taken


def _table(cell: Cell, demand: Demand, price: Array, quality: Array | float, units: int) -> Array:
    """Cost of 1, 2, … units of bandwidth, ``(slot, user, units)``."""
    slots, users = demand.gain.shape
    bandwidth = np.arange(1, units + 1) * (cell.band / units)
    quality = np.broadcast_to(quality, (slots, 1))
    parts = []
    for start in range(0, slots, SLOTS_AT_ONCE):
        some = slice(start, start + SLOTS_AT_ONCE)
        wide = np.broadcast_to(bandwidth, (len(demand.gain[some]), users, units))
        parts.append(best_choice(cell, demand.some(some), wide, price[some], quality[some]).cost)
    return np.concatenate(parts)
