"""What complex functions refuse, and that their bounds hold."""

import pytest

from tests.language import tiny

SETS = {"part": ["re", "im"], "three": 3, "user": 2, "user_b": {"alias_of": "user"}, "many": 17}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sum(polar(1, 0, three), three)", "index-mismatch"),
        ("modulus(2, part)", "index-mismatch"),
        ("sum(polar(polar(1, 0, part), 0, part), part)", "index-mismatch"),
        ("sum(polar(1, '1 m', part), part)", "unit-mismatch"),
        ("sum(complex_times(2, polar(1, 0, part), part), part)", "index-mismatch"),
        ("sum(complex_contract(polar(1, 0, part), polar(1, 0, part), part, user), part)",
         "index-mismatch"),
        ("sum(complex_contract(polar(1, 0, part), polar(1, 0, part), part, part), part)",
         "index-mismatch"),
        ("sum(least_powers(polar(position(user), 0, part), 1, 1, user, user_b, part), user)",
         "index-mismatch"),
        ("sum(least_powers(polar(position(user) * position(user_b), 0, part), 1, '1 W', user,"
         " user_b, part), user) / '1 W'", "unit-mismatch"),
        ("sum(least_powers(polar(position(user) * position(user_b), 0, part), -1, 1, user,"
         " user_b, part), user)", "domain"),
        ("erlang_cdf(1, 0)", "bad-value"),
        ("erlang_cdf(1, 2.5)", "bad-value"),
        ("erlang_cdf(1, knob)", "bad-value"),
        ("hypot('1 m', 2)", "unit-mismatch"),
        ("atan2('1 m', '1 s')", "unit-mismatch"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(text: str, code: str) -> None:
    found = tiny.refusal(
        lambda: tiny.problem(sets=SETS, equations={"probe": {"unit": "1", "expr": text}})
    )
    assert (code, "equations.probe") in found


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("hypot(3 + knob, 4)", 20**0.5, 32**0.5),
        ("erlang_cdf(knob * 100, 3)", 0, 1),
        ("modulus(polar(2 + knob, 9 * knob, part), part)", 0, 3 * 2**0.5),
        ("max_over(polar(2 + knob, 9 * knob, part), part)", -3, 3),
    ],
)
def test_bounds_are_those_of_the_formula(text: str, low: float, high: float) -> None:
    problem = tiny.problem(sets=SETS, equations={"probe": {"unit": "1", "expr": text}})
    interval = problem.compiled().named["probe"][0].interval
    assert interval == pytest.approx((low, high))


def test_a_complex_product_has_the_product_of_units() -> None:
    text = "complex_times(polar('2 m', 0, part), polar('3 s', 0, part), part)"
    problem = tiny.problem(
        sets=SETS, equations={"probe": {"unit": "m*s", "index": ["part"], "expr": text}}
    )
    assert problem.compiled().named["probe"][0].value.ravel().tolist() == [6, 0]  # type: ignore[union-attr]
