"""A value that is no number stops the run, and the message names the first that was none.

Intervals rule it out, so the tests break what the intervals rely on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import envs
from envs.compiler import kernels
from envs.simulation.nonfinite import NonFiniteError
from tests.language import tiny


def _problem(observed: str = "level") -> envs.Problem:
    return tiny.problem(
        processes={"load": {"unit": "1", "sample": {"uniform": [0.5, 1]}}},
        states={"level": {"unit": "1", "init": 0, "next": "clip(late, -1, 1)", "bounds": [-1, 1]}},
        equations={
            "late": {"unit": "1", "expr": "2 * early + level"},
            "early": {"unit": "1", "expr": "3 + tanh(knob + load)"},
            "sound": {"unit": "1", "expr": "load + 1"},
            "seen": {"unit": "1", "expr": "sound * cos(load)"},
        },
        objective={"carbon": {"unit": "gCO2e", "expr": "late * sound * '1 gCO2e'"}},
        metrics={"energy": {"unit": "J", "expr": "late * '1 J'"}},
        observe={"probe": {"unit": "1", "expr": observed, "linear": [-1, 1]}},
    )


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make one operation fail in the second of three scenarios, in both backends."""

    def break_(name: str) -> None:
        plain = kernels.UFUNCS[name]

        def spoil(x: Any, out: Any) -> None:
            plain(x, out=out)
            if out.shape[-1] == 3:
                out[..., 1] = np.nan

        def spoil_tensor(torch: Any, x: Any, attribute: Any = None) -> Any:
            return getattr(torch, name)(x) * torch.tensor([1.0, np.nan, 1.0])

        monkeypatch.setitem(kernels.UFUNCS, name, spoil)
        monkeypatch.setitem(kernels.NUMPY, name, lambda x, out, attribute=None: spoil(x, out))
        monkeypatch.setitem(kernels.TORCH, name, spoil_tensor)

    return break_


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_first_equation_that_is_not_finite_is_named(broken: Any, backend: str) -> None:
    broken("tanh")
    env = envs.make_vector(_problem(), num_envs=3, backend=backend)
    env.reset(options={"scenarios": np.array([4, 7, 9])})
    with pytest.raises(NonFiniteError, match="'early'.* step 0 of scenario 7 of split 'train'"):
        env.step(tiny.actions(env))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_what_is_seen_must_be_finite_before_anything_is_done(broken: Any, backend: str) -> None:
    broken("cos")
    env = envs.make_vector(_problem("seen"), num_envs=3, backend=backend)
    with pytest.raises(NonFiniteError, match="'seen'.* step 0 of scenario 1"):
        env.reset(seed=0)


def test_a_clone_with_a_hole_is_refused_by_the_name_of_its_state() -> None:
    env = envs.make_vector(_problem(), num_envs=3)
    env.reset(seed=0)
    state = env.clone_state()
    state.values[0][..., 2] = np.inf
    with pytest.raises(NonFiniteError, match="level is not finite at step 0 of scenario 2"):
        env.set_state(state)


def test_the_gradient_search_looks_itself() -> None:
    """Differentiable steps are not interrupted: a search drops the scenarios that failed."""
    from envs.simulation.batch import BatchSimulation

    simulation = BatchSimulation(_problem().compiled(), 2, backend="torch")
    simulation.reset()
    actions = torch.tensor([[0.5], [np.nan]], dtype=torch.float64, requires_grad=True)
    simulation.step(actions)
    assert simulation.carbon_g.isfinite().tolist() == [True, False]
