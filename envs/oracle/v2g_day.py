"""The day of ``v2g`` as a linear programme, a lower bound of every policy.

Sessions, battery, routing and sources are linear. A line's loss is convex in its load and stands
above its tangents. On a line that the grid and the microgrid share, the product of their flows is
left out where it would cost the difference of their intensities. Exports lose nothing. Each of
these only lowers the programme's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.oracle.programme import Indices, Programme

Array = NDArray[np.float64]

KWH, KW = 3.6e6, 1e3
TANGENTS_KW = (5.0, 14.0, 24.0, 36.0, 50.0, 70.0)
"""Loads at which a line's loss is touched."""


@dataclass(frozen=True)
class Store:
    """A store: kWh, kW, efficiency each way."""

    size: float
    power: float
    efficiency: float


@dataclass(frozen=True)
class Site:
    """The problem's constants in kW, kWh and grams; prices per kWh, of overload per kW and hour.

    ``uses`` is ``(line, path)``, ``of_micro`` (path); ``loss`` is what a line loses in kW at 1 kW.
    """

    vehicle: Store
    taper_share: float
    wear: float
    undelivered: float
    battery: Store
    battery_start: float
    battery_price: float
    micro_max: float
    credit_share: float
    uses: Array
    of_micro: Array
    loss: Array
    line_limit: Array
    overload: float

    @classmethod
    def of(cls, given: Mapping[str, Array], penalties: Mapping[str, float], hours: float) -> Site:
        """From a problem's constants and its penalties, with steps of so many hours."""

        def store(name: str) -> Store:
            size, power = float(given[f"{name}_size"]) / KWH, float(given[f"{name}_power"]) / KW
            return Store(size, power, float(given[f"{name}_efficiency"]))

        return cls(
            vehicle=store("vehicle"),
            taper_share=float(given["taper_share"]),
            wear=float(given["wear"]) * KWH,
            undelivered=penalties["undelivered"],
            battery=store("battery"),
            battery_start=float(given["battery_start"]) / KWH,
            battery_price=float(given["battery_price"]) * KWH,
            micro_max=float(given["micro_max"]) / KW,
            credit_share=float(given["credit_share"]),
            uses=given["uses"],
            of_micro=given["of_micro"],
            loss=given["resistance"] / given["bus_voltage"] ** 2 * KW,
            line_limit=given["line_limit"] / KW,
            overload=penalties["ampacity"] / hours,
        )


@dataclass(frozen=True)
class Sessions:
    """Cars that are or will be there, ``(plug,)`` each.

    They stay from step ``first`` to before ``last``; nobody comes where that is no step. kWh.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    start: Array
    target: Array
    floor: Array


@dataclass(frozen=True)
class Day:
    """What is known of each step: its hours, intensities in g/kWh, powers in kW."""

    hours: Array
    ci: Array
    ci_micro: Array
    pv: Array
    base: Array


@dataclass(frozen=True)
class Plan:
    """Least cost in grams; kW: chargers ``(step, plug)``, battery, flow by path, exports."""

    value_g: float
    charger: Array
    command: Array
    flow: Array
    sold: Array


def solve(
    site: Site, day: Day, sessions: Sessions, battery: float | None = None, lend: bool = True
) -> Plan:
    """Run everything at least cost.

    Args:
        site: Constants.
        day: The steps ahead.
        sessions: In steps of that day.
        battery: Stored at the beginning, kWh; by default what must be restored at the end.
        lend: Whether vehicles may.
    """
    steps, programme = len(day.hours), Programme()
    balance = programme.equal.new(day.base - day.pv, steps)

    vehicles: list[tuple[int, Indices, Indices, Indices]] = []
    for plug, (first, last) in enumerate(zip(sessions.first, sessions.last, strict=True)):
        span = np.arange(first, min(last, steps))
        if len(span):
            given, taken = _vehicle(programme, site, day, sessions, plug, span, lend)
            programme.equal.add(balance[span], given, -1.0)
            programme.equal.add(balance[span], taken, 1.0)
            vehicles.append((plug, span, given, taken))

    given, taken = _battery(programme, site, day, battery)
    programme.equal.add(balance, given, -1.0)
    programme.equal.add(balance, taken, 1.0)

    price = np.where(site.of_micro[:, None] > 0, day.ci_micro, day.ci) * day.hours
    flow = np.array([programme.variables(steps, cost=row) for row in price])
    credit = site.credit_share * np.minimum(day.ci, day.ci_micro) * day.hours
    sold = programme.variables(steps, cost=-credit)
    programme.equal.add(balance, sold, -1.0)
    limit = programme.at_most.new(site.micro_max, steps)
    for path, of_micro in zip(flow, site.of_micro, strict=True):
        programme.equal.add(balance, path, 1.0)
        programme.at_most.add(limit, path, of_micro)
    _lines(programme, site, day, flow)

    value, x = programme.solve()
    charger = np.zeros((steps, len(sessions.first)))
    for plug, span, charge, discharge in vehicles:
        charger[span, plug] = x[charge] - x[discharge]
    return Plan(value, charger, x[given] - x[taken], np.asarray(x[flow].T), x[sold])


def _vehicle(
    programme: Programme,
    site: Site,
    day: Day,
    sessions: Sessions,
    plug: int,
    span: Indices,
    lend: bool,
) -> tuple[Indices, Indices]:
    """A session: power into the car, and out of it."""
    store, hours, steps = site.vehicle, day.hours[span], len(span)
    start, target = sessions.start[plug], sessions.target[plug]
    stored = programme.variables(steps, low=min(sessions.floor[plug], start), high=target)
    charge = programme.variables(steps, high=store.power)
    discharge = programme.variables(
        steps, cost=site.wear * hours, high=store.power if lend else 0.0
    )
    programme.store(stored, (charge, discharge), start, store.efficiency, hours)
    # Beyond this the charger holds the voltage and power falls with what is missing: at a step's
    # beginning, as in the problem, and for the longer steps of a forecast cautiously at its end.
    slope = store.power / (site.taper_share * store.size)
    if target > (1 - site.taper_share) * store.size:
        long = hours > 1.5 * day.hours[0]
        right = np.full(steps, slope * store.size)
        if not long[0]:
            right[0] -= slope * start
        rows = programme.at_most.new(right, steps)
        programme.at_most.add(rows, charge)
        programme.at_most.add(rows[long], stored[long], slope)
        programme.at_most.add(rows[1:][~long[1:]], stored[:-1][~long[1:]], slope)
    if sessions.last[plug] <= len(day.hours):
        programme.reach(stored[-1:], target, site.undelivered)
    return charge, discharge


def _battery(
    programme: Programme, site: Site, day: Day, start: float | None
) -> tuple[Indices, Indices]:
    """The battery: power into it, and out of it."""
    store, steps = site.battery, len(day.hours)
    stored = programme.variables(steps, high=store.size)
    charge = programme.variables(steps, high=store.power)
    discharge = programme.variables(steps, cost=site.wear * day.hours, high=store.power)
    start = site.battery_start if start is None else start
    programme.store(stored, (charge, discharge), start, store.efficiency, day.hours)
    programme.reach(stored[-1:], site.battery_start, site.battery_price)
    return charge, discharge


def _lines(programme: Programme, site: Site, day: Day, flow: Indices) -> None:
    """Losses and overload of each line; flow is ``(path, step)``."""
    steps = len(day.hours)
    for line, paths in enumerate(site.uses > 0):
        over = programme.variables(steps, cost=site.overload * day.hours)
        rows = programme.at_most.new(site.line_limit[line], steps)
        programme.at_most.add(rows, over, -1.0)
        for path in flow[paths]:
            programme.at_most.add(rows, path)
        of_micro = site.of_micro[paths] > 0
        if of_micro.all() or not of_micro.any():
            source = day.ci_micro if of_micro.all() else day.ci
            _loss(programme, site.loss[line], source * day.hours, list(flow[paths]))
            continue
        # With intensities a <= b and flows f_a, f_b a loss costs (a f_a + b f_b)(f_a + f_b), at
        # least a (f_a + f_b)^2 + (b - a) f_b^2.
        least = np.minimum(day.ci, day.ci_micro)
        _loss(programme, site.loss[line], least * day.hours, list(flow[paths]))
        for micro, dearer in ((False, day.ci - least), (True, day.ci_micro - least)):
            dear = list(flow[paths][of_micro == micro])
            _loss(programme, site.loss[line], dearer * day.hours, dear)


def _loss(programme: Programme, loss: float, cost: Array, flows: list[Indices]) -> None:
    """A cost for the loss of flows together, above its tangents."""
    steps = len(cost)
    lost = programme.variables(steps, cost=cost)
    for load in TANGENTS_KW:
        rows = programme.at_most.new(loss * load**2, steps)
        programme.at_most.add(rows, lost, -1.0)
        for path in flows:
            programme.at_most.add(rows, path, 2 * loss * load)
