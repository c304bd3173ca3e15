"""Agents that learn through the simulation: what they need of it, and what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import envs
from agents import Budget
from benchmark.evaluation import evaluate
from tests.agents.test_contract import Witness
from tests.resume.learning import make, saved

NAMES = ("gdm_shac", "mlp_shac")


def learnt(name: str, problem: envs.Problem, steps: int, monitor: Any = None) -> Any:
    agent = make(name, problem)
    env = envs.make_vector(problem, num_envs=16, split="train", seed=0, backend="torch")
    agent.learn(env, Budget(steps), monitor or Witness())
    return agent


def objective_g(agent: Any, problem: envs.Problem) -> float:
    return float(evaluate(problem, agent.act, 32, "validation").objective_g.mean())


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_a_one_shot_problem_better_than_equal_shares(name: str) -> None:
    problem = envs.load("channels")
    taught = objective_g(learnt(name, problem, 6_400), problem)
    equal = np.zeros((32, len(problem.action_names)), np.float32)
    alike = evaluate(problem, lambda *_: equal, 32, "validation").objective_g.mean()
    assert taught < alike


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_over_many_steps(name: str) -> None:
    problem = envs.load("v2g")
    assert objective_g(learnt(name, problem, 9_600), problem) < 0.9 * objective_g(
        make(name, problem), problem
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_learns_the_same_to_the_bit(name: str, tmp_path: Path) -> None:
    problem = envs.load("v2g")
    one, other = (learnt(name, problem, 1_000) for _ in range(2))
    assert saved(one, tmp_path / "a") == saved(other, tmp_path / "b")
    assert saved(one, tmp_path / "c") != saved(make(name, problem), tmp_path / "d")


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_agent_acts_as_the_saved_one(name: str, tmp_path: Path) -> None:
    problem = envs.load("channels")
    agent, other = learnt(name, problem, 800), make(name, problem)
    observation, _ = envs.make_vector(problem, 8).reset(seed=0)
    before = agent.act(observation, None)
    assert not np.array_equal(other.act(observation, None), before)
    agent.save(tmp_path)
    other.load(tmp_path)
    np.testing.assert_array_equal(other.act(observation, None), before)


def test_the_budget_is_spent_to_the_step_and_windows_end_with_episodes() -> None:
    problem = envs.load("v2g")
    witness = Witness()
    learnt("mlp_shac", problem, 16 * (problem.horizon + 2), witness)
    spent = [steps // 16 for steps, _ in witness.calls]
    assert problem.horizon in spent
    assert spent[-1] == problem.horizon + 2
    assert max(np.diff([0, *spent])) == 4


def test_it_stops_when_told_to() -> None:
    witness = Witness(stop_at=200)
    learnt("mlp_shac", envs.load("channels"), 10_000, witness)
    assert 200 <= witness.calls[-1][0] < 232


def test_an_environment_without_gradients_is_refused() -> None:
    problem = envs.load("channels")
    env = envs.make_vector(problem, num_envs=16)
    with pytest.raises(TypeError, match='backend="torch"'):
        make("gdm_shac", problem).learn(env, Budget(100), Witness())


def test_gradients_run_through_the_steps_of_an_episode_and_end_at_a_cut() -> None:
    env = envs.make_vector("v2g", num_envs=2, backend="torch")
    assert isinstance(env, envs.DifferentiableVectorEnv)
    size = len(env.problem.action_names)

    def earned(action: torch.Tensor, cut: bool) -> torch.Tensor:
        env.reset(seed=4)
        env.step_tensors(action)
        if cut:
            env.cut()
        return (
            env.observed().double().sum()
            + torch.stack(
                [env.step_tensors(torch.zeros(2, size))[0].double() for _ in range(3)]
            ).sum()
        )

    at = torch.full((2, size), 0.1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(earned(at, cut=False), at)
    steepest = int(slope.abs().argmax())
    step = torch.zeros(2 * size, dtype=torch.float64)
    step[steepest] = 1e-4
    with torch.no_grad():
        up, down = (earned(at + sign * step.view(2, size), cut=False) for sign in (1, -1))
    assert slope.flatten()[steepest].item() == pytest.approx(((up - down) / 2e-4).item(), rel=1e-2)
    assert not earned(at, cut=True).requires_grad


def test_steps_on_tensors_and_on_arrays_are_the_same() -> None:
    one, other = (envs.make_vector("cooling", 3, seed=2, backend="torch") for _ in range(2))
    one.reset(), other.reset()
    random = np.random.default_rng(0)
    for _ in range(one.problem.horizon + 2):  # over the end of the episodes
        action = random.uniform(-1, 1, (3, len(one.problem.action_names))).astype(np.float32)
        observation, reward, terminated, _, _ = one.step(action)
        rewards, ended = other.step_tensors(torch.from_numpy(action))
        np.testing.assert_array_equal(rewards.numpy(), reward.astype(np.float32))
        np.testing.assert_array_equal(other.observed().numpy(), observation)
        assert ended == terminated[0]
