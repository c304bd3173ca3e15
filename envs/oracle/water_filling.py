"""The optimum of ``channels``: water-filling, in closed form.

Maximises the sum of ``log2(1 + gain power)`` under a power budget (Cover and Thomas, Elements of
Information Theory, section 9.4); carbon falls with the sum rate, so this minimises it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.realise import realise
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]


def split_power(gain: Array, budget: float) -> Array:
    """Powers that maximise the sum rate.

    Args:
        gain: Gain over noise, ``(batch, channel)``, in 1/W.
        budget: Total power in W.

    Returns:
        Power of each channel, ``(batch, channel)``, in W.
    """
    height = 1 / np.maximum(gain, 1e-12)
    floors = np.sort(height, axis=1)
    count = np.arange(1, gain.shape[1] + 1)
    # The level if the k lowest floors are under water; the most for which the k-th one still is.
    levels = (budget + np.cumsum(floors, axis=1)) / count
    wet = (levels > floors).sum(axis=1)
    level = levels[np.arange(len(gain)), wet - 1][:, None]
    return np.asarray(np.maximum(level - height, 0.0))


def solve(problem: Problem, split: str, scenarios: NDArray[np.int64]) -> Mapping[str, Array]:
    """Proven bound and what the environment's softmax can attain of it, in grams."""
    constants = problem.constants
    gain = sample_scenarios(problem, split, scenarios).paths["gain"][0]
    budget = float(constants["power_budget"])
    power = split_power(gain, budget)
    rate = (constants["bandwidth"] * np.log2(1 + gain * power)).sum(axis=1)
    watt = constants["power_fixed"] + constants["power_slope"] * budget
    bound = constants["carbon_intensity"] * watt * constants["volume"] / rate
    return {
        "certified": bound,
        "best_known": realise(problem, split, scenarios, {"share": power[None] / budget}),
    }
