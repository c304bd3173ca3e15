"""Ten thousand random episodes of every problem, in long batches."""

from __future__ import annotations

import numpy as np
import pytest

import envs

BATCH, ROUNDS = 1000, 10


@pytest.mark.slow
def test_ten_thousand_random_episodes_stay_finite(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, BATCH, seed=7)
    random = np.random.default_rng(7)
    env.reset()
    for _ in range(ROUNDS * problem.horizon):
        action = random.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        observation, reward, _, _, info = env.step(action)
        assert np.isfinite(observation).all() and np.isfinite(reward).all()
        assert np.isfinite(info["carbon_g"]).all() and np.isfinite(info["penalty_g"]).all()
