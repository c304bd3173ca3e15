"""Order in time: see s_t and w_t, act, pay c(s_t, a_t, w_t), then s_{t+1} follows."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import envs
from envs.simulation import sample_scenarios
from tests.language import tiny

HORIZON = 5


@pytest.fixture(params=["numpy", "torch"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _problem() -> envs.Problem:
    return tiny.problem(
        time={"horizon": HORIZON},
        parameters={"size": {"unit": "1", "sample": {"uniform": [1, 2]}}},
        processes={"noise": {"unit": "1", "sample": {"uniform": [0, 1]}}},
        states={
            "level": {
                "unit": "1",
                "init": "size",
                "next": "clip(level + knob + noise, -99, 99)",
                "bounds": [-99, 99],
            },
            "before": {"unit": "1", "init": -7, "next": "level", "bounds": [-99, 99]},
            "flip": {"unit": "1", "init": 0, "next": "flop", "bounds": [0, 1]},
            "flop": {"unit": "1", "init": 1, "next": "flip", "bounds": [0, 1]},
        },
        equations={
            "bill": {"unit": "kgCO2e", "expr": "(3 * level + 5 * knob + 7 * noise) * '1 gCO2e'"}
        },
        objective={"carbon": {"unit": "gCO2e", "expr": "bill"}},
        metrics={"energy": {"unit": "kJ", "expr": "level * '2 kJ'"}},
        constraints={
            "scalar": {"unit": "1", "expr": "level - 3", "penalty": 2},
            "never": {"unit": "1", "expr": "-1", "penalty": 1},
        },
        observe={
            "remaining": {"unit": "1", "expr": "time_remaining", "linear": [-1, 1]},
            "noise": {"unit": "1", "expr": "noise", "linear": [-1, 1]},
            "level": {"unit": "1", "expr": "level", "linear": [-1, 1]},
            "before": {"unit": "1", "expr": "before", "linear": [-1, 1]},
            "flip": {"unit": "1", "expr": "flip", "linear": [-1, 1]},
            "flop": {"unit": "1", "expr": "flop", "linear": [-1, 1]},
        },
    )


def test_an_episode_is_the_recursion_that_the_page_describes(backend: str) -> None:
    problem, batch = _problem(), 3
    drawn = sample_scenarios(problem, "train", np.arange(batch))
    noise, size = drawn.paths["noise"], drawn.parameters["size"]
    env = envs.make_vector(problem, num_envs=batch, backend=backend)
    observation, info = env.reset(seed=0)
    assert info == {}
    actions = np.random.default_rng(0).uniform(-1, 1, (HORIZON, batch, 1)).astype(np.float32)
    knobs = actions[:, :, 0].astype(np.float64)
    level, before, flip = size, np.full(batch, -7.0), np.zeros(batch)
    total = np.zeros(batch)
    for t in range(HORIZON):
        remaining = np.full(batch, (HORIZON - t) / HORIZON)
        seen = np.stack([remaining, noise[t], level, before, flip, 1 - flip], axis=1)
        np.testing.assert_allclose(observation, seen, rtol=1e-6, atol=1e-6)
        carbon = 3 * level + 5 * knobs[t] + 7 * noise[t]
        violation = np.maximum(level - 3, 0)
        observation, reward, terminated, truncated, info = env.step(actions[t])
        np.testing.assert_allclose(info["carbon_g"], carbon, rtol=1e-9)
        np.testing.assert_allclose(info["penalty_g"], 2 * violation, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(info["energy_j"], 2000 * level, rtol=1e-9)
        np.testing.assert_allclose(info["cost"], np.stack([violation, 0 * violation], 1), atol=1e-9)
        np.testing.assert_allclose(reward, -(carbon + 2 * violation), rtol=1e-9)
        assert terminated.tolist() == [t == HORIZON - 1] * batch
        assert not truncated.any()
        total += carbon + 2 * violation
        # The step just taken, not the one to come.
        looked_at = env.quantities(["level", "noise", "bill", "knob", "flip"])
        np.testing.assert_allclose(looked_at["level"], level, rtol=1e-9)
        np.testing.assert_allclose(looked_at["noise"], noise[t], rtol=1e-9)
        np.testing.assert_allclose(looked_at["knob"], knobs[t], rtol=1e-9)
        np.testing.assert_allclose(looked_at["bill"], carbon / 1000, rtol=1e-9)
        np.testing.assert_allclose(looked_at["flip"], flip)
        level, before, flip = level + knobs[t] + noise[t], level, 1 - flip
    np.testing.assert_allclose(info["final_obs"][:, 2], level, rtol=1e-6)
    np.testing.assert_allclose(info["final_obs"][:, 3], before, rtol=1e-6)
    np.testing.assert_allclose(info["totals"]["objective_g"], total, rtol=1e-9)


def test_after_the_last_step_the_next_episodes_have_begun(backend: str) -> None:
    problem = _problem()
    env = envs.make_vector(problem, num_envs=3, backend=backend)
    env.reset(seed=0)
    for _ in range(HORIZON):
        observation, *_ = env.step(tiny.actions(env))
    sizes = sample_scenarios(problem, "train", np.arange(3, 6)).parameters["size"]
    np.testing.assert_allclose(observation[:, 2], sizes, rtol=1e-6)
    assert observation[:, 0].tolist() == [1, 1, 1]
    assert env.quantities(["level"])["level"].min() > 1


def test_there_is_nothing_to_look_at_before_the_first_step() -> None:
    env = envs.make_vector(_problem(), num_envs=2)
    env.reset(seed=0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.quantities(["level"])
    single = envs.make(_problem())
    with pytest.raises(gymnasium.error.ResetNeeded):
        single.step(np.zeros(1, dtype=np.float32))


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        ("sum", lambda x: x.sum(axis=0)),
        ("mean", lambda x: x.mean(axis=0)),
        ("max", lambda x: x.max(axis=0)),
        ("last", lambda x: x[-1]),
    ],
)
def test_a_metric_is_reduced_as_told_in_its_unit(reduce: str, expected, backend: str) -> None:
    problem = tiny.problem(
        time={"horizon": HORIZON},
        processes={"noise": {"unit": "W", "sample": {"uniform": [-9, -1]}}},
        metrics={"probe": {"unit": "mW", "expr": "noise", "reduce": reduce}},
    )
    env = envs.make_vector(problem, num_envs=4, backend=backend)
    noise = tiny.paths(problem, ["noise"], 8)["noise"] * 1e3
    env.reset(seed=0)
    for episode in range(2):
        for _ in range(HORIZON):
            *_, info = env.step(tiny.actions(env))
        rows = noise[:HORIZON, 4 * episode : 4 * episode + 4]
        np.testing.assert_allclose(info["totals"]["metric.probe"], expected(rows), rtol=1e-9)
        assert info["totals"]["length"].tolist() == [HORIZON] * 4


def test_totals_so_far_count_the_steps_so_far(backend: str) -> None:
    problem = tiny.problem(metrics={"probe": {"unit": "1", "expr": "knob", "reduce": "mean"}})
    env = envs.make_vector(problem, num_envs=2, backend=backend)
    env.reset(seed=0)
    for steps in range(1, problem.horizon):
        env.step(tiny.actions(env, 0.5))
        totals = env.simulation.episode()
        assert totals["length"].tolist() == [steps] * 2
        np.testing.assert_allclose(np.asarray(totals["metric.probe"]), 0.5)
    *_, info = env.step(tiny.actions(env, 0.5))
    np.testing.assert_allclose(info["totals"]["metric.probe"], 0.5)


def test_violations_of_an_indexed_constraint_are_summed_in_their_unit(backend: str) -> None:
    problem = tiny.problem(
        sets={"user": 3},
        parameters={"need": {"unit": "W", "index": ["user"], "value": [1, 2, 3]}},
        constraints={"served": {"unit": "kW", "expr": "need - (1 + knob) * '1 W'", "penalty": 500}},
    )
    env = envs.make_vector(problem, num_envs=1, backend=backend)
    env.reset(seed=0)
    *_, info = env.step(tiny.actions(env, 0.5))
    assert info["cost"][0, 0] == pytest.approx((0.5 + 1.5) / 1000)
    assert info["penalty_g"][0] == pytest.approx(1.0)
