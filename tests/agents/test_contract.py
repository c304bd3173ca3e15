"""What every agent promises, whoever wrote it."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from agents.protocol import Budget
from tests.agents.stubs import Channels, LockstepEnv, Storage

CONF = Path(__file__).parents[2] / "conf" / "agent"
LEARNERS = ("gdm", "gdm_paper", "mlp", "ppo", "sac", "td3")
ROWS = ("random", "constant", "heuristic")
# Small enough for a test, on values that every learner of a family has.
SMALL: dict[str, dict[str, Any]] = {
    "gdm": {
        "width": 32,
        "transitions_per_update": 64,
        "warmup": 128,
        "batch_size": 32,
        "buffer_size": 1024,
    },
    "gdm_paper": {
        "transitions_per_update": 64,
        "warmup": 128,
        "batch_size": 32,
        "buffer_size": 1024,
    },
    "mlp": {
        "width": 32,
        "transitions_per_update": 64,
        "warmup": 128,
        "batch_size": 32,
        "buffer_size": 1024,
    },
    "ppo": {"network": [32, 32], "rollout": 128, "batch_size": 64, "epochs": 2},
    "sac": {"network": [32, 32], "transitions_per_update": 64, "warmup": 128, "batch_size": 32},
    "td3": {"network": [32, 32], "transitions_per_update": 64, "warmup": 128, "batch_size": 32},
    "gdm_shac": {"num_envs": 16, "window": 4, "width": 32, "value_batch": 64},
    "mlp_shac": {"num_envs": 16, "window": 4, "width": 32, "value_batch": 64},
    "random": {},
    "constant": {},
    "heuristic": {},
}


class Witness:
    """A monitor that remembers what it was told, and stops learning when asked to."""

    def __init__(self, stop_at: float = np.inf) -> None:
        self.calls: list[tuple[int, int]] = []
        self.stop_at = stop_at

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        self.calls.append((env_steps, gradient_steps))
        assert all(np.isfinite(value) for value in scalars.values())
        return env_steps < self.stop_at


def values(name: str) -> dict[str, Any]:
    chosen = {**yaml.safe_load((CONF / f"{name}.yaml").read_text()), **SMALL[name]}
    if name == "heuristic":
        chosen["name"] = "equal"
    return chosen


def make(name: str, env: LockstepEnv, seed: int = 0, discount: float = 0.0, **others: Any) -> Any:
    chosen = {**values(name), **others}
    module, _, target = str(chosen.pop("_target_")).rpartition(".")
    return getattr(importlib.import_module(module), target)(
        observation_size=env.observation_size,
        action_size=env.action_size,
        discount=discount,
        seed=seed,
        device="cpu",
        **chosen,
    )


def learnt(name: str, seed: int = 0, steps: int = 512) -> tuple[Any, LockstepEnv]:
    env = Channels(16, seed=seed)
    agent = make(name, env, seed)
    agent.learn(env, Budget(env_steps=steps), Witness())
    return agent, env


def deterministic(agent: Any, rows: int = 16) -> np.ndarray:
    env = Channels(rows, seed=99)
    observation, _ = env.reset()
    return agent.act(observation, env)


@pytest.mark.parametrize("name", [*LEARNERS, *ROWS])
def test_actions_have_the_shape_type_and_bounds_of_the_space(name: str) -> None:
    agent, _ = learnt(name)
    env = Channels(7, seed=5)
    observation, _ = env.reset()
    for mode in (True, False):
        actions = agent.act(observation, env, deterministic=mode)
        assert actions.shape == (7, env.action_size) and actions.dtype == np.float32
        assert np.isfinite(actions).all() and np.abs(actions).max() <= 1.0


@pytest.mark.parametrize("name", LEARNERS)
def test_the_same_observation_gets_the_same_deterministic_action(name: str) -> None:
    agent, _ = learnt(name)
    assert np.array_equal(deterministic(agent), deterministic(agent))


@pytest.mark.parametrize("name", LEARNERS)
def test_one_seed_gives_one_policy_to_the_bit_and_another_seed_another(name: str) -> None:
    first, second, other = (deterministic(learnt(name, seed)[0]) for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", LEARNERS)
def test_acting_while_learning_does_not_change_what_is_learnt(name: str) -> None:
    class Looking(Witness):
        def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
            observation, _ = aside.reset()
            agent.act(observation, aside, deterministic=True)
            return super().update(env_steps, gradient_steps, **scalars)

    env, aside = Channels(16, seed=0), Channels(4, seed=1)
    agent = make(name, env)
    agent.learn(env, Budget(env_steps=512), Looking())
    assert np.array_equal(deterministic(agent), deterministic(learnt(name)[0]))


@pytest.mark.parametrize("name", LEARNERS)
def test_a_saved_agent_acts_the_same_when_loaded_and_holds_no_pickle(
    name: str, tmp_path: Path
) -> None:
    agent, env = learnt(name)
    agent.save(tmp_path)
    files = sorted(path.suffix for path in tmp_path.rglob("*") if path.is_file())
    assert set(files) <= {".safetensors", ".json"} and ".safetensors" in files
    loaded = make(name, env, seed=17)
    assert not np.array_equal(deterministic(loaded), deterministic(agent))
    loaded.load(tmp_path)
    assert np.array_equal(deterministic(loaded), deterministic(agent))


@pytest.mark.parametrize("name", LEARNERS)
def test_an_agent_of_another_shape_is_not_loaded(name: str, tmp_path: Path) -> None:
    learnt(name)[0].save(tmp_path)
    with pytest.raises(ValueError):
        make(name, Storage(4), discount=0.9).load(tmp_path)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_budget_is_kept_and_progress_is_reported(name: str) -> None:
    env, witness = Channels(16), Witness()
    make(name, env).learn(env, Budget(env_steps=512), witness)
    steps = [call[0] for call in witness.calls]
    assert steps == sorted(steps) and 512 <= steps[-1] <= 512 + 128
    assert witness.calls[-1][1] > 0


@pytest.mark.parametrize("name", LEARNERS)
def test_learning_stops_when_the_monitor_says_so(name: str) -> None:
    env, witness = Channels(16), Witness(stop_at=200)
    make(name, env).learn(env, Budget(env_steps=100_000), witness)
    assert witness.calls[-1][0] < 1_000


@pytest.mark.parametrize("name", LEARNERS)
def test_a_problem_with_memory_is_learnt_on_too(name: str) -> None:
    env = Storage(16)
    agent = make(name, env, discount=0.99)
    agent.learn(env, Budget(env_steps=640), Witness())
    observation, _ = env.reset()
    assert np.isfinite(agent.act(observation, env)).all()


def test_the_diffusion_policy_comes_near_water_filling() -> None:
    env = Channels(64)
    agent = make(
        "gdm", env, width=128, batch_size=256, transitions_per_update=16, buffer_size=20_000
    )
    agent.learn(env, Budget(env_steps=20_000), Witness())
    held_out = Channels(256, seed=1)
    observation, _ = held_out.reset()
    reward = held_out.step(agent.act(observation, held_out))[1].mean()
    held_out.reset(options={"scenarios": np.arange(256)})
    blind = held_out.step(np.zeros((256, 10), np.float32))[1].mean()
    assert reward > 0.6 * blind  # regret of the equal split, the best constant by symmetry


def test_the_best_constant_finds_a_known_optimum() -> None:
    class Target(Channels):
        def transition(self, actions: np.ndarray) -> np.ndarray:
            return -np.square(actions - np.linspace(-0.8, 0.8, 10)).sum(1)

    env = Target(64)
    agent = make("constant", env)
    agent.learn(env, Budget(env_steps=60_000), Witness())
    assert np.abs(deterministic(agent) - np.linspace(-0.8, 0.8, 10)).max() < 0.1
