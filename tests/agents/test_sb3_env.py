"""The adapter under Stable-Baselines3's own eyes."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from stable_baselines3 import A2C
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from agents.sb3_env import BatchVecEnv, RowNoise
from tests.agents.stubs import Channels, Storage


def test_steps_are_those_of_the_wrapped_environment() -> None:
    plain, rows = Storage(5), BatchVecEnv(Storage(5))
    expected, _ = plain.reset()
    assert np.array_equal(rows.reset(), expected)
    random = np.random.default_rng(0)
    for step in range(1, 45):
        actions = random.uniform(-1.0, 1.0, (5, 2)).astype(np.float32)
        observation, reward, terminated, _, _ = plain.step(actions)
        seen, rewards, dones, infos = rows.step(actions)
        assert np.array_equal(seen, observation) and np.allclose(rewards, reward)
        assert np.array_equal(dones, terminated) and dones.all() == (step % 20 == 0)
        assert infos == [{}] * 5


def test_an_algorithm_and_the_wrappers_of_stable_baselines3_run_on_it() -> None:
    rows = VecNormalize(VecMonitor(BatchVecEnv(Storage(4))))
    model = A2C("MlpPolicy", rows, n_steps=5, device="cpu").learn(200)
    mean, _ = evaluate_policy(model, VecMonitor(BatchVecEnv(Storage(4))), n_eval_episodes=8)
    assert np.isfinite(mean)


def test_an_environment_that_resets_a_step_later_is_refused() -> None:
    env = Channels(2)
    env.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    with pytest.raises(ValueError, match="SAME_STEP"):
        BatchVecEnv(env)


def test_noise_is_drawn_for_the_whole_row() -> None:
    noise = RowNoise(0.1, 1000, 3)
    noise.reset(indices=[5])
    drawn = noise()
    assert drawn.shape == (1000, 3) and 0.09 < drawn.std() < 0.11
