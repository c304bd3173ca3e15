"""Moments of ``irs_beamforming`` as plain complex arrays, apart from the spec's own simulation.

Nothing couples one step to the next, so every (scenario, step) is a problem of its own. Channels
are divided by the noise's amplitude. The shapes: K users, M antennas, N elements in order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from envs.simulation.batch import BatchSimulation

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Price:
    """What a step costs besides its channel; base units."""

    power_slope: float
    power_max: float
    power_cut: float
    band: float
    missing_g_bit: float

    def cost(self, need: Array, moments: Moments) -> Array:
        """J of a second in grams, for a power needed; rises with it."""
        carbon = moments.ci * self.power_slope * np.minimum(need, self.power_max)
        share = self.power_max / np.maximum(need, self.power_max)
        lost = np.log2((1 + moments.sinr) / (1 + share[:, None] * moments.sinr)).sum(axis=1)
        return np.asarray(carbon + self.missing_g_bit * self.band * lost)


@dataclass(frozen=True)
class Moments:
    """Independent moments: direct ``(b, K, M)``, to_user ``(b, K, N)``, sinr ``(b, K)``, ci."""

    direct: Complex
    to_user: Complex
    sinr: Array
    ci: Array

    def some(self, which: Any) -> Moments:
        """The same for some moments."""
        return Moments(*(getattr(self, f.name)[which] for f in fields(self)))


def moments(
    problem: Problem, split: str, scenarios: NDArray[np.int64]
) -> tuple[Price, Complex, Moments]:
    """Prices, the feed ``(M, N)`` and all moments, steps before scenarios."""
    compiled = problem.compiled(split)
    known = {n: np.asarray(v) for n, v in problem.constants.items()}
    penalty = next(c for c in compiled.constraints if c.name == "missing")
    price = Price(
        float(known["power_slope"]),
        float(known["power_max"]),
        float(known["power_cut"]),
        float(known["band"]),
        penalty.penalty_g / penalty.unit.factor,
    )
    shape = known["feed"].shape
    feed = (known["feed"][0] + 1j * known["feed"][1]).reshape(shape[1], -1)
    simulation = BatchSimulation(compiled, len(scenarios), split)
    simulation.reset(np.asarray(scenarios, dtype=np.int64))
    names = ("direct", "to_user", "sinr", "ci")
    nodes = [compiled.named[name][0] for name in names]
    seen: list[list[Array]] = []
    idle = np.zeros((len(scenarios), compiled.action_size))
    for _ in range(problem.horizon):
        values = simulation.values(nodes)
        wide = [np.broadcast_to(v, (*v.shape[:-1], len(scenarios))) for v in values]
        seen.append([np.moveaxis(v, -1, 0).copy() for v in wide])
        simulation.step(idle)
    stacked = {n: np.concatenate([s[i] for s in seen]) for i, n in enumerate(names)}
    noise = np.sqrt(known["noise"])
    direct = stacked["direct"][:, 0] + 1j * stacked["direct"][:, 1]
    to_user = stacked["to_user"][:, 0] + 1j * stacked["to_user"][:, 1]
    to_user = to_user.reshape(*to_user.shape[:2], -1)
    found = Moments(
        np.swapaxes(direct, 1, 2) / noise, to_user / noise, stacked["sinr"], stacked["ci"]
    )
    return price, feed, found
