"""A night of vehicles at a router, written again from the physics; what an expert would ask."""

from typing import Any

import numpy as np
import pytest

import envs
from envs.oracle import v2g
from envs.oracle.v2g_day import solve as solve_day
from tests.golden.played import Played, play

ROWS, HOURS = 12, 0.25
ROUTES = ("grid a site", "grid b site", "micro b site", "micro b a site")
OHM = {"grid a": 0.02, "grid b": 0.03, "micro b": 0.05, "b a": 0.02, "a site": 0.02, "b site": 0.03}
LIMIT_KW = {"grid a": 64, "grid b": 64, "micro b": 40, "b a": 40, "a site": 64, "b site": 64}


def hops(route: str) -> list[str]:
    nodes = route.split()
    return [f"{here} {there}" for here, there in zip(nodes, nodes[1:], strict=False)]


def session(given: dict[str, np.ndarray], row: int, plug: int) -> tuple[int, int, float, float]:
    """Steps of arrival and departure, energy then and wanted (kWh); nobody: (0, 0)."""
    arrival, departure = given["arrival"][row, plug] / 3600, given["departure"][row, plug] / 3600
    first = int(np.clip(np.ceil((arrival - 9) * 4), 0, 95))
    last = int(np.clip(np.rint((departure - 9) * 4), first + 1, 96))
    target = 60 * given["limit_share"][row, plug]
    wanted = min(given["energy_drawn"][row, plug] / 3.6e6, 0.8 * 0.95 * 11 * (last - first) * HOURS)
    start = float(np.clip(target - wanted, 6, target))
    return (first, last, start, target) if given["present"][row, plug] else (0, 0, start, target)


def redo_site(played: Played, t: int, row: int, now: dict[str, np.ndarray]) -> dict[str, Any]:
    """Chargers and battery of a step, in kW and kWh."""
    decision = {n: v[row] for n, v in played.decisions[t].items()}
    energy, battery = now["energy"][row] / 3.6e6, now["battery"][row] / 3.6e6
    into, out, late = np.zeros(10), np.zeros(10), 0.0
    for plug in range(10):
        first, last, start, target = session(dict(played.scenarios.parameters), row, plug)
        if not first <= t < last:
            continue
        command = decision["charger"][plug] / 1e3
        if command > 0:
            taper = 11 * min(1, (60 - energy[plug]) / 12)
            into[plug] = min(command, taper, (target - energy[plug]) / (0.95 * HOURS))
        else:
            out[plug] = min(-command, (energy[plug] - min(18, start)) * 0.95 / HOURS)
        if t == last - 1:
            late += max(target - energy[plug] - (0.95 * into[plug] - out[plug] / 0.95) * HOURS, 0)
    command = decision["command"] / 1e3
    store = min(max(command, 0), (30 - battery) / (0.95 * HOURS))
    serve = min(max(-command, 0), battery * 0.95 / HOURS)
    return {
        "into": into,
        "out": out,
        "store": store,
        "serve": serve,
        "late": late,
        "energy": energy + (0.95 * into - out / 0.95) * HOURS,
        "battery": battery + (0.95 * store - serve / 0.95) * HOURS,
    }


def redo_routes(net: float, shares: np.ndarray) -> dict[str, Any]:
    """Power delivered or sent by route (kW), and what lines lose of it."""
    if net >= 0:
        flow = net * shares
        beyond = max(flow[2] + flow[3] - 25, 0.0)
        if beyond:
            flow[2:] *= 25 / (flow[2] + flow[3])
            flow[:2] += beyond * shares[:2] / shares[:2].sum()
    else:
        flow = -net * shares
    load = dict.fromkeys(OHM, 0.0)
    for power, route in zip(flow, ROUTES, strict=True):
        for hop in hops(route):
            load[hop] += power
    share = {hop: OHM[hop] * load[hop] * 1e3 / 400**2 for hop in OHM}
    return {"flow": flow, "load": load, "share": share}


def test_every_step_follows_from_the_physics() -> None:
    played = play("v2g", ROWS, ("charger", "command", "route"), ("energy", "battery"))
    path = played.scenarios.paths
    paid, fined = np.zeros(ROWS), np.zeros(ROWS)
    for t, (now, info) in enumerate(zip(played.states, played.info, strict=True)):
        for row in range(ROWS):
            site = redo_site(played, t, row, now)
            ci, micro = path["ci"][t, row] * 3.6e6, path["ci_micro"][t, row] * 3.6e6
            pv, base = path["pv"][t, row] / 1e3, path["base"][t, row] / 1e3
            net = base - pv + site["into"].sum() - site["out"].sum() + site["store"] - site["serve"]
            way = redo_routes(net, played.decisions[t]["route"][row])
            carbon, drawn, lost, got = (
                12 * (site["out"].sum() + site["serve"]) * HOURS,
                0.0,
                0.0,
                0.0,
            )
            for power, route in zip(way["flow"], ROUTES, strict=True):
                part = sum(way["share"][hop] for hop in hops(route))
                lost += power * part
                if net >= 0:
                    drawn += power * (1 + part)
                    carbon += (
                        (ci if route.startswith("grid") else micro) * power * (1 + part) * HOURS
                    )
                else:
                    got += power * (1 - part)
            carbon -= 0.9 * min(ci, micro) * got * HOURS
            over = sum(max(way["load"][hop] - LIMIT_KW[hop], 0) for hop in OHM)
            # What comes in leaves, is stored, or is lost in lines.
            assert drawn - got == pytest.approx(net + lost, rel=1e-9, abs=1e-9)
            assert info["carbon_g"][row] == pytest.approx(carbon, rel=1e-9, abs=1e-6)
            assert info["energy_j"][row] == pytest.approx(drawn * HOURS * 3.6e6, rel=1e-9, abs=1)
            np.testing.assert_allclose(info["cost"][row], [site["late"], over], atol=1e-6)
            paid[row] += carbon
            fined[row] += 1000 * site["late"] + 200 * over
            if t + 1 < 96:
                after = played.states[t + 1]
                np.testing.assert_allclose(after["energy"][row] / 3.6e6, site["energy"], atol=1e-9)
                assert after["battery"][row] / 3.6e6 == pytest.approx(site["battery"], abs=1e-9)
            else:
                fined[row] += 1000 * max(15 - site["battery"], 0)
    np.testing.assert_allclose(played.episode["carbon_g"], paid, rtol=1e-9)
    np.testing.assert_allclose(played.episode["penalty_g"], fined, rtol=1e-7)


def test_carbon_and_where_it_goes_can_be_told_from_info_alone() -> None:
    played = play("v2g", 40, ())
    kg = {n.removeprefix("metric."): v for n, v in played.episode.items() if "carbon" in n}
    kg |= {n: played.episode[f"metric.{n}"] for n in ("credited", "worn")}
    sources = kg["grid_carbon"] + kg["micro_carbon"]
    emitted = 1e3 * (sources - kg["credited"] + kg["worn"])
    np.testing.assert_allclose(emitted, played.episode["carbon_g"], rtol=1e-9)
    gained = kg["stored_carbon"] - 0.330 * 15
    carried = kg["base_carbon"] + kg["fleet_carbon"] + kg["lost_carbon"] + kg["exported_carbon"]
    np.testing.assert_allclose(carried + gained, sources, rtol=1e-9)
    assert (kg["exported_carbon"] > 0).all() and (kg["lost_carbon"] > 0).all()


def test_nothing_is_gained_by_passing_power_through_or_by_emptying_stores() -> None:
    problem = envs.load("v2g")
    site = v2g.constants(problem, "train")
    for day, cars in v2g.days(problem, "train", np.arange(4)):
        plan = solve_day(site, day, cars)
        net = plan.flow.sum(axis=1)
        balance = day.base - day.pv + plan.charger.sum(axis=1) + plan.command
        # Whatever is sold is not bought at the same time.
        np.testing.assert_allclose(net, np.maximum(balance, 0), atol=1e-6)
        flat = type(day)(day.hours, 0 * day.ci + 700, 0 * day.ci + 700, 0 * day.pv, day.base)
        still = solve_day(site, flat, cars)
        assert np.minimum(still.charger, 0).sum() == pytest.approx(0, abs=1e-6)
        assert abs(still.command).max() == pytest.approx(0, abs=1e-6)


def test_a_penalty_lies_above_what_breaking_the_rule_saves() -> None:
    problem = envs.load("v2g")
    site = v2g.constants(problem, "test")
    for day, cars in v2g.days(problem, "test", np.arange(8)):
        plan = solve_day(site, day, cars)
        charged = 0.95 * np.maximum(plan.charger, 0) + np.minimum(plan.charger, 0) / 0.95
        here = cars.last > cars.first
        got = cars.start + charged.sum(axis=0) * HOURS
        np.testing.assert_allclose(got[here], cars.target[here], atol=1e-5)


def test_the_bound_and_what_is_attained_lie_close() -> None:
    for split in ("test", "ood"):
        found = v2g.solve(envs.load("v2g"), split, np.arange(10))
        assert (found["certified"] <= found["best_known"] * (1 + 1e-9)).all()
        assert (found["best_known"] <= found["certified"] * 1.01).all()
