"""An environment goes on from the arrays it was written as, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import envs

NAMES = envs.problems()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("steps", [1, 7])
def test_an_environment_made_anew_goes_on_as_the_one_that_was_written(
    name: str, steps: int, tmp_path: Path
) -> None:
    problem, random = envs.load(name), np.random.default_rng(0)

    def made():
        return envs.make_vector(problem, num_envs=16, split="train", seed=5)

    def actions() -> np.ndarray:
        return random.uniform(-1, 1, (16, len(problem.action_names))).astype(np.float32)

    one, other = made(), made()
    one.reset()
    for _ in range(steps):
        one.step(actions())
    with (tmp_path / "moment.npz").open("wb") as file:
        np.savez(file, **one.state_arrays())
    with np.load(tmp_path / "moment.npz", allow_pickle=False) as arrays:
        other.set_state_arrays(dict(arrays))
    # Over the end of an episode, where there is one near: totals and the next scenarios too.
    for _ in range(12):
        action = actions()
        first, second = one.step(action), other.step(action)
        assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
        totals = [info.get("totals", {}) for info in (first[4], second[4])]
        assert totals[0].keys() == totals[1].keys()
        assert all(np.array_equal(totals[0][key], totals[1][key]) for key in totals[0])


def test_a_moment_of_another_size_is_refused() -> None:
    problem = envs.load("channels")
    small, large = (envs.make_vector(problem, num_envs=n) for n in (4, 8))
    small.reset()
    with pytest.raises(ValueError, match="expected 8 scenarios"):
        large.set_state_arrays(small.state_arrays())
