"""What a policy decides under which conditions: decisions against observed quantities, binned."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs

Values = NDArray[np.float64]

CARBON = "carbon_g"

KINDS = (
    ("gain", "snr", "fading"),
    ("carbon_intensity", "gCO2e/"),
    ("demand", "load", "background", "traffic", "arrival", "request", "queue", "payload", "volume"),
)
"""Words in the names or units of what a picture shows first: the channel, the grid, the load."""

BINS = 12
CONDITIONS = 3
DECISIONS = 5


@dataclass(frozen=True)
class Curve:
    """One quantity against another, by bin; every array is ``(bins,)``."""

    at: Values
    mean: Values
    low: Values
    high: Values


class StrategyRecorder:
    """Takes down decisions, conditions and carbon of every step; passed to ``evaluate``.

    Attributes:
        decisions: Names of the physical decisions.
        conditions: Names of the observed quantities.
    """

    def __init__(self, problem: envs.Problem) -> None:
        """Take the names from the problem."""
        self.decisions = base_names(problem.action_names)
        self.conditions = base_names(problem.observation_names)
        self._places = {
            name: [i for i, full in enumerate(problem.observation_names) if base(full) == name]
            for name in self.conditions
        }
        self._steps: dict[str, list[Values]] = {}
        self._unnamed: set[str] = set()

    def __call__(self, env: Any, observation: NDArray[np.float32], info: Mapping[str, Any]) -> None:
        """Take one step down."""
        taken = dict(env.quantities(self.decisions))
        for name in self.conditions:
            taken[name] = self._condition(env, name, observation)
        taken[CARBON] = info["carbon_g"]
        for name, values in taken.items():
            self._steps.setdefault(name, []).append(np.array(values, dtype=np.float64))

    def scaled(self, name: str) -> bool:
        """Whether a condition is known only as it was observed, scaled to about [-1, 1]."""
        return name in self._unnamed

    def values(self, name: str) -> Values:
        """All steps of a quantity, ``(steps, scenarios, …)``."""
        return np.stack(self._steps[name])

    def _condition(self, env: Any, name: str, observation: NDArray[np.float32]) -> Values:
        if name not in self._unnamed:
            try:
                return np.asarray(env.quantities([name])[name], dtype=np.float64)
            except (KeyError, ValueError):
                # The entry shows an expression that has no name of its own.
                self._unnamed.add(name)
        columns = np.asarray(observation[:, self._places[name]], dtype=np.float64)
        return columns[:, 0] if columns.shape[1] == 1 else columns


def base(name: str) -> str:
    """``power[0]`` is a component of ``power``."""
    return re.sub(r"\[.*", "", name)


def base_names(names: Sequence[str]) -> list[str]:
    """Names without their components, each once, in order."""
    return list(dict.fromkeys(base(name) for name in names))


def choose_conditions(
    recorder: StrategyRecorder, decisions: Sequence[str], unit_of: Callable[[str], str | None]
) -> list[str]:
    """The conditions worth showing: one of each kind, then those the decisions depend on most."""
    varying = [name for name in recorder.conditions if np.ptp(recorder.values(name)) > 0]
    weight = {
        name: max(
            explained(*pair(recorder.values(name), recorder.values(other))) for other in decisions
        )
        for name in varying
    }
    ordered = sorted(varying, key=lambda name: -weight[name])
    chosen: list[str] = []
    for words in KINDS:
        of_kind = [
            name
            for name in ordered
            if "forecast" not in name and any(word in f"{name} {unit_of(name)}" for word in words)
        ]
        chosen.extend(name for name in of_kind[:1] if name not in chosen)
    chosen.extend(name for name in ordered if name not in chosen)
    return chosen[:CONDITIONS]


def pair(condition: Values, quantity: Values) -> tuple[Values, Values]:
    """Bring a condition and a quantity, ``(steps, scenarios, …)``, to flat arrays of one length.

    Element by element where both run over the same index; one that runs over none is repeated;
    otherwise both are averaged over their indices.
    """
    if condition.shape == quantity.shape:
        return condition.ravel(), quantity.ravel()
    if condition.ndim == 2:
        wide = condition.reshape(*condition.shape, *(1,) * (quantity.ndim - 2))
        return np.broadcast_to(wide, quantity.shape).ravel(), quantity.ravel()
    return _mean(condition).ravel(), _mean(quantity).ravel()


def bin_by(condition: Values, quantity: Values, bins: int = BINS) -> Curve:
    """Bin a quantity by a condition: bins of equal counts, or one a value where there are few."""
    index = _bin_index(condition, bins)
    at, mean, low, high = [], [], [], []
    for number in np.unique(index):
        inside = quantity[index == number]
        at.append(np.mean(condition[index == number]))
        mean.append(np.mean(inside))
        low.append(np.quantile(inside, 0.25))
        high.append(np.quantile(inside, 0.75))
    return Curve(np.array(at), np.array(mean), np.array(low), np.array(high))


def explained(condition: Values, quantity: Values) -> float:
    """Share of a quantity's variance between the bins of a condition (the correlation ratio)."""
    total = float(np.var(quantity))
    if total == 0:
        return 0.0
    index = _bin_index(condition, BINS)
    between = 0.0
    for number in np.unique(index):
        inside = quantity[index == number]
        between += inside.size * float(np.mean(inside) - np.mean(quantity)) ** 2
    return between / quantity.size / total


def _bin_index(condition: Values, bins: int) -> NDArray[np.intp]:
    unique = np.unique(condition)
    if unique.size <= bins:
        return np.searchsorted(unique, condition)
    edges = np.unique(np.quantile(condition, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, condition, side="right")


def _mean(values: Values) -> Values:
    mean: Values = values.reshape(*values.shape[:2], -1).mean(axis=2)
    return mean
