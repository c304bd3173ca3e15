"""Where an agent stands: score, gap closed, whether it beats a row, and payback.

The figures are those of ``J``, carbon and penalties in grams over an episode; less is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from benchmark.evaluation import Episodes
from benchmark.statistics import Values, paired_interval, standard_error

STANDARD_ERRORS = 10.0
"""A ratio is refused when its denominator is under so many of its own standard errors."""

BOUND_TOLERANCE = 1e-6
"""How far, relatively, a scenario may lie under a proven bound by rounding."""


class Placement(NamedTuple):
    """A ratio, or the reason why there is none."""

    value: float | None
    reason: str | None


def placement(worse: Values, objective: Values, better: Values) -> Placement:
    """``(mean worse - mean objective) / (mean worse - mean better)``: 0 at worse, 1 at better.

    A ratio of means over the scenarios, never a mean of ratios. Arrays are aligned by scenario.
    """
    difference = worse - better
    denominator = float(np.mean(difference))
    error = standard_error(difference)
    if not denominator >= STANDARD_ERRORS * error or denominator == 0:
        reason = (
            f"refused: the two rows it lies between differ by {denominator:.4g} g, "
            f"under {STANDARD_ERRORS:g} standard errors of {error:.4g} g"
        )
        return Placement(None, reason)
    return Placement(float(np.mean(worse - objective)) / denominator, None)


@dataclass(frozen=True)
class Comparison:
    """An agent against a row, over the same scenarios.

    Attributes:
        against: Name of the row.
        difference_g: Mean of the row's J minus the agent's: above 0, the agent is better.
        interval_g: Its paired 95 % interval.
        beats: Whether the interval lies above 0.
    """

    against: str
    difference_g: float
    interval_g: tuple[float, float]
    beats: bool

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return {
            "against": self.against,
            "difference_g": self.difference_g,
            "interval_g": list(self.interval_g),
            "beats": self.beats,
        }


def compare(name: str, row: Values, objective: Values) -> Comparison:
    """Compare an agent's J with a row's, scenario by scenario."""
    mean, low, high = paired_interval(row, objective)
    return Comparison(name, mean, (low, high), low > 0)


def best(rows: Mapping[str, Episodes]) -> str | None:
    """The row with the least mean J; None when there is none."""
    return min(rows, key=lambda name: float(np.mean(rows[name].objective_g)), default=None)


def below_bound(objective: Values, bound: Values) -> int:
    """In how many scenarios J lies below a proven bound by more than rounding."""
    margin = BOUND_TOLERANCE * np.maximum(np.abs(bound), 1e-12)
    return int(np.sum(objective < bound - margin))


def payback(
    train_gco2: float | None,
    agent: Episodes,
    heuristic: tuple[str, Episodes] | None,
    steps: int,
    unit: tuple[str, str] | None,
) -> dict[str, Any]:
    """After how much use the measured carbon of training is repaid by simulated carbon saved.

    The two carbon numbers are set against each other, never added.

    Args:
        train_gco2: Measured carbon of training; None when it could not be measured.
        agent: The agent's episodes.
        heuristic: The best heuristic and its episodes on the same scenarios; None without one.
        steps: Decisions in an episode.
        unit: Name of the functional unit, and the metric that counts it; None without one.

    Returns:
        ``decisions``, ``units``, ``unit``, ``against`` and ``reason``: why the first two are None,
        which they are when the agent does not beat the heuristic.
    """
    name = None if heuristic is None else heuristic[0]
    empty = {"decisions": None, "units": None, "unit": unit and unit[0], "against": name}
    if heuristic is None:
        return {**empty, "reason": "the problem has no heuristic to compare with"}
    rival = heuristic[1]
    if not compare(heuristic[0], rival.objective_g, agent.objective_g).beats:
        return {**empty, "reason": f"the agent does not beat {name}"}
    saved_g = float(np.mean(rival.carbon_g - agent.carbon_g))
    if saved_g <= 0:
        return {**empty, "reason": f"the agent beats {name} by fewer penalties, not by less carbon"}
    if train_gco2 is None:
        return {**empty, "reason": "the energy of training was not measured"}
    episodes = train_gco2 / saved_g
    per_episode = None if unit is None else agent.metrics.get(unit[1])
    units = None if per_episode is None else episodes * float(np.mean(per_episode))
    return {**empty, "decisions": episodes * steps, "units": units, "reason": None}
