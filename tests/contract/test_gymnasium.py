"""Everybody's interface: Gymnasium's checks, Stable-Baselines3's, and the registry."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_by_gymnasium
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as check_by_sb3

import envs
from envs.spec.reader import read


def test_gymnasium_finds_no_fault(problem: envs.Problem) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # That a bound is infinite is declared: observations are scaled, not limited.
        warnings.filterwarnings("ignore", message=".*Box observation space m.*imum value is.*")
        check_by_gymnasium(envs.make(problem), skip_render_check=True)


def test_stable_baselines_finds_no_fault(problem: envs.Problem) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_by_sb3(envs.make(problem), warn=True)


@pytest.mark.parametrize("module", ["", "envs:"])
def test_a_problem_is_registered(problem: envs.Problem, module: str) -> None:
    env = gymnasium.make(module + problem.id, split="test", reward_scale=2.0)
    plain = envs.make(problem, split="test")
    assert isinstance(env.unwrapped, envs.ProblemEnv)
    observation, _ = env.reset(seed=3)
    np.testing.assert_array_equal(observation, plain.reset(seed=3)[0])
    action = np.zeros(env.action_space.shape, dtype=np.float32)
    step, same = env.step(action), plain.step(action)
    np.testing.assert_array_equal(step[0], same[0])
    assert step[1] == pytest.approx(same[1] / 2)


@pytest.mark.parametrize("module", ["", "envs:"])
def test_a_problem_is_registered_as_a_vector_environment(
    problem: envs.Problem, module: str
) -> None:
    env = gymnasium.make_vec(
        module + problem.id, num_envs=3, vectorization_mode="vector_entry_point", split="test"
    )
    assert isinstance(env.unwrapped, envs.ProblemVectorEnv)
    assert env.num_envs == 3
    observation, _ = env.reset(seed=0)
    same, _ = envs.make_vector(problem, num_envs=3, split="test").reset(seed=0)
    np.testing.assert_array_equal(observation, same)
    assert env.observation_space.contains(observation)


def test_gymnasium_can_batch_single_environments_itself(problem: envs.Problem) -> None:
    env = gymnasium.make_vec(problem.id, num_envs=2, vectorization_mode="sync")
    env.reset(seed=0)
    *_, info = env.step(np.zeros(env.action_space.shape, dtype=np.float32))
    assert info["carbon_g"].shape == (2,)
    assert info["cost"].shape == (2, len(problem.spec.constraints))
    env.close()


def test_spaces_are_those_of_the_page(problem: envs.Problem) -> None:
    env, single = envs.make_vector(problem, num_envs=2), envs.make(problem)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    for space in (env.single_action_space, single.action_space):
        assert space == gymnasium.spaces.Box(-1, 1, (len(problem.action_names),), np.float32)
    for space in (env.single_observation_space, single.observation_space):
        assert space.shape == (len(problem.observation_names),)
        assert space.dtype == np.float32
    assert env.observation_space.shape == (2, *single.observation_space.shape)
    assert len(set(problem.action_names)) == len(problem.action_names)
    assert len(set(problem.observation_names)) == len(problem.observation_names)


def test_results_have_the_types_of_the_page(problem: envs.Problem) -> None:
    env, single = envs.make_vector(problem, num_envs=2), envs.make(problem)
    observation, _ = env.reset(seed=0)
    step: Any = env.step(np.zeros(env.action_space.shape, dtype=np.float32))
    constraints = len(problem.spec.constraints)
    for seen in (observation, step[0]):
        assert seen.dtype == np.float32
        assert seen.shape == env.observation_space.shape
    assert (step[1].dtype, step[1].shape) == (np.float64, (2,))
    assert (step[2].dtype, step[3].dtype) == (np.bool_, np.bool_)
    for name in ("carbon_g", "penalty_g", "energy_j"):
        assert (step[4][name].dtype, step[4][name].shape) == (np.float64, (2,))
    assert step[4]["cost"].shape == (2, constraints)
    single.reset(seed=0)
    _, reward, terminated, truncated, info = single.step(np.zeros(single.action_space.shape))
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert info["cost"].shape == (constraints,)


def test_the_id_says_the_version_of_the_document(problem: envs.Problem) -> None:
    document = read((envs.LIBRARY / f"{problem.name}.yaml").read_bytes())
    assert problem.version == document["meta"].get("version", 0)
    assert problem.id in gymnasium.registry
    registered = [name for name in gymnasium.registry if name.startswith("lowcarbon/")]
    assert len(registered) == len(envs.problems())


def test_a_file_of_the_library_is_called_as_its_problem(problem: envs.Problem) -> None:
    assert (envs.LIBRARY / f"{problem.name}.yaml").exists()


def test_an_episode_that_has_ended_must_be_reset(problem: envs.Problem) -> None:
    env = envs.make(problem)
    env.reset(seed=0)
    action = np.zeros(env.action_space.shape, dtype=np.float32)
    for _ in range(problem.horizon):
        *_, terminated, _, info = env.step(action)
    assert terminated
    assert info["totals"]["length"] == problem.horizon
    ended = env.clone_state()
    for act in (lambda: None, lambda: env.set_state(ended)):
        act()
        with pytest.raises(gymnasium.error.ResetNeeded):
            env.step(action)
    vector = envs.make_vector(problem, num_envs=2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        vector.step(np.stack([action] * 2))
