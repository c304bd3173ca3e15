"""Score, gap closed, comparisons and payback against cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.assessment import assess
from benchmark.evaluation import Episodes
from benchmark.references import Optimum, Row
from benchmark.scoring import below_bound, compare, payback, placement
from benchmark.statistics import paired_interval, standard_error

UNIT = ("Mbit", "delivered")


def episodes(objective: list[float], carbon: list[float] | None = None) -> Episodes:
    values = np.array(objective, dtype=float)
    carbon_g = values if carbon is None else np.array(carbon, dtype=float)
    return Episodes(
        scenarios=np.arange(values.size),
        objective_g=values,
        carbon_g=carbon_g,
        penalty_g=values - carbon_g,
        energy_j=values,
        violations={"late": values - carbon_g},
        metrics={"delivered": np.full(values.size, 8.0)},
    )


def test_the_score_is_a_ratio_of_means_and_not_a_mean_of_ratios():
    random, agent, best = np.array([10.0, 30.0]), np.array([4.0, 24.0]), np.array([2.0, 22.0])
    assert placement(random, agent, best).value == pytest.approx((20 - 14) / (20 - 12))
    # A mean of ratios would be 0.75 too here; not so when the spans differ.
    uneven = np.array([9.0, 10.9]), np.array([5.0, 10.4]), np.array([1.0, 2.8])
    worse, objective, better = (np.repeat(a, 100) for a in uneven)
    expected = (9.95 - 7.7) / (9.95 - 1.9)
    assert placement(worse, objective, better).value == pytest.approx(expected)


def test_a_score_is_refused_when_its_denominator_is_within_ten_standard_errors():
    worse, better = np.array([1.0, 3.0] * 50), np.ones(100)
    error = np.std(worse - better, ddof=1) / 10
    assert 1.0 < 10 * error
    value, reason = placement(worse, worse, better)
    assert value is None
    assert reason is not None and "standard errors" in reason


def test_a_score_is_refused_when_nothing_lies_between_the_two_rows():
    same = np.ones(10)
    assert placement(same, same, same).value is None


def test_the_paired_interval_is_students():
    first, second = np.array([3.0, 5.0, 7.0, 9.0]), np.array([1.0, 4.0, 4.0, 7.0])
    mean, low, high = paired_interval(first, second)
    # Differences 2, 1, 3, 2: mean 2, standard deviation sqrt(2/3), t(0.975, 3) = 3.18245.
    half = 3.182446 * np.sqrt(2 / 3) / 2
    assert mean == 2
    assert (low, high) == pytest.approx((2 - half, 2 + half), rel=1e-6)


def test_one_scenario_proves_nothing():
    assert standard_error(np.array([1.0])) == float("inf")
    assert not compare("row", np.array([9.0]), np.array([1.0])).beats


def test_an_agent_beats_a_row_only_when_the_interval_excludes_zero():
    noise = np.array([1.0, -1.0] * 20)
    assert compare("row", 5 + noise, np.full(40, 4.0)).beats
    assert not compare("row", 4.1 + noise, np.full(40, 4.0)).beats
    assert not compare("row", np.full(40, 3.0), np.full(40, 4.0)).beats


def test_training_is_repaid_by_carbon_saved_against_the_best_heuristic():
    agent, rival = episodes([3.0, 3.5] * 10), episodes([5.0, 5.5] * 10)
    repaid = payback(100.0, agent, ("heuristic.rule", rival), steps=24, unit=UNIT)
    # 2 g saved an episode: 50 episodes, of 24 decisions and 8 Mbit each.
    assert repaid["decisions"] == pytest.approx(50 * 24)
    assert repaid["units"] == pytest.approx(50 * 8)
    assert (repaid["unit"], repaid["against"], repaid["reason"]) == ("Mbit", "heuristic.rule", None)


@pytest.mark.parametrize(
    ("train_gco2", "agent", "rival", "reason"),
    [
        (9.0, episodes([5.0] * 9), ("h", episodes([4.0] * 9)), "does not beat"),
        (None, episodes([3.0] * 9), ("h", episodes([4.0] * 9)), "not measured"),
        (9.0, episodes([3.0] * 9), None, "no heuristic"),
        (9.0, episodes([3.0] * 9), ("h", episodes([4.0] * 9, carbon=[2.0] * 9)), "fewer penalties"),
    ],
)
def test_there_is_no_payback_without_carbon_saved_and_measured(train_gco2, agent, rival, reason):
    repaid = payback(train_gco2, agent, rival, steps=1, unit=UNIT)
    assert repaid["decisions"] is None and repaid["units"] is None
    assert reason in repaid["reason"]


def test_a_bound_is_beaten_only_beyond_rounding():
    bound = np.array([1.0, 2.0, 3.0])
    assert below_bound(bound - 1e-9, bound) == 0
    assert below_bound(np.array([1.0, 1.9, 3.0]), bound) == 1


ROWS = {
    "random": Row(episodes([10.0, 12.0] * 50), 11.0),
    "constant": Row(episodes([6.0, 8.0] * 50), 7.0),
    "heuristic.rule": Row(episodes([5.0, 7.0] * 50), 6.0),
    "heuristic.silly": Row(episodes([20.0, 22.0] * 50), 21.0),
}
SCENARIOS = np.arange(100)
CERTIFIED = np.array([1.0, 3.0] * 50)


def test_the_agent_is_placed_between_random_and_the_certified_reference():
    optimum = Optimum(SCENARIOS, {"best_known": CERTIFIED + 1, "certified": CERTIFIED})
    result = assess("gdm", episodes([3.0, 5.0] * 50), ROWS, optimum, "python -m …")
    assert result["score"] == pytest.approx((11 - 4) / (11 - 2))
    # The base is the better of constant and best heuristic.
    assert result["base"] == "heuristic.rule"
    assert result["gap_closed"] == pytest.approx((6 - 4) / (6 - 2))
    assert result["versus_base"]["beats"] is True
    assert result["reference"]["method"] == "certified"
    assert result["reference"]["best_known_over_certified"] == pytest.approx(0.5)
    rows = result["reference_rows"]
    assert rows["random"]["score"] == 0 and rows["oracle"]["score"] == 1
    assert rows["heuristic.rule"]["gap_closed"] == 0
    assert rows["best_known"]["score"] == pytest.approx(8 / 9)
    assert rows["oracle"]["carbon_g"] is None
    assert result["alarms"] == [] and result["reasons"] == {}


def test_without_a_reference_the_score_is_null_and_says_how_to_get_one():
    result = assess(
        "gdm", episodes([3.0, 5.0] * 50), ROWS, None, "python -m benchmark oracle env=x"
    )
    assert result["score"] is None and result["gap_closed"] is None
    assert "python -m benchmark oracle env=x" in result["reasons"]["score"]
    assert "oracle" not in result["reference_rows"]


def test_a_reference_of_some_scenarios_is_compared_on_those():
    some = np.array([1, 3, 5, 7])
    optimum = Optimum(some, {"best_known": CERTIFIED[some]})
    result = assess("gdm", episodes([3.0, 5.0] * 50), ROWS, optimum, "")
    assert result["score"] == pytest.approx((12 - 5) / (12 - 3))
    assert result["reference"]["scenarios"] == 4


def test_an_agent_below_the_certified_bound_is_an_alarm():
    optimum = Optimum(SCENARIOS, {"certified": CERTIFIED})
    result = assess("gdm", episodes([0.5, 3.0] * 50), ROWS, optimum, "")
    assert len(result["alarms"]) == 1
    assert "gdm lies below the certified bound in 50 of 100 scenarios" in result["alarms"][0]


def test_a_best_known_optimum_below_the_certified_one_is_an_alarm():
    optimum = Optimum(SCENARIOS, {"certified": CERTIFIED, "best_known": CERTIFIED - 0.1})
    result = assess("gdm", episodes([3.0, 5.0] * 50), ROWS, optimum, "")
    assert any("best known" in alarm for alarm in result["alarms"])
