"""``irs_beamforming``: the best phases known, and a bound that no phases can undercut.

**Best known.** From the alignment to the neediest user and from rounds that maximise a weighted sum
of channel gains, the phases descend along the gradient of the power that the exact precoder needs.
The better one descends once more.

**Bound.** Without interference user k needs s_k / x_k, with x_k its channel gain over noise. For
any weights, sum w_k x_k <= B(w) whatever the phases, so by Cauchy and Schwarz all users together
need (sum sqrt(w_k s_k))^2 / B(w) at least. B is the dual of a semidefinite programme: with Q the
form of the weighted gains in (1, exp(j theta)) and any real diagonal D, trace(D) + (N + 1) max(0,
largest eigenvalue of Q - D) bounds it. D comes from stationary phases, where it is nearly tight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.compiler.complex_kernels import NUMPY, TORCH
from envs.oracle.irs_channel import Array, Complex, Moments, Price, moments
from envs.oracle.realise import realise

if TYPE_CHECKING:
    from envs.problem import Problem

ALIGNMENTS, BALANCES = 20, 60
EXPONENTS = (1.6, 2.0)
"""Weights tried for the bound: s_k / x_k^2 at the best phases, and something more even."""
STEPS = (120, 60)
"""Of descent from each start, and from the best that was found."""
RATE = (0.1, 0.01)
_AXES = (-4, -3, -2, (-4, -2), -2)
"""Of parts, users and their aliases for the precoder's kernel."""


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and best attained objective, in grams."""
    price, feed, every = moments(problem, split, scenarios)
    shape = problem.horizon, len(scenarios)
    phases = best_phases(price, feed, every)
    plan = {"phase": phases.reshape(*shape, *problem.constants["feed"].shape[2:])}
    bound = lower_bound(price, feed, every, phases)
    attained = realise(problem, split, scenarios, plan)
    return {"certified": bound.reshape(shape).sum(axis=0), "best_known": attained}


def channels(feed: Complex, m: Moments, reflection: Complex) -> Complex:
    """Channels over noise under reflections ``(b, N)``, ``(b, K, M)``."""
    return np.asarray(m.direct + (m.to_user * reflection[:, None, :]) @ feed.T)


def needed_power(price: Price, channel: Complex, sinr: Array) -> Array:
    """Least transmit power, as the simulation's precoder finds it, ``(b,)``."""
    gram = np.einsum("bkm,bjm->kjb", channel, channel.conj())
    out = np.empty((channel.shape[1], len(channel)))
    NUMPY["least_powers"](
        np.stack([gram.real, gram.imag]),
        sinr.T[None, :, None, :],
        np.full((1, 1, 1, 1), price.power_cut),
        out=out,
        attribute=_AXES,
    )
    return np.asarray(out.sum(axis=0))


def aligned(feed: Complex, m: Moments, weights: Array, start: Complex, rounds: int) -> Complex:
    """Reflections that make the weighted sum of gains stationary: each round never lowers it."""
    reflection = start
    for _ in range(rounds):
        pull = weights[..., None] * channels(feed, m, reflection).conj()
        reflection = np.exp(-1j * np.angle(((pull @ feed) * m.to_user).sum(axis=1)))
    return reflection


def beside_direct(feed: Complex, m: Moments, weights: Array) -> Complex:
    """Reflections aligned to the weighted direct paths: for one user and a rank of one, optimal."""
    pull = (weights[..., None] * m.direct.conj()) @ feed
    return np.asarray(np.exp(-1j * np.angle((pull * m.to_user).sum(axis=1))))


def best_phases(price: Price, feed: Complex, m: Moments) -> Array:
    """Phases ``(b, N)``."""
    best, angles = np.full(len(m.ci), np.inf), np.zeros((len(m.ci), feed.shape[1]))
    for start in _starts(feed, m):
        found = descend(price, feed, m, np.angle(start), STEPS[0])
        need = needed_power(price, channels(feed, m, np.exp(1j * found)), m.sinr)
        angles[need < best], best = found[need < best], np.minimum(need, best)
    return descend(price, feed, m, angles, STEPS[1])


def _starts(feed: Complex, m: Moments) -> list[Complex]:
    users = m.sinr.shape[1]
    gain = (np.abs(m.direct) ** 2).sum(axis=2)
    weakest = np.eye(users)[(m.sinr / gain).argmax(axis=1)]
    starts = [aligned(feed, m, weakest, beside_direct(feed, m, weakest), ALIGNMENTS)]
    return [*starts, _balanced(feed, m, starts[0])[0]]


def _balanced(feed: Complex, m: Moments, start: Complex) -> tuple[Complex, Array]:
    """Reflections and weights that lower what users need together, were there no interference."""
    reflection = start
    for _ in range(BALANCES):
        gain = (np.abs(channels(feed, m, reflection)) ** 2).sum(axis=2)
        weights = m.sinr / gain**2
        reflection = aligned(feed, m, weights, reflection, 1)
    return reflection, weights


def descend(
    price: Price,
    feed: Complex,
    m: Moments,
    start: Array,
    steps: int,
    shared: bool = False,
) -> Array:
    """Phases with the least needed power met on the way of Adam from a start, ``(b, N)``.

    With ``shared`` all moments have the same phases, and the least total counts.
    """
    import torch

    def constant(x: Any) -> Any:
        return torch.from_numpy(np.ascontiguousarray(x))

    direct, feed_t = constant(m.direct), constant(feed.T)
    to_user = constant(m.to_user)
    sinr = constant(m.sinr.T[None, :, None, :])
    limit = torch.full((1, 1, 1, 1), price.power_cut, dtype=torch.float64)
    first = constant(start[:1] if shared else start)
    theta = first.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([theta], lr=RATE[0])
    decay = (RATE[1] / RATE[0]) ** (1 / steps)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, decay)
    best, angles = np.full(len(start), np.inf), start.copy()
    for _ in range(steps):
        reflection = torch.polar(torch.ones_like(theta), theta)
        channel = direct + (to_user * reflection[:, None, :]) @ feed_t
        gram = (channel @ channel.mH).permute(1, 2, 0)
        parts = torch.stack([gram.real, gram.imag])
        need = TORCH["least_powers"](torch, parts, sinr, limit, attribute=_AXES).sum(dim=0)
        value = need.detach().numpy()
        if shared:
            value = np.full_like(value, value.sum())
        better = value < best
        now = np.broadcast_to(theta.detach().numpy(), start.shape)
        best[better], angles[better] = value[better], now[better]
        optimiser.zero_grad()
        (need.sum().log() if shared else need.log().sum()).backward()
        optimiser.step()
        schedule.step()
    return np.asarray(np.mod(angles + np.pi, 2 * np.pi) - np.pi)


def lower_bound(price: Price, feed: Complex, m: Moments, angles: Array) -> Array:
    """What no phases can undercut in a step, grams ``(b,)``."""
    need = np.maximum(*(_least_need(feed, m, angles, e) for e in EXPONENTS))
    # Needs are cut at so much for each user, which is more than the amplifier has.
    return price.cost(np.minimum(need, price.power_cut), m)


def _least_need(feed: Complex, m: Moments, angles: Array, exponent: float) -> Array:
    elements = feed.shape[1]
    start = np.exp(1j * angles)
    gain = (np.abs(channels(feed, m, start)) ** 2).sum(axis=2)
    weights = m.sinr / gain**exponent
    reflection = aligned(feed, m, weights, start, ALIGNMENTS)
    scale = np.sqrt(weights)[..., None, None]
    forms = scale * np.concatenate(
        [m.direct[..., None], feed[None, None] * m.to_user[:, :, None, :]], axis=3
    )
    stacked = forms.reshape(len(m.ci), -1, elements + 1)
    vector = np.concatenate([np.ones((len(m.ci), 1)), reflection], axis=1)
    image = np.einsum("bpn,bp->bn", stacked.conj(), np.einsum("bpn,bn->bp", stacked, vector))
    diagonal = np.abs(image)
    form = stacked.conj().swapaxes(1, 2) @ stacked
    each = np.arange(elements + 1)
    form[:, each, each] -= diagonal
    excess = np.maximum(np.linalg.eigvalsh(form)[:, -1], 0.0)
    largest = diagonal.sum(axis=1) + (elements + 1) * excess
    return np.asarray(np.sqrt(weights * m.sinr).sum(axis=1) ** 2 / largest)
