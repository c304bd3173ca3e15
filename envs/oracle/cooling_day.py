"""The day of ``cooling`` as a linear programme: when and where the waiting work runs.

What a site's use costs at a moment is replaced by convex pieces below it. Within a class work is
served in order of arrival, so a deadline is a bound on the backlog: none may be older.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

Array = NDArray[np.float64]

MOST_PIECES = 8


@dataclass(frozen=True)
class Pieces:
    """Convex costs over the work that a site takes on, piece after piece.

    Attributes:
        first: Cost of none, ``(moment, site)`` in grams.
        width: Of each piece, in sites, ``(moment, site, piece)``; 0 where there is none.
        slope: Cost of each piece per site, ``(moment, site, piece)``.
    """

    first: Array
    width: Array
    slope: Array


@dataclass(frozen=True)
class Schedule:
    """What the programme found: its value (g), and work by class and by site, ``(moment, ·)``."""

    value_g: float
    served: Array
    placed: Array


def convex_pieces(work: Array, cost: Array) -> Pieces:
    """Pieces of the greatest convex function below points.

    Args:
        work: Where the points are, increasing, ``(moment, site, point)``.
        cost: ``(moment, site, point)``; infinite where a point does not count, never at the ends.
    """
    last = work.shape[-1] - 1
    at = np.zeros(work.shape[:-1], dtype=np.intp)
    width, slope = [], []
    for piece in range(MOST_PIECES):
        here = (np.take_along_axis(x, at[..., None], -1) for x in (work, cost))
        x0, y0 = here
        ahead = np.arange(last + 1) > at[..., None]
        slopes = np.where(ahead, (cost - y0) / np.maximum(work - x0, 1e-12), np.inf)
        # The last of equally steep points; a piece too many ends at the end, still below all.
        following = last - slopes[..., ::-1].argmin(axis=-1)
        least = np.take_along_axis(slopes, following[..., None], -1)[..., 0]
        if piece == MOST_PIECES - 1:
            following = np.full_like(following, last)
        done = at == last
        following = np.where(done, last, following)
        reach = np.take_along_axis(work, following[..., None], -1)[..., 0] - x0[..., 0]
        width.append(np.where(done, 0.0, reach))
        slope.append(np.where(done, 0.0, least))
        at = following
        if (at == last).all():
            break
    return Pieces(cost[..., 0], np.stack(width, -1), np.stack(slope, -1))


def solve(
    pieces: Pieces,
    arrival: Array,
    oldest: Array,
    left_price: float,
    waiting: Array | None = None,
) -> Schedule:
    """Run the day's work at least cost.

    Args:
        pieces: What work costs at each site.
        arrival: Work of each class, in sites, ``(moment, class)``.
        oldest: What may be left after each moment: the work younger than its deadline,
            ``(moment, class)``.
        left_price: Of what is left at the end (g per site and moment).
        waiting: Left from before, ``(class,)``.
    """
    moments, classes = arrival.shape
    sites, count = pieces.width.shape[1:]
    run = sites * count
    t = np.arange(moments)
    # Variables: pieces, then work served and left by class, moment by moment.
    part = np.arange(moments * run).reshape(moments, run)
    served = moments * run + np.arange(moments * classes).reshape(moments, classes)
    left = served + moments * classes
    size = moments * (run + 2 * classes)
    cost = np.zeros(size)
    cost[part] = pieces.slope.reshape(moments, run)
    cost[left[-1]] = left_price
    upper = np.full(size, np.inf)
    upper[part] = pieces.width.reshape(moments, run)
    upper[left] = oldest
    state = moments + np.arange(moments * classes).reshape(moments, classes)
    entries: list[tuple[Any, Any, float]] = [
        (np.repeat(t, run), part.ravel(), 1.0),
        (np.repeat(t, classes), served.ravel(), -1.0),
        (state.ravel(), left.ravel(), 1.0),
        (state.ravel(), served.ravel(), 1.0),
        (state[1:].ravel(), left[:-1].ravel(), -1.0),
    ]
    values = np.concatenate([np.full(len(c), v) for _, c, v in entries])
    rows, columns = (np.concatenate([entry[i] for entry in entries]) for i in (0, 1))
    matrix = coo_array((values, (rows, columns)), shape=(moments * (1 + classes), size)).tocsc()
    right = np.concatenate([np.zeros(moments), arrival.ravel()])
    if waiting is not None:
        right[state[0]] += waiting
    result: Any = linprog(  # type: ignore[call-overload]  # the stubs know no sparse arrays
        cost,
        A_eq=matrix,
        b_eq=right,
        bounds=np.column_stack([np.zeros(size), upper]),
        method="highs",
    )
    if result.status != 0:
        raise RuntimeError(f"the day's programme failed: {result.message}")
    placed = result.x[part].reshape(moments, sites, count).sum(axis=-1)
    return Schedule(
        float(result.fun + pieces.first.sum()), np.asarray(result.x[served]), np.asarray(placed)
    )
