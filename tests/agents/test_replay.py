"""The replay ring against the plainest possible bookkeeping."""

import numpy as np
import pytest
import torch

from agents.actor_critic.replay import RowReplay

ENVS, OBSERVATION, ACTION = 3, 2, 1


def filled(steps: int, horizon: int, n_step: int, discount: float, rows: int) -> tuple:
    """A ring after some steps, and everything that was ever put in."""
    random = np.random.default_rng(0)
    ring = RowReplay(
        capacity=rows * ENVS,
        num_envs=ENVS,
        observation_size=OBSERVATION,
        action_size=ACTION,
        discount=discount,
        n_step=n_step,
        generator=torch.Generator().manual_seed(0),
    )
    history = []
    for step in range(steps):
        row = (
            random.normal(size=(ENVS, OBSERVATION)).astype(np.float32),
            random.normal(size=(ENVS, ACTION)).astype(np.float32),
            random.normal(size=ENVS).astype(np.float32),
            (step + 1) % horizon == 0,
        )
        ring.add(*(torch.from_numpy(part) for part in row[:3]), row[3])
        history.append(row)
    return ring, history


def naive(history: list, step: int, env: int, n_step: int, discount: float) -> tuple:
    """Sum of rewards, discount of what follows, and the observation it is the value of."""
    total, weight = 0.0, 1.0
    for later in range(step, step + n_step):
        total += weight * history[later][2][env]
        weight *= discount
        if history[later][3]:
            return total, 0.0, None
    return total, weight, history[step + n_step][0][env]


@pytest.mark.parametrize("horizon", [1, 5, 7, 1000])
@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("steps", [9, 20, 47])
def test_every_transition_that_can_be_drawn_has_the_return_computed_by_hand(
    horizon: int, n_step: int, steps: int
) -> None:
    discount = 0.9
    ring, history = filled(steps, horizon, n_step, discount, rows=16)
    batch, _ = ring.sample(None)
    first = max(steps - 16, 0)
    waiting = 0 if steps % horizon == 0 else min(n_step, steps % horizon)
    assert len(ring) == len(batch.obs) == ENVS * (steps - first - waiting)
    for position in range(len(ring)):
        step, env = first + position // ENVS, position % ENVS
        observation, action, reward, ends = (part for part in history[step])
        assert np.array_equal(batch.obs[position], observation[env])
        assert np.array_equal(batch.act[position], action[env])
        assert batch.rew[position] == reward[env]
        assert batch.continues[position] == pytest.approx(0.0 if ends else discount)
        total, weight, later = naive(history, step, env, n_step, discount)
        assert batch.returns[position] == pytest.approx(total, abs=1e-6)
        assert batch.bootstrap[position] == pytest.approx(weight, abs=1e-6)
        if weight > 0.0:
            assert np.array_equal(batch.obs_later[position], later)
        if not ends and horizon > 1:
            assert np.array_equal(batch.obs_next[position], history[step + 1][0][env])


def test_one_shot_problems_never_ask_for_a_value() -> None:
    ring, _ = filled(20, horizon=1, n_step=1, discount=0.0, rows=16)
    batch, _ = ring.sample(8)
    assert ring.never_bootstraps and not batch.bootstrap.any() and "obs_next" not in batch


def test_samples_come_from_the_whole_ring_and_nothing_else() -> None:
    ring, history = filled(30, horizon=1000, n_step=2, discount=0.9, rows=16)
    batch, _ = ring.sample(4000)
    kept = {float(row[0][env][0]) for row in history[14:28] for env in range(ENVS)}
    assert {float(value) for value in batch.obs[:, 0]} == kept
