"""Small agents on small problems, learning under a monitor that keeps checkpoints."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import envs
from agents import Budget
from agents.protocol import Checkpoint
from benchmark.checkpoints import Checkpoints
from tests.agents.test_contract import values

BUDGET = Budget(env_steps=1536)
ENVS = 16
# Rings that come round several times.
RING = {"buffer_size": 320}


class Watch:
    """A monitor that takes down what it is told, and a checkpoint whenever a mark is passed."""

    def __init__(self, folder: Path, env: Any, marks: Sequence[int] = (), stop: float = np.inf):
        self.checkpoints = Checkpoints(folder, {"of": "test"}, 0)
        self.env, self.marks, self.stop = env, list(marks), stop
        self.told: list[str] = []
        self.steps = 0

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        self.steps = int(env_steps)
        self.told.append(repr((self.steps, int(gradient_steps), scalars)))
        return env_steps < self.stop

    def keep(self, write: Checkpoint) -> None:
        if self.marks and self.steps >= self.marks[0]:
            while self.marks and self.steps >= self.marks[0]:
                self.marks.pop(0)
            self.checkpoints.offer(write, lambda: {"told": self.told}, self.env.state_arrays)

    def take_up(self, agent: Any) -> int:
        """Bring agent and environment to the last checkpoint; returns its step."""
        saved = self.checkpoints.latest()
        assert saved is not None
        self.env.set_state_arrays(saved.env)
        agent.resume(self.checkpoints.folder, saved.files)
        self.told = list(saved.harness["told"])
        return int(steps_of(self.told))


def steps_of(told: list[str]) -> str:
    return told[-1][1:].split(",")[0]


def make(name: str, problem: envs.Problem) -> Any:
    chosen = values(name)
    if "buffer_size" in chosen:
        chosen |= RING
    module, _, target = str(chosen.pop("_target_")).rpartition(".")
    return getattr(importlib.import_module(module), target)(
        observation_size=len(problem.observation_names),
        action_size=len(problem.action_names),
        discount=problem.discount,
        seed=3,
        device="cpu",
        **chosen,
    )


def training(problem: envs.Problem, name: str) -> Any:
    backend = "torch" if name.endswith("_shac") else "numpy"
    return envs.make_vector(problem, num_envs=ENVS, split="train", seed=0, backend=backend)


def saved(agent: Any, folder: Path) -> dict[str, bytes]:
    """Every byte that the agent's weights are written as."""
    folder.mkdir()
    agent.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def decided(agent: Any, problem: envs.Problem) -> bytes:
    """What it does, at random, on held-out scenarios."""
    env = envs.make_vector(problem, num_envs=8, split="test", seed=0)
    observation, _ = env.reset(options={"scenarios": np.arange(8)})
    actions: bytes = agent.act(observation, env, deterministic=False).tobytes()
    return actions
