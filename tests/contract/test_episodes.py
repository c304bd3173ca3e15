"""What an agent meets: repeatable, finite, scaled, varied, and honestly accounted."""

from __future__ import annotations

import numpy as np

import envs
from tests.contract.play import arrays, play, random_actions

SPLITS = ("train", "validation", "test", "ood")


def test_the_same_seed_and_actions_give_the_same_episode(problem: envs.Problem) -> None:
    actions = random_actions(problem, 3)
    first, second = (list(play(envs.make_vector(problem, 3), actions, seed=5)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        for a, b in zip(arrays(one), arrays(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_another_seed_gives_other_episodes(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, 3)
    assert (env.reset(seed=0)[0] != env.reset(seed=1)[0]).any(axis=1).all()


def test_random_episodes_stay_finite_in_every_split(problem: envs.Problem) -> None:
    for split in SPLITS:
        for step in play(envs.make_vector(problem, 8, split=split), random_actions(problem, 8)):
            assert all(np.isfinite(array).all() for array in arrays(step))


def test_the_extremes_of_the_action_box_stay_finite(problem: envs.Problem) -> None:
    signs = np.sign(random_actions(problem, 8, seed=2))
    signs[:, 0], signs[:, 1] = -1, 1
    for step in play(envs.make_vector(problem, 8), signs):
        assert all(np.isfinite(array).all() for array in arrays(step))


def test_observations_are_about_as_large_as_one_vary_and_start_anywhere(
    problem: envs.Problem,
) -> None:
    batch = max(16, 512 // problem.horizon)
    steps = list(play(envs.make_vector(problem, batch), random_actions(problem, batch)))
    seen = np.stack([step[0] for step in steps[: problem.horizon]])
    assert np.quantile(np.abs(seen), 0.999) < 10
    spread = seen.reshape(-1, seen.shape[-1]).std(axis=0)
    constant = [n for n, s in zip(problem.observation_names, spread, strict=True) if s < 1e-4]
    assert not constant
    assert len(np.unique(seen[0], axis=0)) == batch


def test_what_was_returned_is_the_callers_own(problem: envs.Problem) -> None:
    """No array is shared between steps, and spoiling one changes nothing that follows."""
    actions = random_actions(problem, 3)[: min(problem.horizon + 2, 30)]
    before = list(play(envs.make_vector(problem, 3), actions))
    lent = [array for step in before for array in arrays((step[0], step[1], step[4]))]
    ends = sorted(np.lib.array_utils.byte_bounds(array) for array in lent if array.size)
    owners = {start for start, _ in ends}
    assert all(a[1] <= b[0] for a, b in zip(ends, ends[1:], strict=False)), "memory is shared"
    assert len(owners) == len(ends)
    spoilt = play(envs.make_vector(problem, 3), actions.copy())
    for step, expected in zip(spoilt, before, strict=True):
        for a, b in zip(arrays(step), arrays(expected), strict=True):
            np.testing.assert_array_equal(a, b)
        for array in arrays(step):
            array[...] = np.nan if array.dtype.kind == "f" else 1


def test_episodes_reset_in_the_step_that_ends_them(problem: envs.Problem) -> None:
    env, horizon = envs.make_vector(problem, 3), problem.horizon
    steps = list(play(env, np.zeros((2 * horizon, 3, len(problem.action_names)), np.float32)))
    fresh = envs.make_vector(problem, 3)
    fresh.reset(seed=0)
    next_ones, _ = fresh.reset()
    for t, (observation, _, terminated, truncated, info) in enumerate(steps[1:], start=1):
        last = t % horizon == 0
        assert np.all(terminated == last)
        assert not np.any(truncated)
        assert ("final_obs" in info) == ("totals" in info) == last
        if last:
            assert info["final_obs"].shape == observation.shape
            assert (info["final_obs"] != observation).any(axis=1).all()
            assert info["totals"]["length"].tolist() == [horizon] * 3
    np.testing.assert_array_equal(steps[horizon][0], next_ones)


def test_the_final_observation_is_that_of_a_single_environment(problem: envs.Problem) -> None:
    actions = random_actions(problem, 1)
    steps = list(play(envs.make_vector(problem, 1), actions))
    single = envs.make(problem)
    single.reset(seed=0)
    for row in actions[: problem.horizon]:
        observation, *_ = single.step(row[0])
    np.testing.assert_allclose(steps[problem.horizon][4]["final_obs"][0], observation, rtol=1e-6)


def test_the_totals_of_an_episode_are_the_sums_of_its_steps(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, 4, reward_scale=2.5)
    steps = list(play(env, random_actions(problem, 4)))[1 : problem.horizon + 1]
    totals = steps[-1][4]["totals"]
    for name in ("carbon_g", "penalty_g", "energy_j"):
        parts = [step[4][name] for step in steps]
        np.testing.assert_allclose(totals[name], np.sum(parts, axis=0), rtol=1e-9, atol=1e-9)
    costs = np.sum([step[4]["cost"] for step in steps], axis=0)
    for place, name in enumerate(problem.spec.constraints):
        np.testing.assert_allclose(totals[f"violation.{name}"], costs[:, place], rtol=1e-9)
    np.testing.assert_allclose(totals["objective_g"], totals["carbon_g"] + totals["penalty_g"])
    rewards = np.sum([step[1] for step in steps], axis=0)
    np.testing.assert_allclose(totals["objective_g"], -2.5 * rewards, rtol=1e-9, atol=1e-9)
    metrics = {name.removeprefix("metric.") for name in totals if name.startswith("metric.")}
    assert metrics == set(problem.spec.metrics)


def test_a_step_pays_for_its_carbon_and_its_violations(problem: envs.Problem) -> None:
    prices = np.array([item.penalty for item in problem.spec.constraints.values()])
    for _, reward, _, _, info in list(
        play(envs.make_vector(problem, 4), random_actions(problem, 4))
    )[1:]:
        np.testing.assert_allclose(reward, -(info["carbon_g"] + info["penalty_g"]), rtol=1e-12)
        assert (info["cost"] >= 0).all()
        if not any(state.terminal for state in problem.spec.states.values()):
            np.testing.assert_allclose(info["penalty_g"], info["cost"] @ prices, rtol=1e-9)


def test_potentials_are_zero_at_the_start(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, 8)
    env.reset(seed=0)
    nodes = [p.potential_now for p in env.simulation.compiled.states if p.potential_now is not None]
    for value in env.simulation.values(nodes):
        np.testing.assert_allclose(value, 0, atol=1e-9)


def test_splits_are_other_scenarios(problem: envs.Problem) -> None:
    starts = [envs.make_vector(problem, 8, split=split).reset(seed=0)[0] for split in SPLITS]
    rows = np.concatenate(starts)
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_everybody_meets_the_same_test_scenarios(problem: envs.Problem) -> None:
    numbers = np.array([5, 0, 17, 4])
    action = np.zeros(len(problem.action_names), dtype=np.float32)
    together = envs.make_vector(problem, 4, split="test", seed=3)
    first, _ = together.reset(seed=9, options={"scenarios": numbers})
    reward = together.step(np.stack([action] * 4))[1]
    for row, number in enumerate(numbers):
        alone = envs.make(envs.load(problem.name), split="test", seed=row)
        observation, _ = alone.reset(options={"scenario": int(number)})
        np.testing.assert_allclose(observation, first[row], rtol=1e-6, atol=1e-7)
        assert np.isclose(alone.step(action)[1], reward[row], rtol=1e-9)
