"""What the compiler proves about a value holds when the value is computed."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import envs
from tests.hostile.corpus.spec import edited
from tests.hostile.guard import guarded

NUMBERS = st.sampled_from(["0", "1", "-1", "0.5", "2", "3", "-2.5", "10", "1e-3", "100"])
NAMES = st.sampled_from(
    [
        "load",
        "mode",
        "share",
        "weight",
        "gain * 1e11",
        "position(user)",
        "time_remaining",
        "step_index",
        "hour_of_day / '1 h'",
        "charge / '50 W'",
        "stored / capacity",
        "demand / '1 Mbit/s'",
        "power / '1 W'",
        "pi",
    ]
)


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.sampled_from(
        """
        -({}) abs({}) exp({}) log({}) sqrt({}) log1p({}) expm1({}) log2({}) sin({}) cos({})
        tanh({}) sigmoid({}) sign({}) round({}) floor({}) ceil({}) ({})**2 ({})**3 ({})**-1
        ({})**0.5 from_db({}) to_db({}) sum({},user) mean({},user) prod({},user) max_over({},user)
        argmin({},user) cumsum({},user) shift({},user,1) one_hot({},zone) not({})
        """.split()
    )
    two = st.sampled_from(
        """
        ({})+({}) ({})-({}) ({})*({}) ({})/({}) min({},{}) max({},{}) mod({},{}) ({})<({})
        ({})**({}) take({},user,{})
        """.split()
    )
    three = st.sampled_from("clip({},{},{}) where({},{},{})".split())
    return (
        st.builds(str.format, one, inner)
        | st.builds(str.format, two, inner, inner)
        | st.builds(str.format, three, inner, inner, inner)
    )


EXPRESSIONS = st.recursive(NUMBERS | NAMES, _compound, max_leaves=6)


@settings(max_examples=200)
@given(EXPRESSIONS)
def test_an_accepted_expression_stays_finite_and_in_its_interval(text: str) -> None:
    document = edited(lambda d: d["equations"].update(probe={"unit": "1", "expr": text}))
    try:
        with guarded():
            problem = envs.parse(document)
    except envs.SpecError:
        assume(False)
        return
    low, high = problem.compiled().named["probe"][0].interval
    environment = envs.make_vector(problem, num_envs=4, split="train", seed=0)
    environment.reset(seed=0)
    generator = np.random.default_rng(0)
    shape = (4, environment.single_action_space.shape[0])
    margin = 1e-9 * max(1.0, abs(low), abs(high))
    for _ in range(problem.horizon):
        environment.step(generator.uniform(-1, 1, shape).astype(np.float32))
        value = environment.quantities(["probe"])["probe"]
        assert np.isfinite(value).all()
        assert low - margin <= value.min() <= value.max() <= high + margin, (low, high, value)
