"""One slot of ``offload`` at given prices.

The cheapest bandwidth, power, split and steps of each user.

Prices are grams per joule of edge energy and grams per unit of FID and image. At a given bandwidth
everything else is solved
exactly: the steps are enumerated; the power that costs least per bit is in closed form (Lambert's W
    by Newton's method); the
cost is linear in the user's steps, so that only none of them, or as many as the deadline lets
through at some power, can be best.

Arrays are ``(slot, user)`` and, where bandwidths are tried, ``(slot, user, bandwidth)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """The constants of ``offload`` in base units (W, s, bit, Hz, J, g/J).

    ``margin_s`` is kept back from each deadline: 0 for a bound, a little where a plan must survive
    rounding.
    """

    band: float
    noise_density: float
    efficiency_cap: float
    chain_fixed: float
    power_slope: float
    airtime_max: float
    edge_step_energy: float
    edge_step_time: float
    pue: float
    user_step_energy: float
    user_step_time: float
    wait_power: float
    payload_prompt: float
    payload_latent: float
    payload_image: float
    fid_floor: float
    fid_scale: float
    fid_exponent: float
    fid_target: float
    late_price: float
    margin_s: float
    power_low: float
    power_high: float
    steps_low: int
    steps_high: int

    @classmethod
    def of(cls, constants: Mapping[str, Array], **others: float) -> Cell:
        """From a problem's constants; ``others`` are bounds and prices that are no parameters."""
        names = set(cls.__dataclass_fields__) - set(others)
        return cls(**{n: float(constants[n]) for n in names}, **others)  # type: ignore[arg-type]

    @property
    def steps(self) -> Array:
        """All choices of the number of steps."""
        return np.arange(self.steps_low, self.steps_high + 1, dtype=np.float64)

    def fid(self, steps: Array) -> Array:
        """Quality after so many steps, lower is better (fit to the DDIM paper's table)."""
        return self.fid_floor + self.fid_scale * steps**-self.fid_exponent


@dataclass(frozen=True)
class Demand:
    """What the day brings.

    Arrays ``(slot, user)``, the carbon intensity of the users' zone ``(slot, 1)`` in g/J.
    """

    gain: Array
    images: Array
    slack_s: Array
    ci_user: Array

    def some(self, slots: slice) -> Demand:
        """Some of the slots."""
        return Demand(
            self.gain[slots], self.images[slots], self.slack_s[slots], self.ci_user[slots]
        )


@dataclass(frozen=True)
class Choice:
    """Per user.

    Cost in grams at the prices, and what it consists of. ``fid`` and the energies are per slot,
    over all images.
    """

    cost: Array
    bandwidth: Array
    power: Array
    steps: Array
    user_steps: Array
    edge_j: Array
    user_g: Array
    late_g: Array
    fid: Array


def efficient_power(fixed: Array, slope: Array, snr_per_watt: Array) -> Array:
    """The power that minimises ``(fixed + slope * p) / log(1 + snr_per_watt * p)``.

    With v = log(1 + c p) and a = fixed c / slope the optimum has (v - 1) e^v = a - 1, that is v = 1
    + W((a - 1) / e).
    """
    a = fixed * snr_per_watt / np.maximum(slope, 1e-30)
    v = np.where(a > 3.0, 1 + 0.8 * np.log1p(a / 3), np.sqrt(2 * a))
    for _ in range(5):
        e = np.exp(np.minimum(v, 60.0))
        v = np.maximum(v - ((v - 1) * e + 1 - a) / (np.maximum(v, 1e-9) * e), 1e-9)
    return np.asarray(np.expm1(np.minimum(v, 60.0)) / snr_per_watt)


@dataclass(frozen=True)
class _Link:
    """Bandwidth and signal-to-noise ratio per watt, with a last axis over the steps."""

    cell: Cell
    bandwidth: Array
    snr: Array

    def seconds(self, payload: float | Array, power: Array) -> Array:
        efficiency = np.minimum(np.log2(1 + power * self.snr), self.cell.efficiency_cap)
        return payload / (self.bandwidth * efficiency)

    def power_for(self, payload: float, seconds: Array) -> Array:
        """The power that sends a payload in so many seconds.

        Beyond the largest power where that is impossible.
        """
        efficiency = payload / (self.bandwidth * np.maximum(seconds, 1e-3))
        exponent = np.log(2) * np.minimum(efficiency, self.cell.efficiency_cap + 8)
        return np.asarray(np.expm1(exponent) / self.snr)


def best_choice(
    cell: Cell, demand: Demand, bandwidth: Array, price: Array, quality: Array | float
) -> Choice:
    """The best power, steps and split at given bandwidths ``(slot, user, bandwidth)``.

    Args:
        cell: The constants.
        demand: The day.
        bandwidth: Hz.
        price: Of edge energy in g/J, ``(slot, 1)``.
        quality: Of FID in g per unit and image, one for all or ``(slot, 1)``.

    Returns:
        Arrays of the shape of ``bandwidth``. The cost never rises with bandwidth.
    """
    pi, ci = price[..., None, None], demand.ci_user[..., None, None]
    images, slack = demand.images[..., None], demand.slack_s[..., None, None]
    bandwidth = bandwidth[..., None]
    link = _Link(cell, bandwidth, demand.gain[..., None, None] / (cell.noise_density * bandwidth))
    second_g = pi * cell.chain_fixed + ci * cell.wait_power
    watt_g = pi * cell.power_slope
    low = cell.power_low
    ceiling = np.clip(np.expm1(cell.efficiency_cap * np.log(2)) / link.snr, low, cell.power_high)
    calm = np.clip(efficient_power(second_g, watt_g, link.snr), low, ceiling)
    hasty = np.clip(efficient_power(second_g + cell.late_price, watt_g, link.snr), calm, ceiling)
    steps = cell.steps
    left = slack - cell.margin_s - steps * cell.edge_step_time
    moved_g = (  # by moving one step from the edge to the user
        ci * cell.user_step_energy
        - pi * cell.pue * cell.edge_step_energy
        - ci * cell.wait_power * cell.edge_step_time
    )

    def radio_g(power: Array, payload: float | Array) -> tuple[Array, Array]:
        seconds = np.minimum(link.seconds(payload, power), cell.airtime_max)
        return (second_g + watt_g * power) * seconds, cell.late_price * np.maximum(
            seconds - left, 0
        )

    # Nothing on the user's device: the image is sent, late if need be. The least power is a
    # candidate of its own, because a transfer is ended after a time.
    power = np.clip(link.power_for(cell.payload_image, left), calm, hasty)
    cost = sum(radio_g(power, cell.payload_image))
    slow = sum(radio_g(np.full_like(calm, low), cell.payload_image))
    power, cost = np.where(slow < cost, low, power), np.minimum(slow, cost)
    user_steps = np.zeros_like(cost)

    # Some steps on the user's device: never late, at the price of more power where the deadline
    # asks for it.
    step_s = cell.user_step_time - cell.edge_step_time
    reach = np.floor(np.clip((left - link.seconds(cell.payload_latent, calm)) / step_s, 0, steps))
    most = np.floor((left - link.seconds(cell.payload_latent, ceiling)) / step_s)
    extra = 0
    while True:
        u = reach + extra
        allowed = (u >= 1) & (u <= steps) & (u <= np.maximum(most, reach))
        if extra and not allowed.any():
            break
        need = link.power_for(cell.payload_latent, left - u * step_s) * (1 + 1e-9)
        p = np.clip(need, calm, ceiling)
        payload = np.where(u >= steps, cell.payload_prompt, cell.payload_latent)
        here = radio_g(p, payload)[0] + moved_g * u
        better = allowed & (here < cost)
        cost = np.where(better, here, cost)
        power = np.where(better, p, power)
        user_steps = np.where(better, u, user_steps)
        extra += 1

    fid = cell.fid(steps) - cell.fid_target
    cost = (
        cost
        + np.asarray(quality)[..., None, None] * fid
        + steps
        * (pi * cell.pue * cell.edge_step_energy + ci * cell.wait_power * cell.edge_step_time)
    )
    best = cost.argmin(axis=-1)[..., None]

    def pick(x: Array) -> Array:
        return np.take_along_axis(x, best, axis=-1)[..., 0]

    return _account(
        cell,
        demand,
        bandwidth[..., 0],
        pick(power),
        cell.steps_low + best[..., 0],
        pick(user_steps),
        images * pick(cost),
    )


def _account(
    cell: Cell,
    demand: Demand,
    bandwidth: Array,
    power: Array,
    steps: Array,
    user_steps: Array,
    cost: Array,
) -> Choice:
    """What a choice consumes, with a last axis over bandwidths."""
    images, slack, ci = (x[..., None] for x in (demand.images, demand.slack_s, demand.ci_user))
    link = _Link(cell, bandwidth, demand.gain[..., None] / (cell.noise_density * bandwidth))
    edge_steps = steps - user_steps
    payload = np.where(
        edge_steps < 0.5,
        cell.payload_prompt,
        np.where(user_steps < 0.5, cell.payload_image, cell.payload_latent),
    )
    seconds = np.minimum(link.seconds(payload, power), cell.airtime_max)
    computing = edge_steps * cell.edge_step_time
    edge_j = (
        cell.pue * cell.edge_step_energy * edge_steps
        + (cell.chain_fixed + cell.power_slope * power) * seconds
    )
    user_j = cell.user_step_energy * user_steps + cell.wait_power * (computing + seconds)
    late_s = np.maximum(computing + seconds + user_steps * cell.user_step_time - slack, 0)
    return Choice(
        cost=cost,
        bandwidth=bandwidth,
        power=power,
        steps=steps.astype(np.float64),
        user_steps=user_steps,
        edge_j=images * edge_j,
        user_g=images * ci * user_j,
        late_g=images * cell.late_price * late_s,
        fid=images * (cell.fid(steps.astype(np.float64)) - cell.fid_target),
    )


def split_for(cell: Cell, demand: Demand, choice: Choice) -> Array:
    """The split decision, in the middle of its range, at which the user runs the chosen steps."""
    snr = choice.power * demand.gain / (cell.noise_density * choice.bandwidth)
    rate = choice.bandwidth * np.minimum(np.log2(1 + snr), cell.efficiency_cap)
    left = demand.slack_s - choice.steps * cell.edge_step_time - cell.payload_latent / rate
    step_s = cell.user_step_time - cell.edge_step_time
    feasible = np.floor(np.clip(left / step_s, 0, choice.steps))
    return np.asarray(np.clip((choice.user_steps + 0.5) / (feasible + 1), 0.0, 1.0))
