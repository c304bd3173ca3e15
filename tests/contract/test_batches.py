"""One scenario is one scenario.

Alone or in company, in NumPy or torch, again or for the first time.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import envs
from envs.simulation.batch import BatchSimulation, State
from tests.contract.play import Array, arrays, play, random_actions

TOLERANCE = 1e-9


def _results(simulation: BatchSimulation) -> dict[str, Array]:
    """Everything of a step, ``(batch, …)``."""
    cost = [np.asarray(c) for c in simulation.cost]
    return {
        "observation": np.asarray(simulation.observation).copy(),
        "carbon_g": np.asarray(simulation.carbon_g),
        "penalty_g": np.asarray(simulation.penalty_g),
        "energy_j": np.asarray(simulation.energy_j),
        **({"cost": np.stack(cost, axis=-1)} if cost else {}),
    }


def _assert_close(one: dict[str, Array], other: dict[str, Array], tolerance: float) -> None:
    for name, value in one.items():
        scale = max(1.0, float(np.abs(value).max()))
        np.testing.assert_allclose(
            other[name], value, rtol=tolerance, atol=tolerance * scale, err_msg=name
        )


def test_a_batch_of_one_is_a_row_of_a_batch_of_many(problem: envs.Problem) -> None:
    compiled, batch, row = problem.compiled(), 5, 3
    many, one = BatchSimulation(compiled, batch), BatchSimulation(compiled, 1)
    single = envs.make(problem)
    many.reset(np.arange(10, 10 + batch))
    one.reset(np.array([10 + row]))
    seen, _ = single.reset(options={"scenario": 10 + row})
    np.testing.assert_allclose(one.observation[0], many.observation[row], rtol=1e-9, atol=1e-9)
    for actions in random_actions(problem, batch)[: problem.horizon]:
        many.step(actions)
        one.step(actions[row : row + 1])
        seen, reward, _, _, info = single.step(actions[row])
        alone = _results(one)
        _assert_close({n: v[row : row + 1] for n, v in _results(many).items()}, alone, TOLERANCE)
        np.testing.assert_allclose(seen, alone["observation"][0], rtol=1e-6, atol=1e-6)
        assert reward == pytest.approx(-(alone["carbon_g"] + alone["penalty_g"])[0], rel=1e-9)
        assert info["energy_j"] == pytest.approx(alone["energy_j"][0], rel=1e-9)


def test_a_scenario_does_not_depend_on_its_place_in_the_batch(problem: envs.Problem) -> None:
    numbers, actions = np.array([4, 0, 9, 2]), random_actions(problem, 4)[: problem.horizon]
    order = np.array([2, 0, 3, 1])
    env = envs.make_vector(problem, 4)
    plain = list(play(env, actions, options={"scenarios": numbers}))
    moved = list(play(env, actions[:, order], options={"scenarios": numbers[order]}))
    for one, other in zip(plain, moved, strict=True):
        np.testing.assert_allclose(other[1], one[1][order], rtol=1e-9, atol=1e-9)


def _compared_steps(problem: envs.Problem) -> list[int]:
    """A dozen steps of an episode, the first and last among them."""
    return sorted({int(t) for t in np.linspace(0, problem.horizon - 1, 12)})


@pytest.mark.parametrize(
    ("dtype", "tolerance", "flips"), [("float64", TOLERANCE, 0.0), ("float32", 1e-4, 0.005)]
)
def test_torch_does_what_numpy_does_from_the_same_state(
    problem: envs.Problem, dtype: str, tolerance: float, flips: float
) -> None:
    """In float32 a few scenarios may fall on the other side of a threshold."""
    compiled, batch = problem.compiled(), 32
    plain = BatchSimulation(compiled, batch)
    tensors = BatchSimulation(compiled, batch, backend="torch", dtype=dtype)
    plain.reset(np.arange(batch))
    tensors.reset(np.arange(batch))
    np.testing.assert_allclose(
        tensors.observation.numpy(), plain.observation, rtol=tolerance, atol=tolerance
    )
    compared, off = _compared_steps(problem), 0
    for t, actions in enumerate(random_actions(problem, batch)[: problem.horizon]):
        if t in compared:
            tensors.set_state(plain.clone_state())
            tensors.step(actions)
        plain.step(actions)
        if t in compared:
            expected, found = _results(plain), _results(tensors)
            close = np.ones(batch, dtype=bool)
            for name, value in expected.items():
                scale = np.abs(value).reshape(batch, -1).mean() + 1e-12
                apart = np.abs(found[name] - value) - tolerance * np.abs(value)
                close &= (apart.reshape(batch, -1) <= tolerance * scale).all(axis=1)
            off += int((~close).sum())
    assert off <= flips * batch * len(compared)


def test_torch_accounts_for_an_episode_as_numpy_does(problem: envs.Problem) -> None:
    """Only short episodes: on long ones a difference in the last bit may cross a threshold."""
    steps = min(problem.horizon, 3)
    one, other = (envs.make_vector(problem, 3, backend=name) for name in ("numpy", "torch"))
    actions = random_actions(problem, 3)[:steps]
    for a, b in zip(play(one, actions), play(other, actions), strict=True):
        for x, y in zip(arrays(a), arrays(b), strict=True):
            np.testing.assert_allclose(y, x, rtol=1e-6, atol=1e-6)


def _replay(env: envs.ProblemVectorEnv, state: State, actions: Array) -> list[Any]:
    env.set_state(state)
    return [env.step(row) for row in actions]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_clone_replays_exactly(problem: envs.Problem, backend: str) -> None:
    """Across the end of the episode too, and in an environment with a history of its own."""
    env = envs.make_vector(problem, 3, backend=backend)
    other = envs.make_vector(problem, 3, seed=7, backend=backend)
    other.reset()
    actions = random_actions(problem, 3)
    env.reset(seed=1)
    middle = max(0, problem.horizon - 4)
    for row in actions[:middle]:
        env.step(row)
    other.step(actions[0])
    state = env.clone_state()
    rest = actions[middle:]
    first = [env.step(row) for row in rest]
    for again in (_replay(env, state, rest), _replay(other, state, rest)):
        for one, two in zip(first, again, strict=True):
            for a, b in zip(arrays(one), arrays(two), strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_clone_is_not_changed_by_what_follows(problem: envs.Problem) -> None:
    env, actions = envs.make_vector(problem, 2), random_actions(problem, 2)
    env.reset(seed=0)
    state = env.clone_state()
    before, totals = [np.array(value) for value in state.values], np.array(state.totals)
    for row in actions:
        env.step(row)
    for value, same in zip(state.values, before, strict=True):
        np.testing.assert_array_equal(value, same)
    assert state.time == 0
    np.testing.assert_array_equal(state.totals, totals)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copied_environment_goes_on_alone_and_alike(
    problem: envs.Problem, way: Callable[[Any], Any], backend: str
) -> None:
    env = envs.make_vector(problem, 2, seed=4, backend=backend)
    unused = way(env)
    np.testing.assert_array_equal(unused.reset()[0], env.reset()[0])
    actions = random_actions(problem, 2)[: min(problem.horizon + 2, 20)]
    env.step(actions[0])
    names = list(problem.spec.equations)
    twin, before = way(env), env.quantities(names)
    first = [env.step(row) for row in actions]
    for name, value in twin.quantities(names).items():
        np.testing.assert_array_equal(value, before[name])
    for one, row in zip(first, actions, strict=True):
        for a, b in zip(arrays(one), arrays(twin.step(row)), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_copied_single_environment_goes_on_alike(problem: envs.Problem) -> None:
    env = envs.make(problem)
    env.reset(seed=0)
    twin, actions = copy.deepcopy(env), random_actions(problem, 1)[: min(problem.horizon, 5), 0]
    for row in actions:
        one, other = env.step(row), twin.step(row)
        np.testing.assert_array_equal(other[0], one[0])
        assert other[1:4] == one[1:4]
