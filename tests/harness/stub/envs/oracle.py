"""The closed form of the stub: power equal to gain."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reference:
    scenarios: np.ndarray
    objective_g: dict


def load_reference(problem, split="test", folder=None):
    if problem.parameters:
        return None
    scenarios = np.arange(5_000)
    return Reference(
        scenarios,
        {"certified": np.full(5_000, 4.0), "best_known": np.full(5_000, 4.001)},
    )
