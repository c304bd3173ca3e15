"""The committed references: present, in order, and what a fresh computation gives."""

import numpy as np
import pytest

import envs
from envs.oracle import load_reference, offload_mpc
from envs.oracle.reference import solver

SAMPLE = {"offload": 3, "v2g": 4, "v2g_feeder": 4}


@pytest.mark.parametrize("name", envs.problems())
def test_a_reference_is_committed_for_the_problem_as_it_is(name: str) -> None:
    reference = load_reference(envs.load(name))
    assert reference is not None, f"run: python -m benchmark oracle env={name}"
    assert len(reference.scenarios) >= 500
    bound, best = (reference.objective_g[m] for m in ("certified", "best_known"))
    assert (bound <= best * (1 + 1e-6)).all()
    assert best.mean() <= bound.mean() * 1.05


@pytest.mark.parametrize("name", envs.problems())
def test_a_sample_of_the_reference_is_computed_again(name: str) -> None:
    problem = envs.load(name)
    reference = load_reference(problem)
    assert reference is not None
    some = np.arange(SAMPLE.get(name, 50))
    for method, values in solver(problem)(problem, "test", some).items():
        # Linear programmes have ties; which one is met may differ between builds of the solver.
        np.testing.assert_allclose(values, reference.objective_g[method][some], rtol=2e-2)
        assert values.mean() == pytest.approx(reference.objective_g[method][some].mean(), rel=1e-2)


@pytest.mark.parametrize("name", envs.problems())
def test_no_heuristic_beats_the_proven_bound(name: str) -> None:
    problem = envs.load(name)
    reference = load_reference(problem)
    assert reference is not None
    rows = 40
    env = envs.make_vector(problem, rows, split="test")
    for heuristic in problem.heuristics:
        env.reset(options={"scenarios": np.arange(rows)})
        for _ in range(problem.horizon):
            info = env.step(env.heuristic_actions(heuristic))[4]
        bound = reference.objective_g["certified"][:rows]
        assert (info["totals"]["objective_g"] >= bound * (1 - 1e-7)).all()


def test_control_on_forecasts_lies_between_the_bound_and_the_rules() -> None:
    problem = envs.load("offload")
    reference = load_reference(problem)
    assert reference is not None
    days = np.arange(3)
    controlled = offload_mpc.solve(problem, "test", days)["mpc"]
    assert (controlled >= reference.objective_g["certified"][:3] * (1 - 1e-7)).all()
    env = envs.make_vector(problem, 3, split="test")
    env.reset(options={"scenarios": days})
    for _ in range(problem.horizon):
        info = env.step(env.heuristic_actions("plain"))[4]
    assert controlled.mean() < info["totals"]["objective_g"].mean()
