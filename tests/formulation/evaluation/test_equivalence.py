import copy

import pytest

from envs.formulation.evaluation.equivalence import compare
from envs.formulation.evaluation.mutants import mutants, replaced, without
from envs.formulation.evaluation.proof import proven_equal
from envs.formulation.evaluation.rewrites import KINDS, rewrites
from envs.formulation.evaluation.scenarios import FOLDER, families, reference
from envs.formulation.evaluation.validation import disguised, tried
from envs.problem import Problem
from envs.spec.diagnostics import SpecError
from envs.spec.reader import read


def document(family: str) -> dict:
    return read((FOLDER / family / "reference.yaml").read_bytes())


def differences(family: str, changed: dict) -> list[str]:
    found = compare(reference(family).compiled(), Problem(changed).compiled())
    return [one.what for one in found.differences]


@pytest.mark.parametrize("family", families())
def test_every_way_of_writing_is_accepted_once(family):
    original = document(family)
    for rewrite in rewrites(original, seeds=1):
        found = compare(reference(family).compiled(), Problem(rewrite.document).compiled())
        assert found.equivalent, (rewrite.kind, [str(one) for one in found.differences])


@pytest.mark.parametrize("family", families())
def test_one_mistake_in_fifteen_is_caught_under_other_names(family):
    tried_ = 0
    for number, mutant in enumerate(mutants(document(family))):
        if number % 15:
            continue
        try:
            problem = Problem(mutant.document)
        except SpecError:
            continue
        if proven_equal(problem.compiled(), reference(family).compiled()):
            continue
        other = Problem(disguised(mutant.document, number))
        found = compare(reference(family).compiled(), other.compiled())
        assert not found.equivalent, (mutant.kind, mutant.place)
        tried_ += 1
    assert tried_ >= 3


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_the_metric_stands_its_whole_trial(family):
    trial = tried(family)
    assert trial.missed == []
    assert trial.rejected == []
    assert trial.caught.total() > 50
    assert trial.accepted.total() > 30


def test_the_first_difference_names_what_differs_and_where():
    changed = replaced(document("sensor"), ("parameters", "ci_wear", "value"), 40_000)
    found = compare(reference("sensor").compiled(), Problem(changed).compiled())
    (first,) = found.differences
    assert first.what == "carbon"
    assert "step 0" in first.where and "sent = " in first.where


def test_a_dropped_constraint_is_a_difference_of_penalties_alone():
    assert differences("sensor", without(document("sensor"), ("constraints", "missed"))) == [
        "penalties"
    ]


def test_a_dropped_terminal_value_is_told_at_the_last_step():
    changed = without(document("sensor"), ("states", "stored", "terminal"))
    assert differences("sensor", changed) == ["terminal cost"]


def test_a_wrong_correlation_is_told_though_no_single_step_shows_it():
    path = ("processes", "clearness", "ar1", "correlation")
    assert differences("sensor", replaced(document("sensor"), path, 0.5)) == [
        "correlation of clearness"
    ]


def test_a_time_step_is_compared_before_anything_else():
    changed = replaced(document("split"), ("time", "step"), "2 min")
    assert differences("split", changed) == ["time step"]


def test_a_missing_decision_is_named():
    changed = document("sensor")
    del changed["decisions"]["backup"]
    changed["heuristics"]["keep_going"]["decisions"].pop("backup")
    changed["parameters"]["backup"] = {"unit": "W", "value": 1}
    assert "decision backup" in differences("sensor", changed)


def test_elements_in_another_order_find_their_counterparts():
    changed = KINDS["elements in another order"](copy.deepcopy(document("rounds")), None)
    found = compare(reference("rounds").compiled(), Problem(changed).compiled())
    assert found.names["work[north]"] == "work[north]"
    assert found.equivalent


def test_a_given_map_is_kept_to():
    found = compare(
        reference("sensor").compiled(), reference("sensor").compiled(), {"clearness": "wanted"}
    )
    assert not found.equivalent


def test_a_clip_that_is_never_reached_is_proven_harmless_without_a_sample():
    changed = replaced(document("sleep"), ("states", "before", "next"), "max(awake, 1)")
    assert proven_equal(Problem(changed).compiled(), reference("sleep").compiled())


def test_a_clip_that_is_reached_is_not_proven_harmless():
    changed = document("sensor")
    changed["states"]["stored"]["next"] = changed["states"]["stored"]["next"].replace(
        "'0 Wh'", "'1 Wh'"
    )
    assert not proven_equal(Problem(changed).compiled(), reference("sensor").compiled())
    assert differences("sensor", changed)[0] == "next stored"


def test_a_rarely_reached_branch_is_sought_out():
    # Within the last thousandth of the battery only: uniform samples would rarely see it.
    changed = document("sensor")
    carbon = changed["objective"]["carbon"]
    carbon["expr"] += " + where(stored > '11.999 Wh', '1 gCO2e', '0 gCO2e')"
    assert differences("sensor", changed) == ["carbon"]
