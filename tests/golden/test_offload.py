"""A day of offloading, written again from the physics; what an expert would ask of the model."""

import dataclasses
from typing import Any

import numpy as np
import pytest

import envs
from envs.oracle import offload, offload_mpc
from envs.oracle.offload_day import Columns, Plan
from envs.oracle.offload_day import solve as solve_day
from envs.oracle.offload_share import allot, serve
from envs.oracle.offload_slot import Cell, Demand, best_choice
from envs.simulation import sample_scenarios
from tests.golden.played import play

SLOT_S = 300.0
ROWS = 12


def redo(
    decision: dict[str, np.ndarray], path: dict[str, np.ndarray], battery: np.ndarray
) -> dict[str, np.ndarray]:
    """A slot from its decisions; J, s, g."""
    n, share, power = path["requests"], decision["share"], decision["power"]
    width = 0.54e6 * share
    rate = width * np.minimum(np.log2(1 + power * path["gain"] / (3.1623e-20 * width)), 7.4)
    steps, wait = decision["steps"], path["queue"][:, None]
    spare = path["deadline"] - wait - 0.063 * steps - 4194304 / rate
    feasible = np.floor(np.clip(spare / (0.6 - 0.063), 0, steps))
    on_user = np.minimum(np.floor(decision["split"] * (feasible + 1)), feasible)
    on_edge = steps - on_user
    bits = np.select([on_edge == 0, on_user == 0], [0.01e6, 3.2e6], 4194304.0)
    airtime = np.minimum(bits / rate, 30)
    latency = wait + 0.063 * on_edge + airtime + 0.6 * on_user
    edge = (n * (1.4 * 28.2 * on_edge + (4.25 + 2.6 * power) * airtime)).sum(axis=1)
    user = (n * (60 * on_user + 15 * (0.063 * on_edge + airtime))).sum(axis=1)
    sun, command = path["pv"] * SLOT_S, decision["command"] * SLOT_S
    surplus, short = np.maximum(sun - edge, 0), np.maximum(edge - sun, 0)
    room = (500 * 3600 - battery) / 0.95
    charge = np.minimum(np.minimum(surplus + np.maximum(command, 0), 125 * SLOT_S), room)
    drawn = np.minimum(np.minimum(np.maximum(-command, 0), short), battery * 0.95)
    grid = short - drawn + np.maximum(charge - surplus, 0)
    fid = 1.33 + 46.4 * steps**-0.456
    return {
        "carbon_g": path["ci"][:, 0] * grid + path["ci"][:, 1] * user,
        "late_s": (n * np.maximum(latency - path["deadline"], 0)).sum(axis=1),
        "energy_j": grid + user,
        "battery": battery + 0.95 * charge - drawn / 0.95,
        "owed": (n * (fid - 13.17)).sum(axis=1),
        # What comes in and what becomes of it, for the balance.
        "in_j": grid + sun + drawn,
        "out_j": edge + charge + np.maximum(surplus - charge, 0),
    }


def test_every_slot_follows_from_the_physics() -> None:
    played = play(
        "offload",
        ROWS,
        ("share", "power", "split", "steps", "command"),
        ("battery", "quality_debt"),
    )
    carbon, penalty = np.zeros(ROWS), np.zeros(ROWS)
    for t, (decision, state, info) in enumerate(
        zip(played.decisions, played.states, played.info, strict=True)
    ):
        path = {name: values[t] for name, values in played.scenarios.paths.items()}
        slot = redo(decision, path, state["battery"])
        np.testing.assert_allclose(info["carbon_g"], slot["carbon_g"], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(info["energy_j"], slot["energy_j"], rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(info["cost"][:, 0], slot["late_s"], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(slot["in_j"], slot["out_j"], rtol=1e-9)
        owed = state["quality_debt"] + slot["owed"]
        if t + 1 < len(played.states):
            after = played.states[t + 1]
            np.testing.assert_allclose(after["battery"], slot["battery"], rtol=1e-9, atol=1e-3)
            np.testing.assert_allclose(after["quality_debt"], owed, rtol=1e-9, atol=1e-9)
        carbon += slot["carbon_g"]
        penalty += 0.02 * slot["late_s"]
    # The potentials cancel; what remains is the price of what is missing at the end.
    penalty += 1000 / 3.6e6 * np.maximum(250 * 3600 - slot["battery"], 0)
    penalty += 0.05 * np.maximum(owed, 0)
    np.testing.assert_allclose(played.episode["carbon_g"], carbon, rtol=1e-9)
    np.testing.assert_allclose(played.episode["penalty_g"], penalty, rtol=1e-7)


@pytest.fixture(scope="module")
def cell() -> Cell:
    return dataclasses.replace(offload.constants(envs.load("offload"), "test")[0], margin_s=0.0)


def random_demand(rng: np.random.Generator, slots: int, users: int) -> tuple[Demand, np.ndarray]:
    """Moments far apart, and prices of edge energy; every fifth price is zero."""
    shape = (slots, users)
    price = np.where(rng.uniform(size=(slots, 1)) < 0.2, 0.0, rng.uniform(20, 725, (slots, 1)))
    demand = Demand(
        gain=10 ** rng.uniform(-13, -7, shape),
        images=rng.integers(0, 12, shape).astype(float),
        slack_s=rng.uniform(-0.5, 24, shape),
        ci_user=rng.uniform(28, 380, (slots, 1)) / 3.6e6,
    )
    return demand, price / 3.6e6


def test_the_best_choice_is_what_enumeration_finds(cell: Cell) -> None:
    rng = np.random.default_rng(0)
    demand, price = random_demand(rng, 60, 1)
    width = cell.band * np.exp(rng.uniform(np.log(0.006), 0, (60, 1, 1)))
    quality = 0.015
    found = best_choice(cell, demand, width, price, quality)
    power = np.geomspace(0.05, 3.15, 1500)
    for i in range(60):
        b, pi, ci = width[i, 0, 0], price[i, 0], demand.ci_user[i, 0]
        slack = demand.slack_s[i, 0]
        rate = b * np.minimum(np.log2(1 + power * demand.gain[i, 0] / (3.1623e-20 * b)), 7.4)
        least = np.inf
        for steps in range(10, 31):
            spare = (slack - 0.063 * steps - 4194304 / rate) / (0.6 - 0.063)
            feasible = np.floor(np.clip(spare, 0, steps))
            for own in range(int(feasible.max()) + 1):
                bits = 0.01e6 if own == steps else 3.2e6 if own == 0 else 4194304
                airtime = np.minimum(bits / rate, 30)
                busy = 0.063 * (steps - own) + airtime
                cost = (
                    pi * (1.4 * 28.2 * (steps - own) + (4.25 + 2.6 * power) * airtime)
                    + ci * (60 * own + 15 * busy)
                    + 0.02 * np.maximum(busy + 0.6 * own - slack, 0)
                    + quality * (1.33 + 46.4 * steps**-0.456 - 13.17)
                )
                least = min(least, cost[own <= feasible].min())
        met = found.cost[i, 0, 0] / max(demand.images[i, 0], 1)
        if demand.images[i, 0] > 0:
            assert met <= least + 1e-9 * abs(least) + 1e-12
            assert met >= least - 1e-4 * abs(least) - 1e-6


def test_more_bandwidth_never_costs_carbon(cell: Cell) -> None:
    demand, price = random_demand(np.random.default_rng(1), 300, 1)
    width = np.broadcast_to(cell.band * np.linspace(0.01, 1, 40), (300, 1, 40))
    cost = best_choice(cell, demand, width, price, 0.015).cost
    assert (np.diff(cost, axis=-1) <= 1e-12).all()


def test_units_of_bandwidth_are_parted_as_enumeration_parts_them() -> None:
    rng = np.random.default_rng(2)
    cost = np.sort(rng.uniform(size=(20, 3, 9)), axis=-1)[..., ::-1]
    value, units = allot(cost, 9)
    assert (units.sum(axis=1) == 9).all()
    least = np.full(20, np.inf)
    for a in range(1, 8):
        for b in range(1, 9 - a):
            paid = cost[:, 0, a - 1] + cost[:, 1, b - 1] + cost[:, 2, 8 - a - b]
            least = np.minimum(least, paid)
    np.testing.assert_allclose(value, least)


def test_carbon_intensity_moves_work_between_edge_and_user(cell: Cell) -> None:
    slots = 5
    demand = Demand(
        gain=np.full((slots, 4), 1e-11),
        images=np.full((slots, 4), 6.0),
        slack_s=np.full((slots, 4), 11.0),
        ci_user=np.full((slots, 1), 187 / 3.6e6),
    )
    price = np.array([[0.0], [100], [250], [400], [700]]) / 3.6e6
    way = serve(cell, demand, price, 0.015, 24)
    assert way.user_steps[0].sum() == 0
    assert way.user_steps[-1].sum() > 20
    assert (np.diff(way.edge_j.sum(axis=1)) <= 1e-6).all()


def flat_day(edge_w: float, ci: np.ndarray, pv: np.ndarray) -> Plan:
    """The battery's plan for a constant load; the store is that of the problem."""
    store = offload.constants(envs.load("offload"), "test")[1]
    load = np.full((1, len(ci)), edge_w * SLOT_S)
    return solve_day(store, ci / 3.6e6, pv, Columns(load, 0 * load, 0 * load))


def test_the_battery_moves_energy_between_hours_and_is_given_back_full() -> None:
    hour = np.arange(288) / 12
    ci = 300 + 150 * np.cos(2 * np.pi * (hour - 20) / 24)
    plan = flat_day(80, ci, np.zeros(288))
    assert plan.battery_j[-1] >= 250 * 3600 - 1
    spent = np.average(ci, weights=plan.discharge_w)
    assert 0.95**2 * spent > np.average(ci, weights=plan.charge_w)
    idle = 80 * SLOT_S * ci.sum() / 3.6e6
    assert plan.value_g < 0.97 * idle
    # Without a slope there is nothing to gain: emptying the battery does not pay.
    even = flat_day(80, np.full(288, 725.0), np.zeros(288))
    assert even.value_g == pytest.approx(80 * 24 * 0.725, rel=1e-6)
    assert even.discharge_w.max() < 1e-6


def test_prices_of_what_is_owed_lie_above_what_it_is_worth() -> None:
    problem = envs.load("offload")
    drawn = sample_scenarios(problem, "train", np.arange(5))
    cell, store = offload.constants(problem, "train")
    for row in range(5):
        _, plan = offload.generate(cell, store, offload.Day.of(drawn, row, problem.horizon))
        assert 0 < plan.quality < 0.9 * store.quality_price
        assert plan.stored_price.max() < 0.9 * store.price


def episode(act: Any, rows: int = 16) -> dict[str, np.ndarray]:
    """Totals of the first test days under a policy of the environment."""
    env = envs.make_vector(envs.load("offload"), rows, split="test")
    env.reset(options={"scenarios": np.arange(rows)})
    for _ in range(288):
        info = env.step(act(env))[4]
    totals: dict[str, np.ndarray] = info["totals"]
    return totals


def test_starving_the_link_or_the_images_does_not_pay() -> None:
    def starved(component: slice, value: float) -> Any:
        def act(env: Any) -> np.ndarray:
            actions = env.heuristic_actions("solar").copy()
            actions[:, component] = value
            return actions

        return act

    served = episode(lambda env: env.heuristic_actions("solar"))["objective_g"]
    for component in (slice(4, 8), slice(12, 16)):  # least power; fewest steps
        assert episode(starved(component, -1.0))["objective_g"].mean() > 1.05 * served.mean()


def test_the_controller_on_forecasts_lies_between_the_bound_and_the_rules() -> None:
    problem, some = envs.load("offload"), np.arange(6)
    found = offload.solve(problem, "test", some)
    mpc = offload_mpc.solve(problem, "test", some)["mpc"]
    assert (found["certified"] <= found["best_known"]).all()
    assert found["best_known"].mean() < 1.02 * found["certified"].mean()
    assert (mpc >= found["certified"]).all()
    rules = [
        episode(lambda env, n=name: env.heuristic_actions(n), 6) for name in ("solar", "carbon")
    ]
    assert mpc.mean() < min(rule["objective_g"].mean() for rule in rules)
