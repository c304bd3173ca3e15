"""Plays random decisions and keeps what an independent implementation needs to redo them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import envs
from envs.simulation import Scenarios, sample_scenarios


@dataclass
class Played:
    """A played batch: the problem's constants, scenarios, decisions and what was paid."""

    constants: Any
    scenarios: Scenarios
    decisions: list[dict[str, np.ndarray]]
    info: list[dict[str, np.ndarray]]
    states: list[dict[str, np.ndarray]]
    episode: dict[str, np.ndarray]


def play(name: str, rows: int, decisions: tuple[str, ...], states: tuple[str, ...] = ()) -> Played:
    """Play one batch of test episodes under random actions.

    Decisions and states are in base units, ``(row, …)``; states are those before the decision.
    """
    problem = envs.load(name)
    env = envs.make_vector(problem, rows, split="test")
    env.reset(options={"scenarios": np.arange(rows)})
    rng = np.random.default_rng(7)
    factor = {n: unit.factor for n, (_, unit) in problem.compiled("test").named.items()}
    played = Played(
        problem.constants, sample_scenarios(problem, "test", np.arange(rows)), [], [], [], {}
    )
    for _ in range(problem.horizon):
        actions = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        info = env.step(actions)[4]
        seen = env.quantities([*decisions, *states])
        played.decisions.append({n: seen[n] * factor[n] for n in decisions})
        played.states.append({n: seen[n] * factor[n] for n in states})
        played.info.append(info)
    played.episode = info["totals"]
    return played
