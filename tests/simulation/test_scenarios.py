"""Every draw has an address: nothing else that changes moves it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.simulation import sample_scenarios
from envs.simulation.random import stream_key, uniforms
from tests.language import tiny

SECTIONS: dict[str, Any] = {
    "sets": {"user": 3},
    "parameters": {"size": {"unit": "1", "index": ["user"], "sample": {"normal": {"std": 1}}}},
    "processes": {
        "gain": {"unit": "1", "index": ["user"], "sample": {"gamma": {"shape": 3, "scale": 1}}},
        "load": {"unit": "1", "ar1": {"std": 1, "correlation": 0.9}},
        "mode": {"unit": "1", "markov": {"values": [0, 1], "transition": [[0.9, 0.1], [0.2, 0.8]]}},
        "sum_of": {"unit": "1", "expr": "load + mean(gain, user)"},
    },
}
NAMES = ["size", "gain", "load", "mode", "sum_of"]


def _paths(
    problem: envs.Problem, split: str = "train", scenarios: Any = range(40)
) -> dict[str, Any]:
    drawn = sample_scenarios(problem, split, np.array(scenarios))
    horizon = problem.horizon
    return {**drawn.parameters, **{n: path[:horizon] for n, path in drawn.paths.items()}}


def _with(section: str, name: str, item: dict[str, Any]) -> envs.Problem:
    return tiny.problem(**{**SECTIONS, section: {**SECTIONS.get(section, {}), name: item}})


ADDED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a process": ("processes", "aaa", {"unit": "1", "sample": {"uniform": [0, 1]}}),
    "a parameter": ("parameters", "aaa", {"unit": "1", "sample": {"uniform": [0, 1]}}),
    "a decision": ("decisions", "aaa", {"unit": "1", "box": [0, 1]}),
    "a set": ("sets", "aaa", 7),
    "a forecast": (
        "processes",
        "aaa",
        {"unit": "1", "forecast": {"of": "load", "lead": "'3 h'", "error": 1}},
    ),
    "a forecast of what is made of others": (
        "processes",
        "aaa",
        {"unit": "1", "forecast": {"of": "sum_of", "lead": "'9 h'", "error": 1}},
    ),
    "a window": ("processes", "aaa", {"unit": "1", "window": {"of": "load", "over": "'3 h'"}}),
    "a longer horizon": ("time", "horizon", 40),
    "another unit": (
        "processes",
        "load",
        {"unit": "percent", "ar1": {"std": 100, "correlation": 0.9}},
    ),
}


@pytest.mark.parametrize("added", ADDED)
def test_an_addition_changes_no_other_draw(added: str) -> None:
    plain, more = _paths(tiny.problem(**SECTIONS)), _paths(_with(*ADDED[added]))
    for name in NAMES:
        steps = len(plain[name])
        np.testing.assert_allclose(more[name][:steps], plain[name], rtol=1e-12, err_msg=name)


def test_name_version_and_split_are_addresses_and_prose_is_not() -> None:
    def load(**meta: Any) -> Any:
        return _paths(tiny.problem(**SECTIONS, meta=meta))["load"]

    assert np.array_equal(load(), load(title="another", summary="text"))
    assert not np.isclose(load(), load(version=1)).any()
    assert not np.isclose(load(), load(name="tinier")).any()
    problem = tiny.problem(**SECTIONS)
    splits = [_paths(problem, split)["load"] for split in ("train", "validation", "test", "ood")]
    for n, one in enumerate(splits):
        for other in splits[:n]:
            assert not np.isclose(one, other).any()


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**61), min_size=1, max_size=6), st.integers(1, 700))
def test_a_uniform_depends_on_its_scenario_and_position_alone(
    scenarios: list[int], count: int
) -> None:
    key = stream_key("tiny", 0, "train", "x")
    together = uniforms(key, np.array(scenarios), count)
    longer = uniforms(key, np.array(scenarios), 701)
    assert np.array_equal(together, longer[:count])
    for column, scenario in zip(together.T, scenarios, strict=True):
        assert np.array_equal(column, uniforms(key, np.array([scenario]), count)[:, 0])
    assert ((together > 0) & (together < 1)).all()


def test_no_uniform_comes_twice() -> None:
    key = stream_key("tiny", 0, "train", "x")
    draws = [uniforms(key, np.arange(300), 600), uniforms(key, 2**61 + np.arange(300), 600)]
    assert len(np.unique(np.concatenate(draws))) == 2 * 300 * 600


def test_a_scenario_is_the_same_in_every_company() -> None:
    problem = tiny.problem(**SECTIONS)
    together = _paths(problem, scenarios=[3, 4, 5, 90, 2**40, 4])
    for place, scenario in enumerate([3, 4, 5, 90, 2**40, 4]):
        alone = _paths(problem, scenarios=[scenario])
        for name in NAMES:
            axis = 0 if name == "size" else 1
            np.testing.assert_allclose(
                np.take(together[name], [place], axis=axis), alone[name], rtol=1e-12
            )


def test_an_environment_meets_the_scenarios_of_its_stream_in_order_whatever_its_size() -> None:
    problem = _with("observe", "load", {"unit": "1", "expr": "load", "linear": [-1, 1]})
    loads = _paths(problem, scenarios=range(12))["load"][0]
    for num_envs in (1, 2, 3, 6):
        env, seen = envs.make_vector(problem, num_envs=num_envs), []
        observation, _ = env.reset(seed=0)
        while len(seen) < 12:
            seen += observation[:, 1].tolist()
            for _ in range(problem.horizon):
                observation, *_ = env.step(tiny.actions(env))
        np.testing.assert_allclose(seen, loads, rtol=1e-6)


def test_seeds_meet_different_scenarios() -> None:
    problem = tiny.problem(**SECTIONS)
    env = envs.make_vector(problem, num_envs=5)
    met: set[int] = set()
    for seed in (0, 1, 2, 7, 2**29):
        env.reset(seed=seed)
        met |= set(env.simulation.scenarios.tolist())
    assert len(met) == 25


@pytest.mark.parametrize("scenarios", [[0, 1, 2], [-1, 0], [[0, 1]]])
def test_scenarios_that_do_not_fit_are_refused(scenarios: Any) -> None:
    env = envs.make_vector(tiny.problem(), num_envs=2)
    with pytest.raises(ValueError, match="2 scenario numbers"):
        env.reset(options={"scenarios": np.array(scenarios)})
