"""The closed form of the stub: power equal to gain."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reference:
    scenarios: np.ndarray
    objective_g: dict


def load_reference(problem, split="test"):
    if problem.parameters:
        return None
    scenarios = np.arange(500)
    return Reference(
        scenarios,
        {"certified": np.full(500, 4.0), "best_known": np.full(500, 4.001)},
    )
