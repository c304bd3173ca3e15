"""The small closed algebra of units agrees with a large open one where both know a unit."""

from __future__ import annotations

import pint
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from envs.spec.diagnostics import Finding
from envs.spec.units import parse_unit

REGISTRY = pint.UnitRegistry()
# Ours on the left; what `pint` calls it on the right.
PREFIXED = {
    "m": "meter",
    "g": "gram",
    "s": "second",
    "A": "ampere",
    "Pa": "pascal",
    "Hz": "1/second",
    "J": "joule",
    "Wh": "watt*hour",
    "W": "watt",
    "VA": "volt*ampere",
    "var": "volt*ampere",
    "V": "volt",
    "ohm": "ohm",
    "Ah": "ampere*hour",
}
PLAIN = {"min": "minute", "h": "hour", "day": "day", "K": "kelvin", "C": "coulomb", "t": "tonne"}
PREFIXES = {"": 1.0, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9}


@st.composite
def atoms(draw: st.DrawFn) -> tuple[str, pint.Quantity]:
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(PLAIN)))
        return name, REGISTRY.Quantity(1.0, PLAIN[name])
    name = draw(st.sampled_from(sorted(PREFIXED)))
    prefix = draw(st.sampled_from(sorted(PREFIXES)))
    return prefix + name, REGISTRY.Quantity(PREFIXES[prefix], PREFIXED[name])


@given(st.lists(st.tuples(atoms(), st.integers(-3, 3), st.booleans()), min_size=1, max_size=4))
def test_products_of_powers_have_one_dimension_and_one_size(
    factors: list[tuple[tuple[str, pint.Quantity], int, bool]],
) -> None:
    text, theirs = "1", REGISTRY.Quantity(1.0, "")
    for (name, quantity), exponent, divide in factors:
        text += f"{'/' if divide else '*'}{name}^{exponent}"
        theirs = theirs / quantity**exponent if divide else theirs * quantity**exponent
    try:
        ours = parse_unit(text)
    except Finding as finding:
        assert finding.code == "bad-unit"
        assume(False)  # over the budget on exponents or length
        return
    theirs = theirs.to_base_units()
    assert ours.factor == pytest.approx(theirs.magnitude, rel=1e-9)
    of_theirs = dict(theirs.unit_items())
    names = {"m": "meter", "kg": "kilogram", "s": "second", "A": "ampere", "K": "kelvin"}
    exponents = dict(zip(names, ours.dimension.exponents, strict=False))
    assert {names[n]: float(e) for n, e in exponents.items() if e} == pytest.approx(of_theirs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("W", "J"),
        ("kWh", "kW"),
        ("gCO2e", "g"),
        ("bit/s", "Hz"),
        ("cycle/s", "Hz"),
        ("cycle", "bit"),
        ("request", "image"),
        ("EUR", "1"),
        ("K", "1"),
    ],
)
def test_what_is_not_the_same_is_told_apart(one: str, other: str) -> None:
    assert parse_unit(one).dimension != parse_unit(other).dimension
