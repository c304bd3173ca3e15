"""An agent that was stopped and taken up learns what it would have learnt undisturbed."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

import envs
from agents import Resumable
from tests.resume.learning import BUDGET, Watch, decided, make, saved, training

LEARNERS = ("gdm", "gdm_paper", "mlp", "ppo", "sac", "td3", "gdm_shac", "mlp_shac")


# One of one-shot episodes and one of long ones; the other half of the pairs is slow.
PAIRS = [
    pytest.param(name, problem, marks=[] if (i + j) % 2 else pytest.mark.slow)
    for i, name in enumerate(LEARNERS)
    for j, problem in enumerate(("channels", "v2g"))
]


@pytest.mark.parametrize(("name", "problem_name"), PAIRS)
def test_stopped_twice_and_taken_up_it_learns_the_same_to_the_bit(
    name: str, problem_name: str, tmp_path: Path
) -> None:
    problem = envs.load(problem_name)

    def start(marks: tuple[int, ...] = (), stop: float = np.inf) -> tuple:
        # A process of its own would find the shared generators in any state.
        random.seed(), np.random.seed(), torch.seed()
        env, agent = training(problem, name), make(name, problem)
        return agent, env, Watch(tmp_path / "kept", env, marks, stop)

    undisturbed, env, whole = start()
    undisturbed.learn(env, BUDGET, whole)

    agent, env, watch = start(marks=(100, 400, 420), stop=600)
    agent.learn(env, BUDGET, watch)
    agent, env, watch = start(marks=(900,), stop=1200)
    first = watch.take_up(agent)
    agent.learn(env, BUDGET, watch)
    agent, env, watch = start()
    second = watch.take_up(agent)
    assert 400 <= first < 600 < second < 1200
    agent.learn(env, BUDGET, watch)

    assert watch.told == whole.told
    assert saved(agent, tmp_path / "a") == saved(undisturbed, tmp_path / "b")
    assert decided(agent, problem) == decided(undisturbed, problem)


@pytest.mark.parametrize("name", ["gdm", "ppo", "sac"])
def test_a_checkpoint_is_safetensors_alone(name: str, tmp_path: Path) -> None:
    problem = envs.load("channels")
    env, agent = training(problem, name), make(name, problem)
    assert isinstance(agent, Resumable)
    agent.learn(env, BUDGET, Watch(tmp_path, env, (400,), stop=700))
    kinds = {path.suffix for path in tmp_path.iterdir()}
    assert kinds == {".safetensors", ".json", ".npz"}
    for path in tmp_path.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(array.dtype != object for array in arrays.values())


@pytest.mark.parametrize("name", ["gdm", "sac"])
def test_a_checkpoint_of_another_agent_is_refused(name: str, tmp_path: Path) -> None:
    problem = envs.load("channels")
    env, agent = training(problem, name), make(name, problem)
    watch = Watch(tmp_path, env, (400,), stop=500)
    agent.learn(env, BUDGET, watch)
    kept = Watch(tmp_path, env).checkpoints.latest()
    assert kept is not None
    for other, elsewhere in ((name, "v2g"), ("td3", "channels"), ("mlp", "channels")):
        with pytest.raises(ValueError):
            make(other, envs.load(elsewhere)).resume(tmp_path, kept.files)


@pytest.mark.parametrize("name", ["gdm", "td3"])
def test_the_replay_is_appended_to_and_not_written_again(name: str, tmp_path: Path) -> None:
    problem = envs.load("channels")
    env, agent = training(problem, name), make(name, problem)
    seen: dict[str, int] = {}

    class Reading(Watch):
        def keep(self, write) -> None:
            super().keep(write)
            for path in tmp_path.glob("replay-*"):
                written = path.stat().st_mtime_ns
                assert seen.setdefault(path.name, written) == written

    agent.learn(env, BUDGET, Reading(tmp_path, env, tuple(range(160, 1536, 160))))
    left = sorted(path.name for path in tmp_path.glob("replay-*"))
    assert len(seen) >= 8
    # The ring holds 20 rows of 16: of 90 rows the shards of the first 60 are gone.
    assert all(int(name.split("-")[1]) >= 50 for name in left) and len(left) <= 5
    spans = [tuple(map(int, name[7:-12].split("-"))) for name in sorted(seen)]
    assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:], strict=False))
