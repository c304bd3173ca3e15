"""The whole episode is differentiable in torch, and the slope is the right one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import envs
from envs.simulation.batch import BatchSimulation
from tests.language import tiny

SMOOTH = tiny.problem(
    time={"horizon": 8},
    sets={"cell": 2},
    processes={"price": {"unit": "1", "sample": {"uniform": [1, 2]}}},
    decisions={
        "knob": {"unit": "1", "index": ["cell"], "box": [-1, 3]},
        "power": {"unit": "W", "log": [0.1, 10]},
        "share": {"unit": "1", "index": ["cell"], "simplex": "cell"},
    },
    states={
        "heat": {
            "unit": "1",
            "index": ["cell"],
            "init": 0.3,
            "next": "tanh(0.9 * heat + 0.2 * knob * share * price)",
            "bounds": [-1, 1],
            "terminal": {"cost": "heat ** 2 * '3 gCO2e'"},
        }
    },
    objective={
        "carbon": {
            "unit": "gCO2e",
            "expr": "(sum(price * (heat - 0.4) ** 2 + share * knob ** 2, cell)"
            " + sqrt(power / '1 W')) * '1 gCO2e'",
        }
    },
    metrics={"energy": {"unit": "J", "expr": "power * time_step"}},
    observe={"heat": {"unit": "1", "expr": "heat", "linear": [-1, 1]}},
)


def _total(simulation: BatchSimulation, actions) -> object:
    """Carbon and penalties of whole episodes ``(batch,)`` under actions ``(horizon, batch, A)``."""
    simulation.reset(np.arange(simulation.batch))
    for row in actions:
        simulation.step(row)
    return simulation.episode()["objective_g"]


@pytest.mark.parametrize("name", ["smooth", "offload_paper", "channels"])
def test_the_gradient_of_total_carbon_agrees_with_finite_differences(name: str) -> None:
    compiled = (SMOOTH if name == "smooth" else envs.load(name)).compiled()
    batch, horizon = 6, compiled.spec.time.horizon
    rng = np.random.default_rng(3)
    actions = rng.uniform(-0.9, 0.9, (horizon, batch, compiled.action_size))
    along = torch.tensor(actions, requires_grad=True)
    _total(BatchSimulation(compiled, batch, backend="torch"), along).sum().backward()
    assert along.grad is not None
    simulation, width = BatchSimulation(compiled, batch), 1e-6
    # Scenarios do not touch each other: one direction for each tests the whole gradient.
    for direction in rng.standard_normal((4, *actions.shape)):
        ahead = _total(simulation, actions + width * direction)
        behind = _total(simulation, actions - width * direction)
        slope = (along.grad.numpy() * direction).sum(axis=(0, 2))
        np.testing.assert_allclose((ahead - behind) / (2 * width), slope, rtol=1e-5, atol=1e-7)


def test_each_action_of_an_episode_has_a_gradient() -> None:
    compiled = SMOOTH.compiled()
    actions = torch.zeros((8, 1, compiled.action_size), dtype=torch.float64, requires_grad=True)
    _total(BatchSimulation(compiled, 1, backend="torch"), actions).sum().backward()
    assert actions.grad is not None
    # An even share leaves nothing to gain by sharing differently; everything else has a slope.
    assert (actions.grad[:, 0, :3].abs() > 1e-6).all()


def test_a_clone_carries_its_gradient() -> None:
    compiled = SMOOTH.compiled()
    simulation = BatchSimulation(compiled, 1, backend="torch")
    simulation.reset()
    action = torch.zeros((1, compiled.action_size), dtype=torch.float64, requires_grad=True)
    simulation.step(action)
    state = simulation.clone_state()
    simulation.step(torch.ones_like(action))
    simulation.set_state(state)
    simulation.step(torch.zeros_like(action))
    simulation.carbon_g.sum().backward()
    assert action.grad is not None
    assert action.grad[0, 0] != 0


@pytest.mark.parametrize("name", envs.problems())
def test_gradients_are_numbers_inside_and_at_the_corners(name: str) -> None:
    """Roots of nothing, shares of nobody, angles of no vector: all have a slope."""
    problem = envs.load(name)
    env = envs.make_vector(problem, 24, seed=1, backend="torch")
    assert isinstance(env, envs.DifferentiableVectorEnv)
    env.reset()
    size = len(problem.action_names)
    random = np.random.default_rng(0)
    for _ in range(min(problem.horizon, 3)):
        inside = random.uniform(-1, 1, (16, size))
        corners = random.choice([-1.0, 0.0, 1.0], (6, size))
        ends = np.stack([np.full(size, -1.0), np.full(size, 1.0)])
        action = torch.tensor(np.concatenate([inside, corners, ends]), requires_grad=True)
        rewards, _ = env.step_tensors(action)
        torch.autograd.backward(rewards.sum() + env.observed().sum())
        assert action.grad is not None
        assert action.grad.isfinite().all()
        assert action.grad.any()
        env.cut()
