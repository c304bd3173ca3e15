"""The proof of ``cooling``'s bound, piece by piece, and what is attained."""

import numpy as np
import pytest

import envs
from envs.oracle import cooling, cooling_hall, cooling_mpc
from envs.oracle.cooling_day import Pieces, convex_pieces, solve
from envs.oracle.cooling_hall import Hall, best_controls, proven_floor

SOME = np.arange(2)


@pytest.fixture(scope="module")
def hall() -> Hall:
    return Hall.of(envs.load("cooling"), "test")


def test_the_hall_of_the_oracle_is_that_of_the_simulation(hall: Hall) -> None:
    env = envs.make_vector(envs.load("cooling"), 64, split="test")
    env.reset(options={"scenarios": np.arange(64)})
    rng = np.random.default_rng(0)
    for _ in range(10):
        env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        seen = env.quantities(["use", "supply", "fan", "wet", "facility", "hottest"])
        power, hottest = hall.power(seen["use"], seen["supply"], seen["fan"], seen["wet"])
        np.testing.assert_allclose(power, seen["facility"], rtol=1e-9)
        np.testing.assert_allclose(hottest, seen["hottest"], rtol=1e-9)


def test_the_chiller_bends_less_than_the_proof_allows(hall: Hall) -> None:
    x, y = np.linspace(7.22, 12.78, 120) + 273.15, np.linspace(12.78, 26.67, 120) + 273.15
    load = np.linspace(0, 1.1 * 471e3, 80)
    power = hall.chiller(load[:, None, None], x[:, None], y) * hall.cop / hall.capacity
    for axis, step in ((1, x[1] - x[0]), (2, y[1] - y[0])):
        bend = np.diff(power, 2, axis=axis) / step**2
        assert bend.max() < 0.6 * cooling_hall.CURVATURE_PER_K2
    assert (np.diff(power, axis=0) >= -1e-12).all()  # and never takes less for more


def test_no_control_at_any_moment_undercuts_the_floor(hall: Hall) -> None:
    floor = proven_floor(hall)
    rng = np.random.default_rng(1)
    use, wet = rng.uniform(0.15, 0.95, 20_000), rng.uniform(262, 306, 20_000)
    cell = np.clip(np.searchsorted(floor.use, use) - 1, 0, len(floor.use) - 2)
    least = floor.at(wet)[np.arange(20_000), cell]
    for _ in range(5):
        supply, fan = rng.uniform(291.15, 300.15, 20_000), rng.uniform(0.3, 1, 20_000)
        assert (hall.priced(use, supply, fan, wet) - hall.nominal(use) >= least - 1e-6).all()
    some = slice(0, 1500)
    supply, fan = best_controls(hall, use[some], wet[some])
    over = hall.priced(use[some], supply, fan, wet[some]) - hall.nominal(use[some]) - least[some]
    assert (over >= -1e-6).all()
    assert over.mean() < 700  # W; the halls draw some 300 kW


def test_the_inlet_limit_costs_more_than_it_is_worth(hall: Hall) -> None:
    """Also at the dirtiest intensity: the best controls keep it."""
    use, wet = np.meshgrid(np.linspace(0.15, 0.95, 30), np.linspace(270, 300, 60))
    supply, fan = best_controls(hall, use, wet)
    assert (hall.power(use, supply, fan, wet)[1] - hall.inlet_max).max() < 0.02


def test_work_left_over_costs_more_than_doing_it(hall: Hall) -> None:
    problem = envs.load("cooling")
    price_per_kwh = 775.0  # the dirtiest grid of any split
    use, wet = np.meshgrid(np.linspace(0.15, 0.95, 33), np.linspace(270, 300, 60))
    power = hall.priced(use, *best_controls(hall, use, wet), wet)
    dearest_kw = np.diff(power, axis=1).max() / (use[0, 1] - use[0, 0]) / 1e3
    assert dearest_kw * price_per_kwh < problem.constants["backlog_price"] * 3600


def test_pieces_are_the_greatest_convex_function_below_the_points() -> None:
    rng = np.random.default_rng(2)
    work = np.sort(rng.uniform(0, 1, (40, 2, 30)), axis=-1)
    work -= work[..., :1]
    cost = rng.uniform(0, 1, work.shape) + 3 * (work - 0.4) ** 2
    pieces = convex_pieces(work, cost)
    assert (np.diff(pieces.slope, axis=-1)[pieces.width[..., 1:] > 0] >= -1e-9).all()
    np.testing.assert_allclose(pieces.width.sum(axis=-1), work[..., -1])
    reach = np.cumsum(pieces.width, axis=-1) - pieces.width
    below = pieces.first[..., None] + (
        pieces.slope[..., None]
        * np.clip(work[..., None, :] - reach[..., None], 0, pieces.width[..., None])
    ).sum(axis=-2)
    assert (below <= cost + 1e-9).all()
    assert ((cost - below) < 1e-9).sum(axis=-1).min() >= 2


def test_work_waits_for_the_cheapest_moment_before_its_deadline() -> None:
    slope = np.array([5.0, 3.0, 4.0, 1.0, 2.0])[:, None, None]
    pieces = Pieces(np.zeros((5, 1)), np.ones((5, 1, 1)), slope)
    arrival = np.array([0.5, 0, 0, 0, 0])[:, None]
    oldest = np.array([0.5, 0.5, 0.0, 0.0, 0.0])[:, None]  # by the third moment it must have run
    found = solve(pieces, arrival, oldest, left_price=100.0)
    np.testing.assert_allclose(found.placed[:, 0], [0, 0.5, 0, 0, 0], atol=1e-9)
    assert found.value_g == pytest.approx(1.5)


def test_bound_best_known_forecasts_and_rules_stand_in_order() -> None:
    problem = envs.load("cooling")
    found = cooling.solve(problem, "test", SOME)
    mpc = cooling_mpc.solve(problem, "test", SOME)["mpc"]
    assert (found["certified"] <= found["best_known"]).all()
    assert found["best_known"].mean() < 1.03 * found["certified"].mean()
    assert (mpc >= found["certified"]).all()
    env = envs.make_vector(problem, len(SOME), split="test")
    rules = {}
    for name in problem.heuristics:
        env.reset(options={"scenarios": SOME})
        for _ in range(problem.horizon):
            info = env.step(env.heuristic_actions(name))[4]
        rules[name] = info["totals"]["objective_g"].mean()
    assert found["best_known"].mean() < min(rules.values())
    assert mpc.mean() < rules["ashrae"]
