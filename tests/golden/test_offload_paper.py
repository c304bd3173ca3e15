"""Bandwidth and power for one image, written again from the physics."""

import numpy as np
import pytest

import envs
from envs.oracle import descent
from envs.oracle.branch_and_bound import GAP, solve
from tests.golden.played import play


def test_carbon_and_penalty_follow_from_shannon_and_the_amplifier() -> None:
    played = play("offload_paper", 400, ("bandwidth", "power"))
    path = {name: values[0] for name, values in played.scenarios.paths.items()}
    b, p = (played.decisions[0][n] for n in ("bandwidth", "power"))
    band, noise, cap = 20e6, 3.1623e-20, 7.4
    rate = b * np.minimum(np.log2(1 + p * path["gain"] / (noise * b)), cap)
    airtime = np.minimum(path["payload"] / rate, 1.5 * path["budget"])
    rest, wanted = band - b, path["background_load"] * band
    need = noise * rest / path["background_gain"] * (2 ** np.minimum(wanted / rest, cap) - 1)
    background = np.minimum(need, np.maximum(6.3 - p, 0))
    served = rest * np.log2(1 + background * path["background_gain"] / (noise * rest))
    alone = noise * band / path["background_gain"] * (2 ** path["background_load"] - 1)
    extra = np.maximum(background - np.minimum(alone, 6.3), 0)
    site_w = 17 * b / band + 2.6 * (p + extra)
    carbon = (path["ci_edge"] * site_w + path["ci_user"] * 15) * airtime
    penalty = (
        0.01 * np.maximum(airtime - path["budget"], 0)
        + 0.0007 * np.maximum(path["payload"] - 1.5 * rate * path["budget"], 0) / 1e6
        + 0.002 * np.maximum(wanted - served, 0) * airtime / 1e6
    )
    np.testing.assert_allclose(played.info[0]["carbon_g"], carbon, rtol=1e-9)
    np.testing.assert_allclose(played.info[0]["penalty_g"], penalty, rtol=1e-7, atol=1e-15)
    np.testing.assert_allclose(played.info[0]["energy_j"], (site_w + 15) * airtime, rtol=1e-9)


def test_branch_and_bound_and_descent_find_the_same_optimum() -> None:
    problem = envs.load("offload_paper")
    found = solve(problem, "test", np.arange(60))
    assert (found["certified"] <= found["best_known"] * (1 + 1e-9)).all()
    assert found["certified"].mean() >= found["best_known"].mean() * (1 - 2 * GAP)
    other = descent.solve(problem, "test", np.arange(60))["best_known"]
    assert (other >= found["certified"] * (1 - 1e-9)).all()
    assert other.mean() == pytest.approx(found["best_known"].mean(), rel=5e-3)


def test_an_outage_costs_more_than_serving_so_the_optimum_serves() -> None:
    problem = envs.load("offload_paper")
    env = envs.make_vector(problem, 500, split="test")
    env.reset(options={"scenarios": np.arange(500)})
    starved = env.step(np.full((500, 2), -1, np.float32))[4]["totals"]["objective_g"].mean()
    assert starved > 2 * solve(problem, "test", np.arange(500))["best_known"].mean()
