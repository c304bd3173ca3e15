"""Power over parallel channels: Shannon's rate, and water-filling against a convex solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

import envs
from envs.oracle.water_filling import solve, split_power
from tests.golden.played import play


def test_the_carbon_of_a_gigabit_is_power_times_airtime_times_intensity() -> None:
    played = play("channels", 64, ("share",))
    gain = played.scenarios.paths["gain"][0]
    power = 3.0 * played.decisions[0]["share"]
    rate_bit_s = 1e6 * np.log2(1 + gain * power).sum(axis=1)
    energy_j = (17 + 2.6 * 3.0) * 1e9 / rate_bit_s
    np.testing.assert_allclose(played.info[0]["energy_j"], energy_j, rtol=1e-9)
    np.testing.assert_allclose(played.info[0]["carbon_g"], energy_j / 3.6e6 * 367, rtol=1e-9)


def test_water_filling_agrees_with_a_general_solver() -> None:
    gain = np.random.default_rng(0).uniform(0.01, 2, (5, 10))
    for row, power in zip(gain, split_power(gain, 3.0), strict=True):
        assert power.sum() == pytest.approx(3.0) and (power >= 0).all()
        found = minimize(
            lambda p, g=row: -np.log2(1 + g * p).sum(),
            np.full(10, 0.3),
            bounds=[(0, 3)] * 10,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 3},
            options={"ftol": 1e-12, "maxiter": 500},
        )
        assert np.log2(1 + row * power).sum() >= -found.fun - 1e-9


def test_no_random_split_beats_water_filling() -> None:
    problem = envs.load("channels")
    bound = solve(problem, "test", np.arange(500))["certified"]
    env = envs.make_vector(problem, 500, split="test")
    for seed in range(5):
        env.reset(options={"scenarios": np.arange(500)})
        actions = np.random.default_rng(seed).uniform(-1, 1, (500, 10)).astype(np.float32)
        assert (env.step(actions)[4]["carbon_g"] >= bound).all()
