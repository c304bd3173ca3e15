import pytest

import envs
from envs.check import degeneracies
from envs.formulation.evaluation.equivalence import compare
from envs.formulation.evaluation.scenarios import families, reference, scenarios


def test_there_are_six_families_in_four_wordings_each():
    assert len(families()) == 6
    assert len(scenarios()) == 24
    assert len({one.request for one in scenarios()}) == 24


def test_no_family_is_a_problem_of_the_library():
    assert not {reference(family).name for family in families()} & set(envs.problems())


@pytest.mark.parametrize("family", families())
def test_a_reference_is_worth_solving(family):
    assert [str(finding) for finding in degeneracies(reference(family))] == []


@pytest.mark.parametrize("family", families())
def test_a_reference_is_the_same_problem_as_itself(family):
    compiled = reference(family).compiled()
    found = compare(compiled, compiled)
    assert found.equivalent
    assert found.points > 1_000
    met, sides = found.choices
    # Every choice of the references is met from both sides, but two that cannot be.
    assert met >= sides - 2


def test_every_request_has_notes_that_help():
    assert all(len(one.gold) >= 3 for one in scenarios())
    assert all(one.freedom for one in scenarios())
