"""Whatever arrives is accepted, or refused with diagnostics. There is no third way."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from tests.hostile.corpus import BASE_TEXT, CODES
from tests.hostile.corpus.spec import changed, equation
from tests.hostile.guard import guarded

WORDS = st.sampled_from(
    (
        "gain load power stored weight share user zone time_step pi 0 1 2.5 '1 W' '3 kWh' 'DE' "
        "1e-9 + - * / ** < == and or not ( ) [ ] , sum( exp( log( clip( where( interp( take( "
        '# ; : @ \\ \n " lambda x: for in if else'
    ).split(" ")
)
SNIPPETS = st.sampled_from(
    [
        "*a",
        "&a ",
        "!!x ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "#",
        "'",
        '"',
        "? ",
        "| \n",
        "%",
        "~",
        "\x85",
        "\ud800",
    ]
)


def settle(document: str | bytes) -> None:
    with guarded(), suppress(envs.SpecError):
        try:
            envs.parse(document)
        except envs.SpecError as error:
            assert error.diagnostics
            assert {diagnostic.code for diagnostic in error.diagnostics} <= CODES
            raise


@settings(max_examples=200)
@given(st.lists(WORDS, max_size=25))
def test_any_words_make_an_expression_or_a_diagnostic(words: list[str]) -> None:
    settle(equation(" ".join(words)))


@settings(max_examples=100)
@given(st.text(max_size=60))
def test_any_text_makes_an_expression_a_unit_and_a_value_or_diagnostics(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    settle(equation(text))
    settle(changed("parameters.noise.unit", text))
    settle(changed("parameters.noise.value", text))
    settle(changed("parameters.bandwidth.unit", text + "^2"))


@settings(max_examples=100)
@given(st.text(alphabet="0123456789.eE+-()^*/ mWsgkJhinTpCO2", max_size=40))
def test_anything_that_looks_like_a_unit_is_one_or_is_refused(text: str) -> None:
    settle(changed("parameters.noise.unit", text))
    settle(equation(f"'1 {text}' / '1 W'"))


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_make_a_document_or_a_diagnostic(data: bytes) -> None:
    settle(data)
    settle(BASE_TEXT.encode() + data)


@settings(max_examples=150)
@given(st.data())
def test_a_spec_cut_and_spliced_anywhere_is_accepted_or_refused(data: st.DataObject) -> None:
    places = st.integers(0, len(BASE_TEXT))
    start, end = sorted((data.draw(places), data.draw(places)))
    settle(BASE_TEXT[:start] + data.draw(SNIPPETS) + BASE_TEXT[min(end, start + 40) :])


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = st.sampled_from(
    """
    spec meta meta.name meta.functional_unit time time.step time.horizon sets sets.user sets.user_b
    parameters parameters.weight parameters.weight.value parameters.demand.sample
    parameters.demand.sample.uniform processes processes.gain.index processes.gain.bounds
    processes.load.ar1 processes.load.ar1.per processes.mode.markov.transition
    processes.intensity.hold states states.stored.init states.stored.bounds states.stored.terminal
    decisions decisions.power.log decisions.share.simplex equations objective objective.carbon
    constraints constraints.rate_met.penalty metrics metrics.delivered.reduce observe
    observe.gain.log heuristics heuristics.full_power.decisions splits splits.ood.parameters
    splits.ood.processes provenance
    """.split()
)


@settings(max_examples=300)
@given(PLACES, JSON_VALUES)
def test_any_value_at_any_place_is_accepted_or_refused(place: str, value: object) -> None:
    settle(changed(place, value).encode("utf-8", "replace"))
