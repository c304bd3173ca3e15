"""Depots on the 33-bus feeder, written again from the physics; the bound's convexity."""

from typing import Any

import numpy as np
import pytest

import envs
from envs.oracle import feeder
from tests.golden.played import Played, play
from tests.golden.test_grid import FEEDER_33

ROWS, HOURS = 6, 0.5
PARENT, OHM, OHM_X, PEAK_KW, PEAK_KVAR = np.array([(0, 0, 0, 0, 0), *FEEDER_33], dtype=float).T
DEPOT_BUS, MICRO_BUS = [18, 22, 25, 33], [14, 31]


@pytest.fixture(scope="module")
def played() -> Played:
    return play("v2g_feeder", ROWS, ("depot_command", "feed"), ("energy",))


def power_flow(load_kva: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss in kW and voltages in pu by Gauss iterations on complex voltages at 1.02 pu."""
    voltage = np.full(33, 1.02 * 12.66, dtype=complex)
    for _ in range(60):
        current = np.conj(load_kva / 1e3 / voltage)
        for bus in range(32, 0, -1):
            current[int(PARENT[bus]) - 1] += current[bus]
        new = voltage.copy()
        for bus in range(1, 33):
            drop = (OHM[bus] + 1j * OHM_X[bus]) * current[bus]
            new[bus] = new[int(PARENT[bus]) - 1] - drop
        voltage = new
    return float((OHM * abs(current) ** 2)[1:].sum() * 1e3), abs(voltage) / 12.66


def redo(played: Played, t: int, row: int) -> dict[str, Any]:
    """A step in kW, kWh and g."""
    path, given = played.scenarios.paths, played.scenarios.parameters
    energy = played.states[t]["energy"][row] / 3.6e6
    into, out, late = np.zeros(4), np.zeros(4), 0.0
    for depot in range(4):
        arrival, departure = (given[n][row, depot] / 3600 for n in ("arrival", "departure"))
        first = np.clip(np.ceil((arrival - 12) * 2), 0, 47)
        last = np.clip(np.rint((departure - 12) * 2), first + 1, 48)
        if first <= t < last:
            command = played.decisions[t]["depot_command"][row, depot] / 1e3
            into[depot] = min(max(command, 0), max(1080 - energy[depot], 0) / (0.95 * HOURS))
            out[depot] = min(max(-command, 0), max(energy[depot] - 300, 0) * 0.95 / HOURS)
            if t == last - 1:
                kept = energy[depot] + (0.95 * into[depot] - out[depot] / 0.95) * HOURS
                late += max(1080 - kept, 0)
    feed = played.decisions[t]["feed"][row] / 1e3
    households = path["load"][t, row] * (PEAK_KW + 1j * PEAK_KVAR)
    load = households.copy()
    load[np.array(DEPOT_BUS) - 1] += into - out
    load[np.array(MICRO_BUS) - 1] -= feed
    lost, voltage = power_flow(load)
    substation = load.real.sum() + lost
    ci, micro = path["ci"][t, row] * 3.6e6, path["ci_micro"][t, row] * 3.6e6
    paid = ci * (max(substation, 0) - 0.9 * max(-substation, 0)) + (micro * feed).sum()
    spared = ci * households.real.sum() - 400 * np.maximum(ci - micro, 0).sum()
    return {
        "carbon_g": (paid - spared + 12 * out.sum()) * HOURS,
        "late": late,
        "low": np.maximum(0.95 - voltage, 0).sum(),
        "energy": energy + (0.95 * into - out / 0.95) * HOURS,
        "kwh": (max(substation, 0) + feed.sum()) * HOURS,
    }


def test_every_step_follows_from_the_physics(played: Played) -> None:
    for t in range(0, 48, 3):
        info = played.info[t]
        for row in range(ROWS):
            step = redo(played, t, row)
            assert info["carbon_g"][row] == pytest.approx(step["carbon_g"], rel=1e-6)
            assert info["energy_j"][row] == pytest.approx(step["kwh"] * 3.6e6, rel=1e-8)
            np.testing.assert_allclose(
                info["cost"][row], [step["late"], step["low"]], rtol=1e-6, atol=1e-8
            )
            if t + 1 < 48:
                after = played.states[t + 1]["energy"][row] / 3.6e6
                np.testing.assert_allclose(after, step["energy"], atol=1e-9)


def test_no_day_is_paid_for_beyond_what_serves_the_households(played: Played) -> None:
    assert played.episode["objective_g"].min() > 0


def test_a_tangent_of_what_is_lost_never_lies_above_it() -> None:
    grid = feeder.Grid.of(envs.load("v2g_feeder"), "train")
    rng = np.random.default_rng(0)
    days, steps = [], 96

    def draw(load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        active = grid.network.active[:, None] * load
        active[grid.depot_bus] += rng.uniform(-220, 220, (4, steps))
        active[grid.micro_bus] -= rng.uniform(0, 400, (2, steps))
        return active, grid.network.reactive[:, None] * load

    for _ in range(5):
        load = rng.uniform(0.3, 1.1, steps)
        (here, reactive), (there, _) = draw(load), draw(load)
        flow, other = grid.network.flow(here, reactive), grid.network.flow(there, reactive)
        tangent = flow.lost + (flow.slope * (there - here)).sum(axis=0)
        assert (tangent <= other.lost + 1e-9).all()
        days.append(flow.lost)
    assert np.concatenate(days).max() > 50


def test_the_bound_and_what_is_attained_lie_close_and_voltages_hold() -> None:
    problem = envs.load("v2g_feeder")
    found = feeder.solve(problem, "test", np.arange(6))
    assert (found["certified"] <= found["best_known"] * (1 + 1e-9)).all()
    assert found["best_known"].mean() <= found["certified"].mean() * 1.01
    grid = feeder.Grid.of(problem, "test")
    for day in feeder.days(problem, "test", np.arange(3)):
        plan = feeder.best_plan(grid, day)[1]
        # The price of a low voltage lies above what it would save: none is paid.
        assert feeder.flow_of(grid, day, plan).voltage.min() >= 0.95 - 1e-6


def test_less_is_lost_only_for_more_carbon() -> None:
    problem = envs.load("v2g_feeder")
    grid = feeder.Grid.of(problem, "train")
    (day,) = feeder.days(problem, "train", np.array([1]))
    free, thrifty = (feeder.best_plan(grid, day, price)[1] for price in (0.0, 5000.0))
    lost = [feeder.flow_of(grid, day, plan).lost.sum() for plan in (free, thrifty)]
    assert lost[1] < lost[0]
    assert feeder.best_plan(grid, day)[0] < thrifty.value_g
