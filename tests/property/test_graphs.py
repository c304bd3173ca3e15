"""Random systems of equations: folded, in NumPy's reused arrays and in torch, they are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from envs.simulation.batch import BatchSimulation
from tests.language import tiny
from tests.language.tiny import Array

AXES = {"row": 0, "column": 1}
SIZE = 3
"""Of both sets, so that a swap of axes would not show in a shape."""
FULL = (SIZE, SIZE)

_RNG = np.random.default_rng(0)
INPUTS: dict[str, tuple[tuple[str, ...], Array]] = {
    "s": ((), _RNG.normal(size=(1, 1))),
    "x": (("row",), _RNG.normal(size=(SIZE, 1))),
    "y": (("column",), _RNG.normal(size=(1, SIZE))),
    "m": (("row", "column"), _RNG.normal(size=FULL)),
}


@dataclass(frozen=True)
class Term:
    """An expression, the sets it runs over, and its value with an axis for each set."""

    text: str
    index: frozenset[str]
    value: Array


def _named(name: str) -> Term:
    index, value = INPUTS[name]
    return Term(name, frozenset(index), value)


UNARY = {
    "(-{})": np.negative,
    "abs({})": np.abs,
    "tanh({})": np.tanh,
    "sin({})": np.sin,
    "floor(4 * {})": lambda a: np.floor(4 * a),
    "(2 * {} * 3)": lambda a: 6 * a,
    "({} / -4)": lambda a: a / -4,
    "{} ** 2": np.square,
    "(not {})": lambda a: 1.0 * (a == 0),
}
BINARY = {
    "({} + {})": np.add,
    "({} - {})": np.subtract,
    "{} * {}": np.multiply,
    "min({}, {})": np.minimum,
    "max({}, {})": np.maximum,
    "mod({}, 1 + abs({}))": lambda a, b: np.mod(a, 1 + np.abs(b)),
    "({} / (1 + {} ** 2))": lambda a, b: a / (1 + b**2),
    "({} < {})": lambda a, b: 1.0 * (a < b),
}
OVER = {
    "sum({}, {})": np.sum,
    "mean({}, {})": np.mean,
    "min_over({}, {})": np.min,
    "max_over({}, {})": np.max,
}
ALONG = {
    "cumsum({}, {})": np.cumsum,
    "shift({}, {}, 1)": lambda a, axis: np.concatenate(
        [0 * np.take(a, [0], axis), np.delete(a, -1, axis)], axis
    ),
}


@st.composite
def terms(draw: st.DrawFn, known: tuple[Term, ...], depth: int = 3) -> Term:
    """A random expression over known terms."""
    kind = draw(st.sampled_from(("known", "unary", "binary", "where", "over", "along")))
    if depth == 0 or kind == "known":
        return draw(st.sampled_from(known))
    a = draw(terms(known, depth - 1))
    if kind == "unary":
        text, function = draw(st.sampled_from(list(UNARY.items())))
        return Term(text.format(f"({a.text})"), a.index, function(a.value))
    if kind in ("binary", "where"):
        b = draw(terms(known, depth - 1))
        if kind == "where":
            value = np.where(a.value > 0, b.value, 1.0)
            return Term(f"where({a.text} > 0, {b.text}, 1)", a.index | b.index, value)
        text, function = draw(st.sampled_from(list(BINARY.items())))
        joined = text.format(f"({a.text})", f"({b.text})")
        return Term(joined, a.index | b.index, function(a.value, b.value))
    if not a.index:
        return a
    name = draw(st.sampled_from(sorted(a.index)))
    if kind == "over":
        text, function = draw(st.sampled_from(list(OVER.items())))
        value = function(a.value, axis=AXES[name], keepdims=True)
        return Term(text.format(a.text, name), a.index - {name}, value)
    text, function = draw(st.sampled_from(list(ALONG.items())))
    return Term(text.format(a.text, name), a.index, function(a.value, axis=AXES[name]))


@st.composite
def systems(draw: st.DrawFn) -> list[Term]:
    """Equations of which each may use those before it."""
    known = [_named(name) for name in INPUTS]
    equations: list[Term] = []
    for number in range(draw(st.integers(1, 6))):
        term = draw(terms(tuple(known)))
        equations.append(term)
        known.append(Term(f"e{number}", term.index, term.value))
    return equations


def _problem(equations: list[Term], folded: bool) -> envs.Problem:
    given = {
        name if folded else f"{name}_given": {
            "unit": "1",
            "index": list(index),
            "value": value.reshape([SIZE] * len(index)).tolist(),
        }
        for name, (index, value) in INPUTS.items()
    }
    changing = {
        name: {"unit": "1", "index": list(index), "expr": f"{name}_given * time_remaining"}
        for name, (index, _) in INPUTS.items()
    }
    sections: dict[str, Any] = {
        "sets": dict.fromkeys(AXES, SIZE),
        "time": {"horizon": 1},
        "parameters": given,
        "processes": {} if folded else changing,
        "equations": {f"e{n}": {"unit": "1", "expr": e.text} for n, e in enumerate(equations)},
    }
    shown = {
        f"e{n}": {"unit": "1", "expr": f"e{n}", "linear": [-1, 1]} for n in range(len(equations))
    }
    return tiny.problem(**sections, observe={"remaining": None, **shown})


@settings(max_examples=120)
@given(systems())
def test_a_system_of_equations_is_worth_the_same_wherever_it_is_computed(
    equations: list[Term],
) -> None:
    expected = np.concatenate(
        [
            np.broadcast_to(e.value, [SIZE if s in e.index else 1 for s in AXES]).ravel()
            for e in equations
        ]
    )
    for folded in (True, False):
        try:
            compiled = _problem(equations, folded).compiled()
        except envs.SpecError as error:
            # Squares of squares of squares may be proven to overflow: refused rather than wrong.
            assert {d.code for d in error.diagnostics} <= {"overflow", "too-large", "too-deep"}
            return
        for backend in ("numpy", "torch"):
            simulation = BatchSimulation(compiled, 2, backend=backend)
            simulation.reset()
            simulation.step(np.zeros((2, 1)))
            for row in np.asarray(simulation.observation):
                np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-9)
