"""The day of ``offload`` as a linear programme over menus, solved by column generation.

A column of a slot is one way to serve it: edge energy, grams at the users and for lateness,
quality. The programme mixes the columns of each slot, runs the battery and buys from the grid with
full foresight. Its prices of edge energy and of quality ask each slot for its cheapest way; what no
slot can undercut is a lower bound (Dantzig and Wolfe 1960), valid for every policy, because the
battery's terminal price and the price of the quality debt are convex.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Store:
    """Battery and terminal prices in base units (J, W, g/J, g per image)."""

    size_j: float
    power_w: float
    efficiency: float
    start_j: float
    price: float
    quality_price: float
    slot_s: float

    @classmethod
    def of(cls, constants: Mapping[str, Array], slot_s: float) -> Store:
        """From a problem's constants."""
        return cls(
            size_j=float(constants["battery_size"]),
            power_w=float(constants["battery_power_max"]),
            efficiency=float(constants["battery_efficiency"]),
            start_j=float(constants["battery_start"]),
            price=float(constants["battery_price"]),
            quality_price=float(constants["quality_price"]),
            slot_s=slot_s,
        )


@dataclass(frozen=True)
class Columns:
    """Ways to serve slots.

    ``(column, slot)`` arrays of edge energy (J), grams and FID times images above the target.
    """

    edge_j: Array
    direct_g: Array
    fid: Array


@dataclass(frozen=True)
class Plan:
    """The programme's solution.

    Its value, the prices per slot of edge energy and of stored energy (g/J) and that of quality (g
    per FID and image), the mixture, powers (W) and energy (J).
    """

    value_g: float
    energy_price: Array
    stored_price: Array
    quality: float
    slot_value: Array
    weights: Array
    charge_w: Array
    discharge_w: Array
    battery_j: Array


def solve(
    store: Store,
    ci_edge: Array,
    pv_w: Array,
    columns: Columns,
    start_j: float | None = None,
    debt: float = 0.0,
) -> Plan:
    """Mix the columns and run the battery at least cost.

    Args:
        store: Battery and terminal prices.
        ci_edge: Of the grid at the edge, g/J, ``(slot,)``.
        pv_w: PV power, ``(slot,)``.
        columns: The menu.
        start_j: Energy stored at the beginning; what must be restored stays the store's own start.
        debt: Quality owed at the beginning, FID times images.
    """
    count, slots = columns.edge_j.shape
    t = np.arange(slots)
    # Variables: weights (count * slots), grid, charge, discharge, spilled, stored (slots each, J),
    # missing (J), debt.
    first = count * slots
    grid, charge, discharge, spilled, stored = (first + i * slots + t for i in range(5))
    missing, owed = first + 5 * slots, first + 5 * slots + 1
    size = owed + 1
    cost = np.zeros(size)
    cost[:first] = columns.direct_g.ravel()
    cost[grid], cost[missing], cost[owed] = ci_edge, store.price, store.quality_price
    upper = np.full(size, np.inf)
    upper[charge] = upper[discharge] = store.power_w * store.slot_s
    upper[stored] = store.size_j

    balance, state = t, slots + t
    entries: list[tuple[Any, Any, Any]] = [
        (balance, grid, 1.0),
        (balance, charge, -1.0),
        (balance, discharge, 1.0),
        (balance, spilled, -1.0),
        (np.tile(t, count), np.arange(first), -columns.edge_j.ravel()),
        (state, stored, 1.0),
        (state, charge, -store.efficiency),
        (state, discharge, 1 / store.efficiency),
        (state[1:], stored[:-1], -1.0),
        (2 * slots + np.tile(t, count), np.arange(first), 1.0),
    ]
    rows = np.concatenate([np.broadcast_to(r, np.shape(c)) for r, c, _ in entries])
    cols = np.concatenate([c for _, c, _ in entries])
    data = np.concatenate([np.broadcast_to(v, np.shape(c)) for _, c, v in entries])
    equal = coo_array((data, (rows, cols)), shape=(3 * slots, size)).tocsc()
    right = np.concatenate([-pv_w * store.slot_s, np.zeros(slots), np.ones(slots)])
    right[slots] = store.start_j if start_j is None else start_j
    # Quality: what the columns add less what is owed at the end; energy: what is stored at the end
    # and what is missing.
    at_most = coo_array(
        (
            np.concatenate([columns.fid.ravel(), [-1.0, -1.0, -1.0]]),
            (
                np.concatenate([np.zeros(first), [0, 1, 1]]),
                np.concatenate([np.arange(first), [owed, stored[-1], missing]]),
            ),
        ),
        shape=(2, size),
    ).tocsc()
    result: Any = linprog(  # type: ignore[call-overload]  # the stubs know no sparse arrays
        cost,
        A_ub=at_most,
        b_ub=[-debt, -store.start_j],
        A_eq=equal,
        b_eq=right,
        bounds=np.column_stack([np.zeros(size), upper]),
        method="highs",
    )
    if result.status != 0:
        raise RuntimeError(f"the day's programme failed: {result.message}")
    dual, x = result.eqlin.marginals, result.x
    return Plan(
        value_g=float(result.fun),
        energy_price=np.maximum(dual[:slots], 0.0),
        stored_price=-dual[slots : 2 * slots],
        quality=float(-result.ineqlin.marginals[0]),
        slot_value=dual[2 * slots :],
        weights=x[:first].reshape(count, slots),
        charge_w=x[charge] / store.slot_s,
        discharge_w=x[discharge] / store.slot_s,
        battery_j=x[stored],
    )
