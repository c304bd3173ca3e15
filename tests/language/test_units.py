"""Units, held to `pint`."""

from __future__ import annotations

import math
from fractions import Fraction

import pint
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envs.spec.diagnostics import Finding
from envs.spec.units import BASE_UNITS, parse_quantity, parse_unit
from tests.language import tiny

# Ours: (what it is to pint, whether SI prefixes apply). The dimensions that pint does not tell
# apart (a bit or a cycle is a pure number there, carbon a mass) are custom ones.
UNITS = {
    "1": ("dimensionless", False),
    "percent": ("percent", False),
    "rad": ("radian", False),
    "m": ("meter", True),
    "g": ("gram", True),
    "t": ("metric_ton", False),
    "s": ("second", True),
    "min": ("minute", False),
    "h": ("hour", False),
    "day": ("day", False),
    "year": ("common_year", False),
    "A": ("ampere", True),
    "K": ("kelvin", False),
    "Pa": ("pascal", True),
    "Hz": ("hertz", True),
    "J": ("joule", True),
    "Wh": ("watt * hour", True),
    "W": ("watt", True),
    "VA": ("volt * ampere", True),
    "var": ("volt * ampere", True),
    "V": ("volt", True),
    "C": ("coulomb", False),
    "Ah": ("ampere * hour", True),
    "ohm": ("ohm", True),
    "gCO2e": ("our_carbon", True),
    "tCO2e": ("1e6 * our_carbon", False),
    "bit": ("our_bit", True),
    "byte": ("8 * our_bit", True),
    "cycle": ("our_cycle", True),
    "flop": ("our_cycle", True),
    "request": ("our_request", False),
    "image": ("our_image", False),
    "EUR": ("our_euro", False),
    "ct": ("our_euro / 100", False),
}
PREFIXES = ("T", "G", "M", "k", "m", "u", "n", "p")
DIMENSIONS = dict(
    zip(
        BASE_UNITS,
        "[length] [mass] [time] [current] [temperature] [our_carbon] [our_bit] [our_cycle] "
        "[our_request] [our_image] [our_euro]".split(),
        strict=True,
    )
)

REGISTRY = pint.UnitRegistry()
for _base in ("carbon", "bit", "cycle", "request", "image", "euro"):
    REGISTRY.define(f"our_{_base} = [our_{_base}]")

Symbol = tuple[str, str]
SYMBOLS: list[Symbol] = [
    (prefix, name)
    for name, (_, prefixed) in UNITS.items()
    for prefix in ("", *(PREFIXES if prefixed else ()))
]
FACTORS = st.lists(
    st.tuples(st.sampled_from(SYMBOLS), st.sampled_from("*/"), st.sampled_from((1, 2, 3, -1, -2))),
    min_size=1,
    max_size=4,
)


def to_pint(symbol: Symbol) -> pint.Quantity:
    prefix, name = symbol
    size = REGISTRY.parse_expression(f"1 {prefix}meter").to("meter").magnitude if prefix else 1.0
    return size * REGISTRY.parse_expression(UNITS[name][0])


def in_base(quantity: pint.Quantity) -> tuple[float, dict[str, Fraction]]:
    """Factor to our base units and exponent by pint's dimension."""
    base = REGISTRY.Quantity(quantity).to_base_units()
    exponents = {
        str(dimension): Fraction(exponent).limit_denominator(100)
        for dimension, exponent in base.dimensionality.items()
    }
    return float(base.magnitude), exponents


def exponents_of(text: str) -> dict[str, Fraction]:
    exponents = zip(BASE_UNITS, parse_unit(text).dimension.exponents, strict=True)
    return {DIMENSIONS[name]: exponent for name, exponent in exponents if exponent}


@pytest.mark.parametrize("symbol", SYMBOLS, ids="".join)
def test_every_unit_with_every_prefix_is_what_pint_says(symbol: Symbol) -> None:
    factor, exponents = in_base(to_pint(symbol))
    text = "".join(symbol)
    assert parse_unit(text).factor == pytest.approx(factor, rel=1e-12)
    assert exponents_of(text) == exponents


@settings(max_examples=150)
@given(FACTORS)
def test_products_and_powers_of_units_are_what_pint_says(
    factors: list[tuple[Symbol, str, int]],
) -> None:
    text, expected = "", REGISTRY.Quantity(1.0)
    for symbol, operator, exponent in factors:
        sign = -1 if text and operator == "/" else 1
        text += (operator if text else "") + "".join(symbol)
        text += f"^{exponent}" if exponent != 1 else ""
        expected = expected * to_pint(symbol) ** (sign * exponent)
        assume(abs(math.log10(in_base(expected)[0])) < 80 and len(text) <= 64)
    factor, exponents = in_base(expected)
    assume(all(abs(exponent) <= 12 for exponent in exponents.values()))
    assert parse_unit(text).factor == pytest.approx(factor, rel=1e-11)
    assert exponents_of(text) == exponents


@settings(max_examples=50)
@given(FACTORS, st.sampled_from((-2, -1, 2)))
def test_a_power_of_a_parenthesis_is_the_product_of_powers(
    factors: list[tuple[Symbol, str, int]], power: int
) -> None:
    plain = "*".join("".join(symbol) for symbol, _, _ in factors)
    spread = "*".join("".join(symbol) + f"^{power}" for symbol, _, _ in factors)
    try:
        together, apart = parse_unit(f"({plain})^{power}"), parse_unit(spread)
    except Finding:
        assume(False)
    assert together.dimension == apart.dimension
    assert together.factor == pytest.approx(apart.factor, rel=1e-11)


@settings(max_examples=60)
@given(
    st.floats(-1e12, 1e12, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-12),
    st.sampled_from(SYMBOLS),
)
def test_a_quantity_converts_as_in_pint(number: float, symbol: Symbol) -> None:
    value, unit = parse_quantity(f"{number!r} {''.join(symbol)}")
    assert value * unit.factor == pytest.approx(in_base(number * to_pint(symbol))[0], rel=1e-12)


def test_a_year_has_365_days() -> None:
    assert parse_unit("year").factor == 365 * parse_unit("day").factor


@pytest.mark.parametrize(
    "text",
    "kh kmin Kmin kt MK krad kEUR kimage mday dB degC gCO2 hour mmm kk ckW kW2 W** ^2 W^1.5 "
    "W^13 W^ W// (W W) W(h) kW·h^13 1.5W 2W %".split(),
)
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(Finding) as caught:
        parse_unit(text)
    assert caught.value.code == "bad-unit"


def test_carbon_is_no_mass_and_a_request_is_no_image() -> None:
    pairs = [("g", "gCO2e"), ("request", "image"), ("bit", "1"), ("cycle", "1"), ("Hz", "cycle/s")]
    for a, b in pairs:
        assert parse_unit(a).dimension != parse_unit(b).dimension


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("x", "J"),
        ("x + y", "W"),
        ("min(x, y)", "W"),
        ("where(x > '1 W', x, y)", "W"),
        ("x > y", "1"),
        ("exp(x)", "1"),
        ("2 ** x", "1"),
        ("clip(x, 0, '1 J')", "W"),
        ("sqrt(x)", "W"),
        ("z", "W"),
        ("x + z", "W"),
    ],
)
def test_a_dimension_that_does_not_fit_is_refused(text: str, unit: str) -> None:
    found = tiny.refusal(
        lambda: tiny.problem(
            parameters={
                "x": {"unit": "W", "value": 2},
                "y": {"unit": "J", "value": 3},
                "z": {"unit": "J", "value": 0},
            },
            equations={"probe": {"unit": unit, "expr": text}},
        )
    )
    assert found == [("unit-mismatch", "equations.probe")]


@pytest.mark.parametrize("text", ["max(x, 0)", "x + 0", "where(x > 0, x, 0)", "0", "0 - x"])
def test_a_literal_zero_fits_every_dimension(text: str) -> None:
    tiny.problem(
        parameters={"x": {"unit": "W", "value": 2}},
        equations={"probe": {"unit": "mW", "expr": text}},
    )


@pytest.mark.parametrize(
    ("section", "item", "path"),
    [
        ("objective", {"carbon": {"unit": "J", "expr": "'1 J'"}}, "objective.carbon.expr"),
        ("objective", {"carbon": {"unit": "kg", "expr": "'1 kg'"}}, "objective.carbon.expr"),
        ("metrics", {"energy": {"unit": "W", "expr": "'1 W'"}}, "metrics.energy.unit"),
    ],
    ids=str,
)
def test_carbon_is_in_grams_of_co2e_and_energy_an_energy(
    section: str, item: dict[str, object], path: str
) -> None:
    assert tiny.refusal(lambda: tiny.problem(**{section: item})) == [("unit-mismatch", path)]
