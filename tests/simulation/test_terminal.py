"""Stocks at the end of an episode, and the potentials that spread their cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import envs
from tests.language import tiny

COST = "price * max(start - stock, 0)"
POTENTIAL = "worth * (start - stock)"


def _problem(**terminal: str) -> envs.Problem:
    stock: dict[str, Any] = {
        "unit": "Wh",
        "init": "start",
        "next": "clip(stock + knob * '1 Wh', '0 Wh', '10 Wh')",
        "bounds": [0, 10],
    }
    return tiny.problem(
        time={"horizon": 6},
        sets={"cell": 2},
        parameters={
            "start": {"unit": "Wh", "value": 5},
            "price": {"unit": "gCO2e/kWh", "value": 4000},
            "worth": {"unit": "gCO2e/kWh", "value": 1000},
        },
        decisions={"knob": {"unit": "1", "index": ["cell"], "box": [-1, 1]}},
        states={
            "stock": {**stock, "index": ["cell"], **({"terminal": terminal} if terminal else {})}
        },
        objective={"carbon": {"unit": "gCO2e", "expr": "sum(2 + knob, cell) * '1 gCO2e'"}},
        constraints={"low": {"unit": "1", "expr": "knob - 0.5", "penalty": 3}},
        metrics={"energy": {"unit": "J", "expr": "sum(2 + knob, cell) * '1 J'"}},
    )


def _episode(problem: envs.Problem, backend: str = "numpy") -> tuple[np.ndarray, np.ndarray, dict]:
    """Penalties ``(steps, batch)``, final stocks ``(batch, cell)`` in Wh and the totals."""
    env = envs.make_vector(problem, num_envs=5, backend=backend)
    env.reset(seed=0)
    rng = np.random.default_rng(1)
    penalties = []
    for _ in range(problem.horizon):
        *_, info = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        penalties.append(info["penalty_g"])
    knob_and_stock = env.quantities(["knob", "stock"])
    final = np.clip(knob_and_stock["stock"] + knob_and_stock["knob"], 0, 10)
    return np.array(penalties), final, info["totals"]


def _owed(final: np.ndarray) -> np.ndarray:
    return 4.0 * np.maximum(5 - final, 0).sum(axis=1)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_cost_of_the_final_state_joins_the_penalties_of_the_last_step(backend: str) -> None:
    plain, _, _ = _episode(_problem())
    charged, final, totals = _episode(_problem(cost=COST), backend)
    np.testing.assert_allclose(charged[:-1], plain[:-1], atol=1e-12)
    np.testing.assert_allclose(charged[-1] - plain[-1], _owed(final), atol=1e-9)
    np.testing.assert_allclose(totals["penalty_g"], charged.sum(axis=0), rtol=1e-12)
    assert _owed(final).min() > 0 or _owed(final).max() > 0


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_potential_spreads_the_cost_and_leaves_its_sum(backend: str) -> None:
    charged, final, totals = _episode(_problem(cost=COST))
    spread, same_final, same = _episode(_problem(cost=COST, potential=POTENTIAL), backend)
    np.testing.assert_allclose(same_final, final, atol=1e-12)
    np.testing.assert_allclose(spread.sum(axis=0), charged.sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(same["objective_g"], totals["objective_g"], atol=1e-9)
    assert np.abs(spread - charged).max() > 0.1


def test_a_step_adds_the_difference_of_the_potential() -> None:
    problem = _problem(cost=COST, potential=POTENTIAL)
    env, plain = (envs.make_vector(p, num_envs=3) for p in (problem, _problem()))
    env.reset(seed=0)
    plain.reset(seed=0)
    action = np.array([[1, 0.5], [-1, -1], [0.25, -0.75]], dtype=np.float32)
    difference = env.step(action)[4]["penalty_g"] - plain.step(action)[4]["penalty_g"]
    np.testing.assert_allclose(difference, -1.0 * action.sum(axis=1), atol=1e-6)


def test_a_potential_that_starts_elsewhere_moves_the_objective_by_a_constant() -> None:
    _, _, totals = _episode(_problem(cost=COST))
    _, _, moved = _episode(_problem(cost=COST, potential="worth * (start / 2 - stock)"))
    # Minus the potential of the initial state, of two cells.
    shift = -2 * 1.0 * (2.5 - 5)
    np.testing.assert_allclose(moved["objective_g"] - totals["objective_g"], shift, atol=1e-9)


TINY_STATES: dict[str, Any] = {
    "other": {"unit": "1", "init": 0, "next": "clip(other + knob, -9, 9)", "bounds": [-9, 9]}
}


@pytest.mark.parametrize(
    "terminal",
    [
        {"cost": "bill"},
        {"cost": "other * '1 gCO2e'"},
        {"cost": "knob * '1 gCO2e'"},
        {"cost": "stock * '1 gCO2e'", "potential": "bill"},
        {"cost": "stock * '1 gCO2e'", "potential": "stock * noise * '1 gCO2e'"},
        {"cost": "stock * '1 gCO2e'", "potential": "stock * step_index * '1 gCO2e'"},
        {"cost": "stock * '1 gCO2e'", "potential": "other * '1 gCO2e'"},
    ],
    ids=str,
)
def test_what_would_not_see_the_final_state_or_not_telescope_is_refused(
    terminal: dict[str, str],
) -> None:
    """An equation or another state enters with its value before the last step."""
    state = {"unit": "1", "init": 0, "next": "clip(stock + knob, -9, 9)", "bounds": [-9, 9]}
    found = tiny.refusal(
        lambda: tiny.problem(
            processes={"noise": {"unit": "1", "sample": {"uniform": [0, 1]}}},
            states={**TINY_STATES, "stock": {**state, "terminal": terminal}},
            equations={"bill": {"unit": "gCO2e", "expr": "stock * '1 gCO2e'"}},
        )
    )
    assert found == [("not-known-yet", "states.stock.terminal")]


def test_the_price_at_the_end_may_be_that_of_the_last_step() -> None:
    state = {"unit": "1", "init": 1, "next": "clip(stock + knob, -9, 9)", "bounds": [-9, 9]}
    problem = tiny.problem(
        processes={"price": {"unit": "gCO2e", "sample": {"uniform": [1, 2]}}},
        states={"stock": {**state, "terminal": {"cost": "price * stock"}}},
    )
    env = envs.make_vector(problem, num_envs=4)
    env.reset(seed=0)
    for _ in range(problem.horizon):
        *_, info = env.step(tiny.actions(env))
    prices = tiny.paths(problem, ["price"], 4)["price"]
    np.testing.assert_allclose(info["penalty_g"], prices[problem.horizon - 1], rtol=1e-12)
