"""Playing episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs

Array = NDArray[Any]
Step = tuple[Array, Array, Array, Array, dict[str, Any]]


def random_actions(problem: envs.Problem, num_envs: int, seed: int = 0) -> Array:
    """Actions of an episode and a bit, ``(steps, num_envs, A)``."""
    shape = (problem.horizon + 2, num_envs, problem.compiled().action_size)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def play(env: envs.ProblemVectorEnv, actions: Array, **reset: Any) -> Iterator[Step]:
    """Reset, then step through ``actions``; the first yield is the observation alone."""
    observation, info = env.reset(**({"seed": 0} | reset))
    nothing = np.zeros(env.num_envs)
    yield observation, nothing, nothing, nothing, info
    for row in actions:
        yield env.step(row)


def arrays(value: Any) -> Iterator[Array]:
    """All arrays in nested tuples and dicts."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from arrays(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from arrays(item)
