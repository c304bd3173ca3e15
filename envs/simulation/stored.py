"""A moment of a simulation as plain arrays, for those who keep it on disk.

What was drawn is not among them: scenarios are known by their numbers and drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.simulation.batch import BatchSimulation, State, to_numpy
from envs.simulation.scenarios import ScenarioSampler

_CLOCK, _SCENARIOS, _VALUE, _TOTALS = "clock", "scenarios", "value.", "totals"


def to_arrays(state: State) -> dict[str, NDArray[Any]]:
    """The arrays of a moment by name."""
    values = {f"{_VALUE}{i}": to_numpy(value) for i, value in enumerate(state.values)}
    clock = np.array([state.time, state.next_scenario, state.ended], dtype=np.int64)
    fixed = {_CLOCK: clock, _SCENARIOS: state.scenarios, _TOTALS: to_numpy(state.totals)}
    return fixed | values


def from_arrays(simulation: BatchSimulation, arrays: Mapping[str, NDArray[Any]]) -> State:
    """The moment that the arrays are of.

    Raises:
        ValueError: They are of a simulation of another size.
    """
    scenarios = np.asarray(arrays[_SCENARIOS], dtype=np.int64)
    if scenarios.shape != (simulation.batch,):
        raise ValueError(f"expected {simulation.batch} scenarios; found shape {scenarios.shape}")
    time, next_scenario, ended = (int(number) for number in arrays[_CLOCK])
    count = sum(name.startswith(_VALUE) for name in arrays)
    return State(
        time=time,
        scenarios=scenarios,
        drawn=ScenarioSampler(simulation.compiled, simulation.split).sample(scenarios),
        values=tuple(arrays[f"{_VALUE}{i}"] for i in range(count)),
        totals=arrays[_TOTALS],
        next_scenario=next_scenario,
        ended=bool(ended),
    )
