"""Whether two sets of episodes are the same: to the digit, or within a tolerance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Difference:
    """How far two sets of episodes lie apart.

    Attributes:
        largest: The largest relative difference of any figure of any scenario.
        where: The first scenario that differs by more than is tolerated, and how; None when none
            does.
    """

    largest: float
    where: str | None

    @property
    def finite(self) -> float | None:
        """The largest difference, or None where there is no number for it."""
        return self.largest if np.isfinite(self.largest) else None


def differ(stored: Columns, found: Columns, tolerance: float) -> Difference:
    """Compare episodes figure by figure.

    A difference is relative to the larger of the two figures, and to the column's mean magnitude
    where that is larger still: 1e-12 g of penalty in one of 500 days is no difference of 100 %.

    Args:
        stored: Columns as they were handed in.
        found: Columns as they are now.
        tolerance: Largest relative difference; 0 for equal to the digit.
    """
    if stored.keys() != found.keys():
        differing = ", ".join(sorted(stored.keys() ^ found.keys()))
        return Difference(float("inf"), f"the columns differ: {differing}")
    if stored["scenario"].shape != found["scenario"].shape:
        sizes = f"{stored['scenario'].size} and {found['scenario'].size}"
        return Difference(float("inf"), f"the numbers of scenarios differ: {sizes}")
    names = [name for name in stored if name != "scenario"]
    relative = np.stack([_relative(stored[name], found[name]) for name in names])
    largest = float(relative.max())
    beyond = relative > tolerance
    if not beyond.any():
        return Difference(largest, None)
    scenario = int(np.flatnonzero(beyond.any(axis=0))[0])
    name = names[int(np.flatnonzero(beyond[:, scenario])[0])]
    count = int(beyond.any(axis=0).sum())
    where = (
        f"{count} of {beyond.shape[1]} scenarios differ; the first is scenario {scenario}: {name} "
        f"is {float(found[name][scenario])!r} here, {float(stored[name][scenario])!r} in the folder"
    )
    return Difference(largest, where)


def _relative(stored: NDArray[Any], found: NDArray[Any]) -> NDArray[np.float64]:
    scale = np.maximum(np.maximum(np.abs(stored), np.abs(found)), np.mean(np.abs(stored)))
    difference = np.abs(stored - found)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative: NDArray[np.float64] = np.where(difference == 0, 0.0, difference / scale)
    return np.where(np.isnan(relative), np.inf, relative)
