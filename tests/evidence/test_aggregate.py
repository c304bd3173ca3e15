"""Interquartile mean, intervals, profiles and tests, against SciPy and rliable."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import scipy.stats

from benchmark.aggregate import (
    bootstrap,
    interval,
    iqm,
    mean,
    performance_profile,
    probability_of_improvement,
)
from benchmark.ranking import compare_all, holm, paired_test, ranks

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def metrics():
    """Rliable's metrics; its other modules do not import beside pandas 3, and need not."""
    return pytest.importorskip("rliable.metrics", reason="rliable is a test extra")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 10, 11, 40])
def test_the_interquartile_mean_is_scipys(count):
    values = RNG.normal(size=(6, count))
    assert iqm(values) == pytest.approx(scipy.stats.trim_mean(values, 0.25, axis=1))


def test_the_interquartile_mean_over_problems_is_rliables(metrics):
    scores = RNG.normal(size=(12, 5))
    ours = iqm(np.concatenate(list(scores.T)))
    assert float(ours) == pytest.approx(metrics.aggregate_iqm(scores))


def test_the_probability_of_improvement_is_rliables_and_counts_ties_by_half(metrics):
    first, second = RNG.integers(0, 4, (9, 3)) / 1.0, RNG.integers(0, 4, (7, 3)) / 1.0
    ours = probability_of_improvement(list(first.T), list(second.T))
    assert ours == pytest.approx(metrics.probability_of_improvement(first, second))
    assert probability_of_improvement([np.ones(3)], [np.ones(5)]) == 0.5


def test_the_bootstrap_spreads_as_scipys_does():
    values = np.random.default_rng(0).exponential(size=15)
    ours = bootstrap([values], np.random.default_rng(1), iqm, 8_000)
    found = scipy.stats.bootstrap(
        (values,), lambda v, axis: iqm(v), rng=np.random.default_rng(2), n_resamples=8_000
    )
    assert np.std(ours, ddof=1) == pytest.approx(float(found.standard_error), rel=0.05)


def test_one_problem_varying_less_than_another_is_drawn_apart_from_it():
    wide, narrow = np.array([0.0, 10.0] * 10), np.full(20, 100.0)
    drawn = bootstrap([wide, narrow], np.random.default_rng(0), mean, 2_000)
    # Unstratified draws would mix the problems and spread ten times as far.
    assert np.std(drawn) == pytest.approx(5 / np.sqrt(20) / 2, rel=0.1)


def test_the_same_draws_give_the_same_interval_and_a_higher_level_a_wider_one():
    values = [RNG.normal(size=12), RNG.normal(size=10)]
    first, second = (interval(values, np.random.default_rng(0)) for _ in range(2))
    wider = interval(values, np.random.default_rng(0), level=0.99)
    assert first == second
    assert wider.low < first.low < first.mean < first.high < wider.high


def test_the_interval_is_wider_than_the_percentile_one_by_the_small_samples_factor():
    values = np.random.default_rng(5).normal(size=10)
    plain = np.quantile(bootstrap([values], np.random.default_rng(0), mean, 40_000), [0.025, 0.975])
    ours = interval([values], np.random.default_rng(0), mean, repetitions=40_000)
    ratio = (ours.high - ours.low) / (plain[1] - plain[0])
    assert ratio == pytest.approx(10 / 9, rel=0.02)


def test_one_seed_has_no_finite_interval():
    assert interval([np.array([2.0])], np.random.default_rng(0)) == (2.0, -np.inf, np.inf)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_and_never_averaged(broken):
    bad = [np.array([1.0, broken])]
    with pytest.raises(ValueError, match="not finite"):
        interval(bad, np.random.default_rng(0))
    with pytest.raises(ValueError, match="not finite"):
        probability_of_improvement(bad, [np.ones(2)])
    with pytest.raises(ValueError, match="not finite"):
        performance_profile(bad, np.zeros(1))


def test_a_profile_is_the_share_of_runs_above_each_threshold_every_problem_alike():
    strata = [np.array([0.0, 1.0]), np.array([1.0, 1.0, 1.0, 3.0])]
    profile = performance_profile(strata, np.array([-1.0, 0.0, 0.5, 1.0, 3.0]))
    assert profile == pytest.approx([1, 0.75, 0.75, 0.125, 0])


@pytest.mark.parametrize("count", [4, 10])
def test_the_paired_test_is_scipys_permutation_test(count):
    first, second = RNG.normal(0.5, size=count), RNG.normal(size=count)
    found = scipy.stats.permutation_test(
        (first, second),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert paired_test(first, second) == pytest.approx(found.pvalue)


def test_the_paired_test_of_many_seeds_is_near_the_t_test():
    first, second = np.random.default_rng(1).normal((0.4, 0.0), size=(40, 2)).T
    expected = scipy.stats.ttest_rel(first, second).pvalue
    assert 0.001 < expected < 0.5
    assert paired_test(first, second) == pytest.approx(expected, rel=0.2, abs=0.003)


def test_equal_agents_do_not_differ():
    assert paired_test(np.ones(10), np.ones(10)) == 1.0


def test_holms_correction_is_that_of_a_case_worked_by_hand():
    # Sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, then 0.04 * 1 is raised to the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_ranks_need_ten_seeds_in_common_and_a_difference_beyond_chance():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(3, 10))
    agents = {
        name: dict(enumerate(shift + 0.1 * values))
        for (name, shift), values in zip(
            {"good": 1.0, "same": 1.0, "bad": 0.0}.items(), noise, strict=True
        )
    }
    pairs = compare_all(agents)
    assert {(pair.first, pair.second) for pair in pairs if pair.adjusted < 0.05} == {
        ("good", "bad"),
        ("same", "bad"),
    }
    assert ranks(list(agents), pairs) == {"good": 1, "same": 1, "bad": 3}
    few = {name: dict(list(values.items())[:9]) for name, values in agents.items()}
    assert compare_all(few) == []


def test_rliable_is_not_what_the_harness_runs_on():
    loaded = [name for name in sys.modules if name.startswith("benchmark.")]
    owners = [sys.modules[name] for name in loaded]
    assert owners and not any(
        isinstance(value, types.ModuleType) and value.__name__.startswith("rliable")
        for owner in owners
        for value in vars(owner).values()
    )
