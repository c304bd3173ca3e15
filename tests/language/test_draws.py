"""What is drawn follows the distribution that was written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import envs
from tests.language import tiny
from tests.language.tiny import Array

SCENARIOS = 3000
UNLIKELY = 1e-3
"""Draws are fixed by their seeds: a test passes always or never."""

CONTINUOUS: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"uniform": [-1, 3]}, stats.uniform(-1, 4)),
    "normal": ({"normal": {"mean": 2, "std": 0.5}}, stats.norm(2, 0.5)),
    "lognormal": ({"lognormal": {"median": 3, "sigma": 0.4}}, stats.lognorm(0.4, scale=3)),
    "exponential": ({"exponential": {"mean": 2.5}}, stats.expon(scale=2.5)),
    "gamma of shape 1": ({"gamma": {"shape": 1, "scale": 2}}, stats.gamma(1, scale=2)),
    "gamma of whole shape": ({"gamma": {"shape": 4, "scale": 0.25}}, stats.gamma(4, scale=0.25)),
    "gamma of large shape": ({"gamma": {"shape": 40, "scale": 2}}, stats.gamma(40, scale=2)),
    "gamma of small shape": ({"gamma": {"shape": 0.3, "scale": 2}}, stats.gamma(0.3, scale=2)),
    "beta": ({"beta": {"a": 1.26, "b": 3.1}}, stats.beta(1.26, 3.1)),
    "beta like a bath": ({"beta": {"a": 0.4, "b": 0.6}}, stats.beta(0.4, 0.6)),
}
DISCRETE: dict[str, tuple[dict[str, Any], Any]] = {
    "poisson": ({"poisson": {"mean": 3.7}}, stats.poisson(3.7)),
    "rare poisson": ({"poisson": {"mean": 0.02}}, stats.poisson(0.02)),
    "large poisson": ({"poisson": {"mean": 650}}, stats.poisson(650)),
    "integers": ({"integers": [-2, 4]}, stats.randint(-2, 5)),
    "choice": (
        {"choice": {"values": [0, 1, 5], "weights": [1, 3, 4]}},
        stats.rv_discrete(values=([0, 1, 5], [1 / 8, 3 / 8, 4 / 8])),
    ),
    "even choice": ({"choice": {"values": [2, 4]}}, stats.rv_discrete(values=([2, 4], [0.5, 0.5]))),
}


def _drawn(sample: dict[str, Any], section: str, unit: str = "1") -> Array:
    """Independent draws, ``(draws,)``: of a parameter, or of a process with several times."""
    item = {"unit": unit, "index": ["pair"], "sample": sample}
    problem = tiny.problem(sets={"pair": 2}, **{section: {"probe": item}})
    return tiny.paths(problem, ["probe"], SCENARIOS)["probe"].ravel()


def _assert_counts_fit(draws: Array, law: Any) -> None:
    """Chi-square over values, the rare ones of each tail taken together."""
    values = np.arange(np.floor(draws.min()) - 1, draws.max() + 2)
    inner = values[law.pmf(values) * len(draws) >= 8]
    low, high = inner[0], inner[-1]
    expected = np.array([law.pmf(v) for v in inner[1:-1]])
    expected = np.r_[law.cdf(low), expected, law.sf(high - 1)] if low < high else np.ones(1)
    seen = np.array([np.sum(draws == v) for v in inner[1:-1]])
    seen = np.r_[np.sum(draws <= low), seen, np.sum(draws >= high)] if low < high else [len(draws)]
    chosen = expected > 0
    assert (
        stats.chisquare(
            np.asarray(seen)[chosen], expected[chosen] * np.sum(seen) / expected[chosen].sum()
        ).pvalue
        > UNLIKELY
    )


@pytest.mark.parametrize("section", ["parameters", "processes"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_continuous_distribution_is_that_of_scipy(name: str, section: str) -> None:
    sample, law = CONTINUOUS[name]
    assert stats.kstest(_drawn(sample, section), law.cdf).pvalue > UNLIKELY


@pytest.mark.parametrize("section", ["parameters", "processes"])
@pytest.mark.parametrize("name", DISCRETE)
def test_a_discrete_distribution_is_that_of_scipy(name: str, section: str) -> None:
    sample, law = DISCRETE[name]
    _assert_counts_fit(_drawn(sample, section), law)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_a_draw_stays_in_the_interval_the_compiler_proves_with(name: str) -> None:
    sample, _ = {**CONTINUOUS, **DISCRETE}[name]
    problem = tiny.problem(parameters={"probe": {"unit": "1", "sample": sample}})
    low, high = problem.compiled().named["probe"][0].interval
    draws = tiny.paths(problem, ["probe"], SCENARIOS)["probe"]
    assert low <= draws.min() <= draws.max() <= high


@pytest.mark.parametrize(
    ("sample", "law"),
    [
        ({"poisson": {"mean": "rate"}}, lambda r: stats.poisson(r)),
        ({"poisson": {"mean": "100 * rate"}}, lambda r: stats.poisson(100 * r)),
        ({"beta": {"a": "rate", "b": 2}}, lambda r: stats.beta(r, 2)),
        ({"uniform": ["rate", "3 * rate"]}, lambda r: stats.uniform(r, 2 * r)),
        ({"normal": {"mean": "rate", "std": "rate / 4"}}, lambda r: stats.norm(r, r / 4)),
        ({"exponential": {"mean": "rate"}}, lambda r: stats.expon(scale=r)),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "law",
)
@pytest.mark.parametrize("section", ["parameters", "processes"])
def test_arguments_may_be_drawn_themselves(sample: dict[str, Any], law: Any, section: str) -> None:
    sections: dict[str, Any] = {
        "parameters": {"rate": {"unit": "1", "sample": {"uniform": [0.5, 6]}}}
    }
    sections.setdefault(section, {})["probe"] = {"unit": "1", "sample": sample}
    drawn = tiny.paths(tiny.problem(**sections), ["rate", "probe"], SCENARIOS)
    draws = drawn["probe"] if section == "parameters" else drawn["probe"][0]
    laws = law(drawn["rate"])
    # The probability integral transform, randomised where values have mass, is uniform.
    mass = laws.pmf(draws) if "poisson" in sample else 0.0
    u = laws.cdf(draws) - mass * np.random.default_rng(0).random(SCENARIOS)
    assert stats.kstest(u, "uniform").pvalue > UNLIKELY


@pytest.mark.parametrize("section", ["parameters", "processes"])
@pytest.mark.parametrize(
    "sample",
    [
        {"normal": {"mean": "level", "std": 0.01}},
        {"uniform": ["level", "level + 0.5"]},
        {"lognormal": {"median": "level", "sigma": 0.1}},
        {"poisson": {"mean": "level * chance"}},
    ],
    ids=lambda sample: next(iter(sample)),
)
def test_arguments_over_one_set_meet_the_elements_of_that_set(
    sample: dict[str, Any], section: str
) -> None:
    """Both sets have one size, so that a swap of axes would go unseen."""
    sections: dict[str, Any] = {
        "sets": {"a": 2, "b": 2},
        "parameters": {
            "level": {"unit": "1", "index": ["a"], "value": [1, 5]},
            "chance": {"unit": "1", "sample": {"uniform": [0.99, 1.01]}},
        },
    }
    item = {"unit": "1", "index": ["a", "b"], "sample": sample}
    sections.setdefault(section, {})["probe"] = item
    drawn = tiny.paths(tiny.problem(**sections), ["probe"], 400)["probe"]
    means = (drawn if section == "parameters" else drawn[0]).mean(axis=0)
    assert (means[1] > 2 * means[0]).all()
    assert (means[1] > 2 * means[0, ::-1]).all()


def test_arguments_may_change_in_time() -> None:
    problem = tiny.problem(
        processes={"probe": {"unit": "request", "sample": {"poisson": {"mean": "2 * day"}}}},
        parameters={"day": {"unit": "request", "value": 1}},
    )
    hourly = tiny.problem(
        parameters={"day": {"unit": "request", "value": 1}},
        processes={
            "probe": {"unit": "request", "sample": {"poisson": {"mean": "day * (1 + step_index)"}}}
        },
    )
    assert tiny.paths(problem, ["probe"], 500)["probe"].mean() == pytest.approx(2, abs=0.1)
    for t, counts in enumerate(tiny.paths(hourly, ["probe"], SCENARIOS)["probe"]):
        _assert_counts_fit(counts, stats.poisson(1 + t))


@pytest.mark.parametrize(
    ("sample", "factor"),
    [({"uniform": [1, 2]}, 1e3), ({"integers": [1, 6]}, 1e3), ({"poisson": {"mean": 3}}, 1e3)],
    ids=str,
)
def test_a_distribution_is_in_the_declared_unit(sample: dict[str, Any], factor: float) -> None:
    np.testing.assert_allclose(
        _drawn(sample, "parameters", "kW"), factor * _drawn(sample, "parameters"), rtol=1e-12
    )


def test_draws_of_names_elements_times_and_scenarios_are_independent() -> None:
    problem = tiny.problem(
        sets={"pair": 2},
        processes={
            name: {"unit": "1", "index": ["pair"], "sample": {"normal": {"std": 1}}}
            for name in ("a", "b")
        },
    )
    drawn = tiny.paths(problem, ["a", "b"], SCENARIOS)
    # (name, time, scenario, pair) -> one row for each variable.
    rows = np.moveaxis(np.stack([drawn["a"], drawn["b"]]), 2, -1).reshape(-1, SCENARIOS)
    correlation = np.corrcoef(np.concatenate([rows, np.roll(rows, 1, axis=1)]))
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5 / np.sqrt(SCENARIOS)


def _autoregression(**item: Any) -> Array:
    """A path ``(time, scenario)``."""
    sections = {"time": {"horizon": 24}, "processes": {"probe": {"unit": "kW", **item}}}
    return tiny.paths(tiny.problem(**sections), ["probe"], SCENARIOS)["probe"] / 1e3


@pytest.mark.parametrize(
    ("ar1", "lag_one"),
    [
        ({"mean": 3, "std": 2, "correlation": 0.9}, 0.9),
        ({"mean": 3, "std": 2, "correlation": 0.9, "per": "1 h"}, 0.9),
        ({"mean": 3, "std": 2, "correlation": 0.9, "per": "30 min"}, 0.81),
        ({"mean": 3, "std": 2, "correlation": 0.5, "per": "4 h"}, 0.5**0.25),
        ({"mean": 3, "std": 2, "correlation": 0}, 0.0),
    ],
    ids=str,
)
def test_an_ar1_is_stationary_with_the_moments_and_the_correlation_it_states(
    ar1: dict[str, Any], lag_one: float
) -> None:
    path = _autoregression(ar1=ar1)
    tolerance = 5 / np.sqrt(SCENARIOS)
    for moment in (path[0], path[7], path[-1]):
        assert moment.mean() == pytest.approx(3, abs=2 * tolerance)
        assert moment.std() == pytest.approx(2, rel=tolerance)
        assert stats.kstest(moment, stats.norm(3, 2).cdf).pvalue > UNLIKELY
    for a, b in ((0, 1), (11, 12), (22, 23)):
        assert np.corrcoef(path[a], path[b])[0, 1] == pytest.approx(lag_one, abs=tolerance)
    assert np.corrcoef(path[0], path[3])[0, 1] == pytest.approx(lag_one**3, abs=tolerance)


@pytest.mark.parametrize(
    "item",
    [
        {"sample": {"normal": {"std": 1}}},
        {"ar1": {"std": 1, "correlation": 0.9}},
        {"markov": {"values": [0, 1], "transition": [[0.5, 0.5], [0.5, 0.5]]}},
    ],
    ids=lambda item: next(iter(item)),
)
def test_a_held_process_changes_only_at_multiples_of_its_hold(item: dict[str, Any]) -> None:
    held = _autoregression(**item, hold="5 h")
    changes = (np.diff(held, axis=0) != 0).mean(axis=1)
    at_multiple = np.arange(1, 24) % 5 == 0
    assert (changes[~at_multiple] == 0).all()
    assert (changes[at_multiple] > 0.4).all()


def test_arguments_of_a_held_draw_are_those_of_the_time_it_is_drawn_at() -> None:
    held = _autoregression(
        sample={"uniform": ["step_index * '1 kW'", "(step_index + 1) * '1 kW'"]}, hold="5 h"
    )
    assert np.floor(held).tolist() == [[5.0 * (t // 5)] * SCENARIOS for t in range(24)]


def test_the_correlation_of_a_held_ar1_holds_over_its_time() -> None:
    held = _autoregression(ar1={"std": 1, "correlation": 0.9, "per": "1 h"}, hold="4 h")
    measured = np.corrcoef(held[0], held[4])[0, 1]
    assert measured == pytest.approx(0.9**4, abs=5 / np.sqrt(SCENARIOS))


def test_a_chain_starts_and_stays_in_its_stationary_distribution_and_moves_as_told() -> None:
    transition = np.array([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.4, 0.0, 0.6]])
    markov = {"values": [10, 20, 40], "transition": transition.tolist()}
    path = _autoregression(markov=markov)
    stationary = np.linalg.matrix_power(transition, 500)[0]
    values = np.array([10.0, 20.0, 40.0])
    for moment in (path[0], path[5], path[-1]):
        seen = [np.sum(np.isclose(moment, value)) for value in values]
        assert sum(seen) == SCENARIOS
        assert stats.chisquare(seen, stationary * SCENARIOS).pvalue > UNLIKELY
    state = np.argmin(np.abs(path[..., None] - values), axis=-1)
    for a in range(3):
        after = state[1:][state[:-1] == a]
        seen = np.bincount(after, minlength=3)
        possible = transition[a] > 0
        assert not seen[~possible].any()
        expected = transition[a][possible] * seen.sum()
        assert stats.chisquare(seen[possible], expected).pvalue > UNLIKELY


def test_a_chain_that_always_moves_on_takes_turns() -> None:
    path = _autoregression(markov={"values": [0, 1], "transition": [[0, 1], [1, 0]]})
    assert (path[1:] + path[:-1] == 1).all()
    assert path[0].mean() == pytest.approx(0.5, abs=0.05)


def _forecasts(**item: Any) -> tuple[Array, Array]:
    """Truth ``(time, scenario)`` and what was known of it, ``(time, scenario, lead)``."""
    problem = tiny.problem(
        sets={"lead": 4},
        time={"horizon": 12},
        processes={
            "truth": {"unit": "kW", "ar1": {"mean": 3, "std": 2, "correlation": 0.9}},
            "known": {
                "unit": "kW",
                "index": ["lead"],
                "forecast": {"of": "truth", "lead": "'2 h' * position(lead)", **item},
            },
        },
    )
    drawn = tiny.paths(problem, ["truth", "known"], SCENARIOS)
    return drawn["truth"] / 1e3, drawn["known"] / 1e3


def test_the_error_of_a_forecast_is_the_stated_one_grows_with_its_lead_and_is_never_zero() -> None:
    truth, known = _forecasts(error="'0.3 kW' * (1 + position(lead))", correlation=0.8)
    for lead in range(4):
        errors = known[:, :, lead] - truth[2 * lead : 2 * lead + 12]
        for error in (errors[0], errors[-1]):
            assert error.mean() == pytest.approx(0, abs=5 * 0.3 * (1 + lead) / np.sqrt(SCENARIOS))
            law = stats.norm(0, 0.3 * (1 + lead))
            assert stats.kstest(error, law.cdf).pvalue > UNLIKELY
            assert (error != 0).all()
        lag = np.corrcoef(errors[3], errors[4])[0, 1]
        assert lag == pytest.approx(0.8, abs=5 / np.sqrt(SCENARIOS))


def test_a_forecast_may_err_the_same_at_every_lead() -> None:
    truth, known = _forecasts(error=0.5)
    errors = np.stack([known[:, :, n] - truth[2 * n : 2 * n + 12] for n in range(4)])
    np.testing.assert_allclose(errors, np.broadcast_to(errors[0], errors.shape), atol=1e-12)
    assert errors.std() == pytest.approx(0.5, rel=0.05)


def test_a_forecast_may_be_forecast() -> None:
    problem = tiny.problem(
        processes={
            "truth": {"unit": "1", "ar1": {"std": 1, "correlation": 0.9}},
            "known": {"unit": "1", "forecast": {"of": "truth", "lead": "'2 h'", "error": 0}},
            "later": {"unit": "1", "forecast": {"of": "known", "lead": "'3 h'", "error": 0}},
        }
    )
    drawn = tiny.paths(problem, ["truth", "later"], 5)
    np.testing.assert_array_equal(drawn["later"], drawn["truth"][5:9])


@pytest.mark.parametrize("lead", ["'100 min'", "'30 min'", "'1 h' / 3"])
def test_a_lead_of_a_part_of_a_step_is_refused(lead: str) -> None:
    found = tiny.refusal(
        lambda: tiny.problem(
            processes={
                "truth": {"unit": "1", "ar1": {"std": 1, "correlation": 0.9}},
                "known": {"unit": "1", "forecast": {"of": "truth", "lead": lead, "error": 1}},
            }
        )
    )
    assert found == [("bad-value", "processes.known")]


def test_a_hold_of_what_is_not_drawn_is_refused() -> None:
    found = tiny.refusal(
        lambda: tiny.problem(
            processes={"x": {"unit": "1", "expr": "time_remaining", "hold": "2 h"}}
        )
    )
    assert found == [("bad-value", "processes.x")]


def test_bounds_clip_a_process_and_are_refused_where_nothing_is_drawn() -> None:
    path = _autoregression(sample={"normal": {"std": 3}}, bounds=[-1, 2])
    assert path.min() == -1
    assert path.max() == 2
    found = tiny.refusal(
        lambda: tiny.problem(parameters={"x": {"unit": "1", "value": 5, "bounds": [0, 1]}})
    )
    assert found == [("bad-bounds", "parameters.x")]


def test_a_clock_process_is_the_same_in_every_scenario() -> None:
    problem: envs.Problem = tiny.problem(
        processes={"sun": {"unit": "1", "expr": "sin(2 * pi * hour_of_day / '24 h')"}}
    )
    sun = tiny.paths(problem, ["sun"], 3)["sun"]
    np.testing.assert_allclose(sun[:, 0], np.sin(2 * np.pi * np.arange(4) / 24), atol=1e-12)


def _windows(over: str, index: list[str], **sets: int) -> tuple[Array, Array]:
    """A process ``(time, scenario, kind)`` and its moving sums, over eight steps of an hour."""
    problem = tiny.problem(
        sets={"kind": 2, **sets},
        time={"horizon": 8},
        parameters={"age": {"unit": "h", "index": ["kind"], "value": [2, 5]}},
        processes={
            "load": {"unit": "kW", "index": ["kind"], "sample": {"uniform": [-1, 3]}},
            "recent": {"unit": "kW", "index": index, "window": {"of": "load", "over": over}},
        },
    )
    drawn = tiny.paths(problem, ["load", "recent"], 7)
    return drawn["load"], drawn["recent"]


def test_a_window_is_the_sum_up_to_now_of_what_came_within_it() -> None:
    load, recent = _windows("age", ["kind"])
    for kind, length in enumerate((2, 5)):
        for t in range(8):
            expected = load[max(t + 1 - length, 0) : t + 1, :, kind].sum(axis=0)
            np.testing.assert_allclose(recent[t, :, kind], expected, atol=1e-9)


def test_a_window_may_run_over_further_sets_and_be_empty() -> None:
    load, recent = _windows("age * 0 + '3 h' * position(part)", ["kind", "part"], part=2)
    assert (recent[..., 0] == 0).all()
    np.testing.assert_allclose(recent[4, ..., 1], load[2:5].sum(axis=0))


def test_a_forecast_of_a_window_looks_ahead_on_it() -> None:
    problem = tiny.problem(
        processes={
            "load": {"unit": "1", "sample": {"uniform": [0, 1]}},
            "recent": {"unit": "1", "window": {"of": "load", "over": "'2 h'"}},
            "known": {"unit": "1", "forecast": {"of": "recent", "lead": "'3 h'", "error": 0}},
        }
    )
    drawn = tiny.paths(problem, ["load", "known"], 5)
    load = drawn["load"]
    np.testing.assert_allclose(drawn["known"], load[2:6] + load[3:7])


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"of": "load", "over": "'90 min'"}, "bad-value"),
        ({"of": "load", "over": "'-2 h'"}, "bad-value"),
        ({"of": "load", "over": "'2 W'"}, "unit-mismatch"),
        ({"of": "lode", "over": "'2 h'"}, "unknown-name"),
        ({"of": "load", "over": "'1 h' * load"}, "not-known-yet"),
        ({"of": "recent", "over": "'2 h'"}, "cycle"),
        ({"of": "wide", "over": "'2 h'"}, "index-mismatch"),
        ({"of": "watts", "over": "'2 h'"}, "unit-mismatch"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(window: dict[str, str], code: str) -> None:
    found = tiny.refusal(
        lambda: tiny.problem(
            sets={"kind": 2},
            processes={
                "load": {"unit": "1", "sample": {"uniform": [0, 1]}},
                "watts": {"unit": "W", "sample": {"uniform": [0, 1]}},
                "wide": {"unit": "1", "index": ["kind"], "sample": {"uniform": [0, 1]}},
                "recent": {"unit": "1", "window": window},
            },
        )
    )
    assert found == [(code, "processes.recent")]
