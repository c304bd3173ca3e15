"""Two halls that cool themselves, written again from the physics; what an expert would ask."""

from typing import Any

import numpy as np
import psychrolib
import pytest

import envs
from envs.simulation import sample_scenarios
from tests.golden.played import Played, play
from tests.language import tiny

STEP_S = 900.0
ROWS = 12
SITES, JOBS = ("east", "west"), ("quick", "slow")
DEADLINE_STEPS = np.array([8, 48])
LEAK = np.array([0.02, 0.04, 0.08, 0.14])
DECISIONS = ("supply", "fan", "run", "placement")


def biquadratic(c: list[float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return c[0] + c[1] * x + c[2] * x * x + c[3] * y + c[4] * y * y + c[5] * x * y


def chiller_w(load: np.ndarray, chilled: np.ndarray, condenser: np.ndarray) -> np.ndarray:
    """The EnergyPlus model of the machine; degrees Celsius."""
    x, y = np.clip(chilled, 7.22, 12.78), np.clip(condenser, 12.78, 26.67)
    capacity = 471e3 * biquadratic(
        [0.252113, 0.01324053, -0.008637329, 0.08581056, -0.004261176, 0.008661899], x, y
    )
    eir = biquadratic(
        [0.4475238, -0.0258821, -0.001459053, 0.04342595, -0.001000651, 0.001920106], x, y
    )
    ratio = np.minimum(load / capacity, 1.15)
    at = np.maximum(ratio, 0.1)
    running = np.minimum(ratio / 0.1, 1)
    part = 0.2778889 + 0.2338363 * at + 0.4883748 * at**2
    return capacity / 5.89 * eir * part * running


def servers_w(use: np.ndarray) -> np.ndarray:
    return 1000 * (140 + 260 * (2 * use - use**1.4))


def hall(
    use: np.ndarray, supply_c: np.ndarray, fan: np.ndarray, wet_c: np.ndarray
) -> dict[str, np.ndarray]:
    """What a hall draws, in W and degrees Celsius."""
    flow = 33 * (0.4 + 0.6 * use)
    ratio = 40 * fan / flow
    supplied = 0.98 * ratio * (1 + ratio**8) ** -0.125
    rack = (1 - LEAK) * supplied[..., None]
    cool = servers_w(use)
    # What is not drawn from the supply is drawn from the exhaust.
    drawn = supply_c + (1 / rack.mean(axis=-1) - 1) * cool / (flow * 1006)
    computing = cool * (1 + 3.5e-4 * np.maximum(drawn - 20, 0) ** 2)
    exhaust = supply_c + computing / (flow * 1006 * rack.mean(axis=-1))
    inlet = rack * supply_c[..., None] + (1 - rack) * exhaust[..., None]
    fans = 28e3 * fan**3
    heat = computing + fans
    chilled = supply_c - 12 * heat / 471e3 * (0.7 / fan) ** 0.3
    free = np.clip((chilled - wet_c) / 5.5, 0, 1)
    chiller = chiller_w(heat * (1 - free), chilled, wet_c + 4)
    facility = heat + chiller + 0.02 * (heat + chiller) + 0.012 * heat
    return {
        "computing": computing,
        "facility": facility,
        "hottest": inlet.max(axis=-1),
        "inlet": inlet,
        "exhaust": exhaust,
        "flow": flow,
    }


def schedule(
    decision: dict[str, np.ndarray], path: dict[str, np.ndarray], ages: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Work done by class and place, from queues that keep the age of all work; sites x steps.

    ``ages`` is ``(row, job, age)``, the youngest first and this step's arrivals in it; it is
    changed to what is left.
    """
    last = DEADLINE_STEPS[:, None] - 1
    old = np.arange(ages.shape[-1]) > last
    due = (ages * old).sum(axis=-1)
    wanted = decision["run"] * (ages.sum(axis=-1) - due)
    room = 0.95 - path["interactive"]
    spare = np.maximum(room.sum(axis=1) - due.sum(axis=1), 0)
    fits = np.minimum(spare / np.maximum(wanted.sum(axis=1), 4e-9), 1)
    served = due + wanted * fits[:, None]
    left = served.copy()
    for age in reversed(range(ages.shape[-1])):
        taken = np.minimum(ages[..., age], left)
        ages[..., age] -= taken
        left -= taken
    total = served.sum(axis=1)
    east = np.minimum(np.maximum(decision["placement"] * total, total - room[:, 1]), room[:, 0])
    return served, np.stack([east, total - east], axis=1)


@pytest.fixture(scope="module")
def played() -> Played:
    return play("cooling", ROWS, DECISIONS, ("backlog",))


def test_every_quarter_of_an_hour_follows_from_the_physics(played: Played) -> None:
    ages = np.zeros((ROWS, 2, 64))
    carbon, penalty = np.zeros(ROWS), np.zeros(ROWS)
    for t, (decision, info) in enumerate(zip(played.decisions, played.info, strict=True)):
        path = {name: values[t] for name, values in played.scenarios.paths.items()}
        np.testing.assert_allclose(
            played.states[t]["backlog"] / STEP_S, ages.sum(axis=-1), rtol=1e-9, atol=1e-9
        )
        ages = np.concatenate([path["arrival"][..., None], ages[..., :-1]], axis=-1)
        _, placed = schedule(decision, path, ages)
        use = path["interactive"] + placed
        found = hall(use, decision["supply"] - 273.15, decision["fan"], path["wet"] - 273.15)
        billed = found["facility"] - servers_w(path["interactive"])
        grams = (path["ci"] * billed).sum(axis=1) * STEP_S
        hot = np.maximum(found["hottest"] - 27, 0).sum(axis=1)
        np.testing.assert_allclose(info["carbon_g"], grams, rtol=1e-9)
        np.testing.assert_allclose(info["energy_j"], billed.sum(axis=1) * STEP_S, rtol=1e-9)
        np.testing.assert_allclose(info["cost"][:, 0], hot, rtol=1e-9, atol=1e-9)
        carbon += grams
        penalty += 6000 * hot
    penalty += 500e3 / 4 * ages.sum(axis=(1, 2))
    np.testing.assert_allclose(played.episode["carbon_g"], carbon, rtol=1e-9)
    np.testing.assert_allclose(played.episode["penalty_g"], penalty, rtol=1e-7)


LOOKED_AT = (
    "ci supply fan exhaust inlet server_flow fan_flow supplied_mean computing fans heat chiller"
    " tower pumps facility given billed due waiting served recent arrival use interactive placed"
).split()


def policy(name: str, act: Any, rows: int = 16, split: str = "test") -> dict[str, np.ndarray]:
    """Totals of the first days under a policy of the environment."""
    env = envs.make_vector(envs.load(name), rows, split=split)
    env.reset(options={"scenarios": np.arange(rows)})
    for _ in range(96):
        info = env.step(act(env))[4]
    totals: dict[str, np.ndarray] = info["totals"]
    return totals


def watched(actions: Any, rows: int = 6) -> list[tuple[dict[str, np.ndarray], Any]]:
    """Quantities and info of every step of the first test days."""
    env = envs.make_vector(envs.load("cooling"), rows, split="test")
    env.reset(options={"scenarios": np.arange(rows)})
    steps = []
    for _ in range(96):
        info = env.step(actions(env))[4]
        steps.append((env.quantities(LOOKED_AT), info))
    return steps


def at_random(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return lambda env: rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)


def test_heat_removed_is_heat_produced() -> None:
    """By the servers' own air, and by the air handlers', whose fans' heat is removed too."""
    for seen, _ in watched(at_random(1)):
        through = seen["server_flow"] * 1006 * (seen["exhaust"] - seen["inlet"].mean(axis=-1))
        np.testing.assert_allclose(through, seen["computing"], rtol=1e-9)
        drawn = seen["server_flow"] * seen["supplied_mean"]
        bypass = seen["fan_flow"] - drawn
        assert (bypass >= 0).all()
        back = (drawn * seen["exhaust"] + bypass * seen["supply"]) / seen["fan_flow"]
        removed = seen["fan_flow"] * 1006 * (back - seen["supply"]) + seen["fans"]
        np.testing.assert_allclose(removed, seen["heat"], rtol=1e-9)
        np.testing.assert_allclose(seen["heat"], seen["computing"] + seen["fans"], rtol=1e-9)


def test_energy_is_conserved_and_carbon_is_its_intensity_and_nothing_else() -> None:
    for seen, info in watched(at_random(2)):
        parts = seen["computing"] + seen["fans"] + seen["chiller"] + seen["tower"] + seen["pumps"]
        np.testing.assert_allclose(seen["facility"], parts, rtol=1e-9)
        np.testing.assert_allclose(seen["billed"], parts - seen["given"], rtol=1e-9)
        joules = seen["billed"].sum(axis=1) * STEP_S
        np.testing.assert_allclose(info["energy_j"], joules, rtol=1e-9)
        grams = (seen["ci"] / 3.6e6 * seen["billed"]).sum(axis=1) * STEP_S
        np.testing.assert_allclose(info["carbon_g"], grams, rtol=1e-9)


@pytest.mark.parametrize("run", [-1.0, -0.8, 0.0])
def test_no_deadline_passes_whatever_is_chosen(run: float) -> None:
    def lazy(env: Any) -> np.ndarray:
        actions = np.zeros(env.action_space.shape, dtype=np.float32)
        actions[:, 4:6] = run
        return actions

    steps = watched(lazy)
    arrived = np.cumsum([seen["arrival"] / 4 for seen, _ in steps], axis=0)
    served = np.cumsum([seen["served"] for seen, _ in steps], axis=0)
    for job, deadline in enumerate(DEADLINE_STEPS):
        assert (served[deadline:, :, job] >= arrived[:-deadline, :, job] - 1e-9).all()
        assert (served[..., job] <= arrived[..., job] + 1e-9).all()
    for seen, _ in steps:
        np.testing.assert_allclose(seen["placed"].sum(axis=1), seen["served"].sum(axis=1))
        assert (seen["placed"] >= -1e-12).all() and (seen["use"] <= 0.95 + 1e-12).all()
        np.testing.assert_allclose(seen["use"], seen["interactive"] + seen["placed"] * 4)


def probe(expression: str, **values: np.ndarray) -> np.ndarray:
    """A formula of the field at many points; values are in the units of ``_UNITS``."""
    size = len(next(iter(values.values())))
    problem = tiny.problem(
        sets={"k": size},
        parameters={
            name: {"unit": _UNITS[name], "index": ["k"], "value": value.tolist()}
            for name, value in values.items()
        },
        equations={"probe": {"unit": "1", "expr": expression}},
    )
    value = problem.compiled().named["probe"][0].value
    assert value is not None
    return value[..., 0]


_UNITS = {"t": "K", "w": "K", "rh": "1", "p": "Pa", "load": "W", "chw": "K", "cond": "K"}


def cop(plr: float, chilled_c: np.ndarray, condenser_c: np.ndarray) -> np.ndarray:
    return probe(
        f"{plr} * chiller_capacity_factor(chw, cond) * '471 kW' / chiller_power({plr}"
        " * chiller_capacity_factor(chw, cond) * '471 kW', '471 kW', 5.89, chw, cond)",
        chw=chilled_c + 273.15,
        cond=condenser_c + 273.15,
    )


def test_the_chiller_has_the_published_efficiency() -> None:
    found = cop(0.8, np.array([8.89, 8.89, 7.22]), np.array([12.78, 26.67, 26.67]))
    assert found.round(2).tolist() == [8.51, 6.04, 6.06]


@pytest.mark.parametrize("plr", [0.3, 0.6, 0.8, 1.0])
def test_efficiency_falls_with_the_condenser_and_rises_with_chilled_water_up_to_22(
    plr: float,
) -> None:
    chilled, condenser = np.linspace(7.22, 12.78, 25), np.linspace(12.78, 26.67, 29)
    grid = np.array([cop(plr, chilled, np.full(25, c)) for c in condenser])
    assert (np.diff(grid, axis=0) < 0).all()
    assert (np.diff(grid[condenser <= 22], axis=1) > 0).all()


def test_the_wet_bulb_agrees_with_psychrolib() -> None:
    """To its own tolerance of a millikelvin; at freezing both a wet and an iced bulb balance."""
    psychrolib.SetUnitSystem(psychrolib.SI)
    rng = np.random.default_rng(0)
    dry, humidity = rng.uniform(-40, 55, 1000), rng.uniform(0.001, 1, 1000)
    pressure = rng.uniform(70e3, 105e3, 1000)
    wet = probe("wet_bulb(t, rh, p) / '1 K'", t=dry + 273.15, rh=humidity, p=pressure) - 273.15
    air = zip(dry, humidity, pressure, strict=True)
    theirs = np.array([psychrolib.GetTWetBulbFromRelHum(*row) for row in air])
    frozen = np.abs(theirs) < 1.0
    np.testing.assert_allclose(wet[~frozen], theirs[~frozen], atol=1e-3)
    np.testing.assert_allclose(wet[frozen], theirs[frozen], atol=1.0)
    assert (wet <= dry + 1e-9).all()


def test_saturation_pressure_agrees_with_psychrolib() -> None:
    psychrolib.SetUnitSystem(psychrolib.SI)
    celsius = np.linspace(-60, 120, 60)
    found = probe("saturation_pressure(t) / '1 Pa'", t=celsius + 273.15)
    np.testing.assert_allclose(found, [psychrolib.GetSatVapPres(c) for c in celsius], rtol=1e-9)


def priced(use: float, supply_c: np.ndarray, fan: np.ndarray, wet_c: float) -> np.ndarray:
    """Power, with what exceeds 27 degrees at the inlet priced at the dirtiest intensity."""
    shape = np.broadcast_shapes(supply_c.shape, fan.shape)
    wide = [np.broadcast_to(x, shape) for x in (supply_c, fan)]
    found = hall(np.full(shape, use), *wide, np.full(shape, wet_c))
    return found["facility"] + 6000 / (725 / 3.6e6 * 900) * np.maximum(found["hottest"] - 27, 0)


@pytest.mark.parametrize("wet_c", [8.0, 11.0, 14.0])
def test_the_best_set_point_and_fan_speed_lie_inside(wet_c: float) -> None:
    supply, fan = np.linspace(18, 27, 91)[:, None], np.linspace(0.3, 1, 71)
    power = priced(0.5, supply, fan, wet_c)
    best = np.unravel_index(power.argmin(), power.shape)
    assert 5 < best[0] < 85 and 5 < best[1] < 65
    assert power[best] < 0.995 * power[[0, -1]].min()


def test_the_best_set_point_depends_on_the_weather() -> None:
    supply, fan = np.linspace(18, 27, 91)[:, None], np.linspace(0.3, 1, 71)
    best = [supply[priced(0.5, supply, fan, w).min(axis=1).argmin(), 0] for w in (4, 11, 20)]
    assert best[1] > best[0] + 3 and best[1] > best[2] + 3


def constant(supply_c: float, fan: float) -> Any:
    def act(env: Any) -> np.ndarray:
        actions = np.zeros(env.action_space.shape, dtype=np.float32)
        actions[:, :2] = (supply_c - 22.5) / 4.5
        actions[:, 2:4] = (fan - 0.65) / 0.35
        actions[:, 4:6] = 1.0
        return actions

    return act


def test_always_colder_and_always_warmer_both_lose() -> None:
    fans = {18.0: (0.5, 0.65), 22.0: (0.65,), 27.0: (0.8, 1.0)}
    cost = {
        c: min(policy("cooling", constant(c, fan), 8)["objective_g"].mean() for fan in speeds)
        for c, speeds in fans.items()
    }
    assert cost[18.0] > 1.03 * cost[22.0]
    assert cost[27.0] > 1.03 * cost[22.0]


def test_facilities_draw_more_in_warmer_weather() -> None:
    """The best-known environment of this kind has it the other way round."""
    wet = np.linspace(0, 24, 25)
    supply, fan = np.linspace(18, 27, 37)[:, None], np.linspace(0.3, 1, 36)
    held = np.array([priced(0.5, np.array([22.0]), np.array([0.65]), w)[0] for w in wet])
    best = np.array([priced(0.5, supply, fan, w).min() for w in wet])
    assert (np.diff(held) >= -1e-6).all() and held[-1] > 1.1 * held[0]
    assert (np.diff(best) >= -1e-6).all() and best[-1] > 1.1 * best[0]


def test_leaving_work_at_the_end_does_not_pay() -> None:
    def leaving(env: Any) -> np.ndarray:
        actions = env.heuristic_actions("ashrae").copy()
        if env.simulation.time > 84:
            actions[:, 4:6] = -1.0
        return actions

    done = policy("cooling", lambda env: env.heuristic_actions("ashrae"))
    left = policy("cooling", leaving)
    assert left["metric.left_over"].mean() > 0.3
    assert (left["objective_g"] > done["objective_g"]).all()


def test_the_spread_of_random_days_is_no_wilder_than_the_best() -> None:
    totals = policy("cooling", at_random(3), rows=64)
    assert totals["objective_g"].std() < 3 * totals["objective_g"].mean()


def test_wet_bulb_and_intensity_have_the_statistics_they_were_fitted_to() -> None:
    problem = envs.load("cooling")
    drawn = sample_scenarios(problem, "train", np.arange(1500))
    season, climate = (drawn.parameters[n] for n in ("season_now", "climate_now"))
    mean = {(0, 0): 3.5, (0, 2): 14.2, (1, 0): 6.9, (1, 2): 19.7}
    std = {(0, 0): 3.8, (0, 2): 2.8, (1, 0): 3.8, (1, 2): 3.4}
    wet = drawn.paths["wet"][:96] - 273.15
    for (place, part), expected in mean.items():
        some = wet[:, (climate == place) & (season == part)[:, None]]
        assert some.mean() == pytest.approx(expected, abs=0.6)
        assert some.std() == pytest.approx(std[place, part], rel=0.15)
    zone, ci = drawn.parameters["pairing_now"], drawn.paths["ci"][:96] * 3.6e6
    german = ci[:, (zone == 0) & (season == 2), 0]
    assert german.mean() == pytest.approx(322, rel=0.06)
    assert german.min() >= 127 and german.max() <= 725
