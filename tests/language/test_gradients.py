"""What torch differentiates.

Slopes where there are some, the declared ones where there are none.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import envs
from envs.simulation.batch import BatchSimulation
from tests.language import tiny
from tests.language.tiny import Array

AT = np.array([[-0.83, -0.31, 0.12, 0.47, 0.71], [0.93, 0.26, -0.15, -0.52, -0.77]])
"""Away from every kink of the expressions below."""


def _problem(text: str) -> envs.Problem:
    return tiny.problem(
        sets={
            "row": 5,
            "column": 3,
            "twin": {"alias_of": "row"},
            "pillar": {"alias_of": "column"},
            "part": ["re", "im"],
        },
        parameters={
            "w": {"unit": "1", "index": ["column"], "value": [0.3, -1.2, 2.1]},
            "m": {
                "unit": "1",
                "index": ["row", "column"],
                "value": [[1, 2, 4], [3, 1, 0], [0.5, 2, 2], [4, 4, 1], [2, 0, 3]],
            },
            "xs": {"unit": "1", "index": ["column"], "value": [-0.6, 0.2, 0.8]},
            "ys": {"unit": "1", "index": ["column"], "value": [2, -1, 1]},
        },
        decisions={"knob": None, "d": {"unit": "1", "index": ["row"], "box": [-1, 1]}},
        equations={"probe": {"unit": "1", "expr": text}},
        objective={"carbon": {"unit": "gCO2e", "expr": "probe * '1 gCO2e'"}},
        metrics={"energy": {"unit": "J", "expr": "probe * '1 J'"}},
    )


def _gradient(text: str) -> Array:
    simulation = BatchSimulation(_problem(text).compiled(), 2, backend="torch")
    simulation.reset()
    actions = torch.tensor(AT, requires_grad=True)
    simulation.step(actions)
    simulation.carbon_g.sum().backward()
    assert actions.grad is not None
    return actions.grad.numpy()


def _differences(text: str, width: float = 1e-6) -> Array:
    simulation = BatchSimulation(_problem(text).compiled(), 2)

    def carbon(actions: Array) -> Array:
        simulation.reset()
        simulation.step(actions)
        return simulation.carbon_g

    columns = []
    for component in range(AT.shape[1]):
        aside = np.zeros_like(AT)
        aside[:, component] = width
        columns.append((carbon(AT + aside) - carbon(AT - aside)) / (2 * width))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize(
    "text",
    [
        "sum(exp(d) * sin(3 * d) + tanh(d) * cos(d) + sigmoid(d) + expm1(d), row)",
        "sum(log(2 + d) + log2(2 + d) + log10(2 + d) + log1p(d + 1) + sqrt(2 + d), row)",
        "sum((2 + d) ** 0.3 + d ** 3 + (2 + d) ** -1 + (2 + d) ** d + 2 ** d + d * d, row)",
        "sum(abs(d) + d / (2 + d) - (-d) + from_db(d) + to_db(2 + d), row)",
        "sum(min(d, 0.2, 1 - d) + max(d, -0.2)"
        " + clip(d, -0.5, 0.5) + where(d > 0, d ** 2, -d), row)",
        "sum(mod(d, 0.3) + mod(2.2, d + 1.5), row)",
        "mean(d, row) + prod(2 + d, row) + min_over(d * d, row) + max_over(d, row)",
        "sum(cumsum(d, row) * position(row), row)",
        "sum(shift(d, row, 2) * d + shift(d, row, -1) * position(row), row)",
        "sum(take(d * d, row, w + 2), column)",
        "sum(contract(m, d, row) ** 2, column)",
        "sum(relabel(d, row, twin) * d * (position(row) > position(twin)), row, twin)",
        "sum(interp(d, xs, ys), row)",
        "sum(solve(d * relabel(d, row, twin) + (1 + position(row)) * (position(row)"
        " + position(twin) == 4), d + 1, row, twin) * position(twin), twin)",
        "sum(downstream_sum(d, max(position(row) - 2, -1), row) ** 2 * position(row)"
        " + upstream_sum(d, floor(position(row) / 2) - 1 + 0 * position(row), row) ** 3, row)",
        "d[1] * d['3'] + sum(one_hot(2, row) * d, row)",
        "sum(m * d * w, row, column)",
        "sum(hypot(d, 0.3) + atan2(d, 0.4) + atan2(0.2, d) + erlang_cdf(3 + d, 4), row)",
        "sum(argument(polar(2 + d, d, part), part) * modulus(polar(1, d, part) + d, part), row)",
        "sum(complex_times(polar(1, d, part), polar(m, w * d, part), part), row, column, part)",
        "sum(squared_modulus(complex_contract(polar(m, w * d, part), conjugate(polar(d, 2, part),"
        " part), part, row), part), column)",
        "sum(least_powers(complex_contract(polar(m, w * d, part), conjugate(relabel(polar(m, w * d,"
        " part), column, pillar), part), part, row), 2, 100, column, pillar, part), column)",
    ],
)
def test_the_gradient_is_that_of_finite_differences(text: str) -> None:
    np.testing.assert_allclose(_gradient(text), _differences(text), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["round", "floor", "ceil"])
def test_the_gradient_of_rounding_is_declared_to_be_1(name: str) -> None:
    np.testing.assert_allclose(_gradient(f"sum({name}(3 * d), row)"), np.full(AT.shape, 3.0))


def test_a_whole_number_is_decided_with_the_gradient_of_its_line() -> None:
    problem = tiny.problem(
        decisions={"knob": {"unit": "1", "integer": [0, 10]}},
        objective={"carbon": {"unit": "gCO2e", "expr": "knob ** 2 * '1 gCO2e'"}},
        metrics={"energy": {"unit": "J", "expr": "knob * '1 J'"}},
    )
    simulation = BatchSimulation(problem.compiled(), 1, backend="torch")
    simulation.reset()
    action = torch.tensor([[0.27]], dtype=torch.float64, requires_grad=True)
    simulation.step(action)
    simulation.carbon_g.sum().backward()
    assert action.grad is not None
    assert simulation.carbon_g.item() == 36.0
    assert action.grad.item() == pytest.approx(2 * 6 * 5.5, rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "sum(sign(d), row)",
        "sum(d > 0, row)",
        "sum(where(d == 0.5, 1, 2), row)",
        "argmax(d, row)",
        "sum(one_hot(2 + d[0], row) * position(row), row)",
    ],
)
def test_what_has_no_slope_has_no_gradient(text: str) -> None:
    simulation = BatchSimulation(_problem(text).compiled(), 2, backend="torch")
    simulation.reset()
    actions = torch.tensor(AT, requires_grad=True)
    simulation.step(actions)
    total = simulation.carbon_g.sum()
    assert not total.requires_grad or not torch.autograd.grad(total, actions)[0].any()


@pytest.mark.parametrize(
    "text",
    [
        "sqrt(max(d, 0))",
        "where(d > 0, sqrt(max(d, 0)), 0)",
        "abs(d)",
        "hypot(max(d, 0), 0)",
        "atan2(max(d, 0), 0)",
    ],
)
def test_a_branch_not_taken_leaves_no_hole_in_the_gradient(text: str) -> None:
    assert np.isfinite(_gradient(f"sum({text}, row)")).all()


def test_actions_beyond_the_box_are_clipped_and_have_no_gradient() -> None:
    simulation = BatchSimulation(_problem("sum(d, row)").compiled(), 2, backend="torch")
    simulation.reset()
    actions = torch.full((2, 5), 1.5, dtype=torch.float64, requires_grad=True)
    simulation.step(actions)
    simulation.carbon_g.sum().backward()
    assert simulation.carbon_g.tolist() == [5.0, 5.0]
    assert actions.grad is not None
    assert not actions.grad.any()
