"""The optimum of ``irs`` within a stated gap: search from many sites, then branch and bound.

Every façade is searched from a grid of places by steps that halve; the best point found is the
incumbent. Boxes of (place, turn, elements, power) whose bound comes within the gap are dropped, the
others are halved along one axis after another. Building nothing is a problem in power alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.irs_street import ELEMENTS, PLACE, POWER, TURN, Array, Street, streets
from envs.oracle.realise import realise

if TYPE_CHECKING:
    from envs.problem import Problem

GAP = 0.02
"""Boxes whose bound is within this share of the best value are split no further."""
LEVELS = 48
GRID = (15, 8, 4, 4)
"""Boxes along each axis to begin with, on each façade."""
STARTS = (24, 5)
"""Places to search from, and how many of the best are searched to the end, on each façade."""
POWERS = 2000
"""Intervals of the power without a surface."""
TOGETHER = 4
"""Streets at a time."""
MOST_BOXES = 40_000
"""Of a street at a time: beyond, its bound is what has been proven so far."""


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective, in grams."""
    street = streets(problem, split, scenarios)
    plans = {plan.name: plan for plan in problem.compiled(split).decisions}
    low = np.array([plans[n].low for n in ("place", "turn")] + [0.0, np.log(plans["power"].low)])
    high = np.array([plans[n].high for n in ("place", "turn", "elements", "power")])
    low[ELEMENTS], high[2:] = np.log(problem.constants["smallest"]), np.log(high[2:])
    points, norths, bounds = [], [], []
    for start in range(0, len(scenarios), TOGETHER):
        some = street.rows(np.arange(start, min(start + TOGETHER, len(scenarios))))
        point, north, value = search(some, low, high)
        bare, power, floor = without_surface(some, low[POWER], high[POWER])
        best = np.minimum(value, bare)
        bounds.append(np.minimum(prove(some, low, high, best, point, north), floor))
        none = bare <= best
        point[POWER] = np.where(none, power, point[POWER])
        point[ELEMENTS] = np.where(none, np.log(plans["elements"].low), point[ELEMENTS])
        points.append(point)
        norths.append(north)
    found = np.concatenate(points, axis=1)
    plan = {
        "place": found[PLACE],
        "side": np.concatenate(norths).astype(np.float64),
        "turn": found[TURN],
        "elements": np.exp(found[ELEMENTS]),
        "power": np.exp(found[POWER]),
    }
    attained = realise(problem, split, scenarios, {n: v[None] for n, v in plan.items()})
    return {"certified": np.minimum(np.concatenate(bounds), attained), "best_known": attained}


def without_surface(street: Street, low: float, high: float) -> tuple[Array, Array, Array]:
    """Least J without a surface, the logarithm of its power, and a bound from power's intervals."""
    count = len(street.values["ci"])
    best, point = np.full(count, np.inf), np.full(count, low)
    bound = np.full(count, np.inf)
    none, nothing = np.zeros((count, 2)), np.zeros(count)
    edges = np.linspace(low, high, POWERS + 1)
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        power = np.full(count, np.exp(left)), np.full(count, np.exp(right))
        value = street.cost(power[0], power[0], none, nothing, nothing)
        point = np.where(value < best, left, point)
        best = np.minimum(best, value)
        bound = np.minimum(bound, street.cost(*power, none, nothing, nothing))
    return best, point, bound


def search(
    street: Street, low: Array, high: Array, facades: Sequence[float] = (0.0, 1.0)
) -> tuple[Array, NDArray[np.bool_], Array]:
    """Best points ``(4, street)``, whether on the north façade, and their J."""
    count = len(street.values["ci"])
    places = np.linspace(low[PLACE], high[PLACE], STARTS[0])
    grid = np.meshgrid(
        places,
        np.linspace(low[TURN], high[TURN], 17),
        np.log([32, 128, 512, 2048]),
        np.log([0.2, 1.0, 6.3]),
        facades,
        indexing="ij",
    )
    tried = np.stack([axis.ravel() for axis in grid])
    tried[:4] = np.clip(tried[:4], low[:, None], high[:, None])
    rows = np.repeat(np.arange(count), tried.shape[1])
    points = np.tile(tried, count)
    value = street.rows(rows).bound(points[:4], points[:4], points[4] > 0.5)
    shape = (count, len(places), -1, len(facades))
    # The best of each place and façade, then the best places.
    value, at = value.reshape(shape), np.arange(len(rows)).reshape(shape)
    inner = value.argmin(axis=2)[:, :, None]
    value = np.take_along_axis(value, inner, axis=2)[:, :, 0]
    at = np.take_along_axis(at, inner, axis=2)[:, :, 0]
    order = value.argsort(axis=1)[:, : STARTS[1]]
    chosen = np.take_along_axis(at, order, axis=1).ravel()
    point, north, rows = points[:4, chosen], points[4, chosen] > 0.5, rows[chosen]
    point, found = _pattern(street.rows(rows), point, north, low, high)
    found = found.reshape(count, -1)
    best = found.argmin(axis=1) + np.arange(count) * found.shape[1]
    return point[:, best], north[best], found.min(axis=1)


def _pattern(
    street: Street, point: Array, north: NDArray[np.bool_], low: Array, high: Array
) -> tuple[Array, Array]:
    """Pattern search: a step along an axis or a pair of axes, halved where none helps."""
    step = np.repeat(((high - low) / [24, 16, 8, 8])[:, None], point.shape[1], axis=1)
    value = street.bound(point, point, north)
    moves = [sign * np.eye(4)[a] for a in range(4) for sign in (-1, 1)]
    moves += [
        np.eye(4)[a] * s + np.eye(4)[b] * r
        for a, b in ((PLACE, TURN), (ELEMENTS, POWER), (TURN, POWER))
        for s in (-1, 1)
        for r in (-1, 1)
    ]
    for _ in range(60):
        improved = np.zeros(len(value), dtype=bool)
        for move in moves:
            tried = np.clip(point + move[:, None] * step, low[:, None], high[:, None])
            there = street.bound(tried, tried, north)
            better = there < value
            point, value = np.where(better, tried, point), np.where(better, there, value)
            improved |= better
        step = np.where(improved, step, step / 2)
    return point, value


def prove(
    street: Street,
    low: Array,
    high: Array,
    best: Array,
    point: Array,
    north: NDArray[np.bool_],
) -> Array:
    """What no surface undercuts; improves the incumbent where the middle of a box is better.

    Args:
        street: Some streets.
        low: Least place, turn and logarithms of elements and power.
        high: The greatest.
        best: J of the incumbents ``(street,)``; improved in place.
        point: The incumbents ``(4, street)``; improved in place.
        north: Whether they are on the north façade; improved in place.

    Returns:
        A bound ``(street,)``: ``best`` less the gap where the proof was completed.
    """
    count = len(best)
    edges = [np.linspace(a, b, n + 1) for a, b, n in zip(low, high, GRID, strict=True)]
    index = np.meshgrid(*(np.arange(n) for n in GRID), (0, 1), indexing="ij")
    corners = [
        [edge[i.ravel() + end] for edge, i in zip(edges, index, strict=False)] for end in (0, 1)
    ]
    boxes = np.tile(np.array(corners), count)
    side = np.tile(index[4].ravel() > 0, count)
    rows = np.repeat(np.arange(count), len(index[4].ravel()))
    bound = np.full(count, np.inf)
    for level in range(LEVELS):
        lower = street.rows(rows).bound(boxes[0], boxes[1], side)
        if level % 4 == 1:
            incumbent = best, point, north
            _improve(street, rows, boxes.mean(axis=0), side, low, high, *incumbent)
        settled = lower >= best[rows] * (1 - GAP)
        np.minimum.at(bound, rows[settled], lower[settled])
        rows, boxes, side = rows[~settled], boxes[..., ~settled], side[~settled]
        crowded = np.bincount(rows, minlength=count)[rows] > MOST_BOXES
        if crowded.any():
            np.minimum.at(bound, rows[crowded], lower[~settled][crowded])
            rows, boxes, side = rows[~crowded], boxes[..., ~crowded], side[~crowded]
        if not len(rows):
            break
        axis = level % 4
        middle = boxes[:, axis].mean(axis=0)
        left, right = boxes.copy(), boxes
        left[1, axis], right[0, axis] = middle, middle
        boxes = np.concatenate([left, right], axis=2)
        rows, side = np.tile(rows, 2), np.tile(side, 2)
    np.minimum.at(bound, rows, street.rows(rows).bound(boxes[0], boxes[1], side))
    return np.asarray(np.minimum(bound, best))


def _improve(
    street: Street,
    rows: NDArray[np.int64],
    middle: Array,
    side: NDArray[np.bool_],
    low: Array,
    high: Array,
    best: Array,
    point: Array,
    north: NDArray[np.bool_],
) -> None:
    value = street.rows(rows).bound(middle, middle, side)
    for row in np.unique(rows[value < best[rows]]):
        mine = np.flatnonzero(rows == row)
        first = mine[value[mine].argmin()][None]
        found, lowest = _pattern(street.rows(rows[first]), middle[:, first], side[first], low, high)
        best[row], point[:, row], north[row] = lowest[0], found[:, 0], side[first[0]]
