"""Power flow and emission flow against published figures and the software of the field."""

from typing import Any

import numpy as np
import pytest

import envs
from envs.simulation.batch import BatchSimulation
from tests.language import tiny

# IEEE 14-bus: from, to, reactance in pu, transformer tap.
BRANCHES_14 = [
    (1, 2, 0.05917, 1), (1, 5, 0.22304, 1), (2, 3, 0.19797, 1), (2, 4, 0.17632, 1),
    (2, 5, 0.17388, 1), (3, 4, 0.17103, 1), (4, 5, 0.04211, 1), (4, 7, 0.20912, 0.978),
    (4, 9, 0.55618, 0.969), (5, 6, 0.25202, 0.932), (6, 11, 0.19890, 1), (6, 12, 0.25581, 1),
    (6, 13, 0.13027, 1), (7, 8, 0.17615, 1), (7, 9, 0.11001, 1), (9, 10, 0.08450, 1),
    (9, 14, 0.27038, 1), (10, 11, 0.19207, 1), (12, 13, 0.19988, 1), (13, 14, 0.34802, 1),
]  # fmt: skip
LOAD_14 = [0, 21.7, 94.2, 47.8, 7.6, 11.2, 0, 0, 29.5, 9, 3.5, 6.1, 13.5, 14.9]
GENERATION_14 = {1: (120, 875), 2: (40, 525), 3: (60, 0), 6: (19, 520), 8: (20, 0)}
INTENSITY_14 = [
    875, 756.30, 275.05, 792.76, 828.16, 694.93, 303.73, 0, 430.39, 545.79, 694.93, 694.93,
    694.93, 531.94,
]  # fmt: skip

# Baran and Wu 1989, 33 buses at 12.66 kV: parent, ohm, ohm, kW, kvar of buses 2 to 33.
FEEDER_33 = [
    (1, 0.0922, 0.0470, 100, 60), (2, 0.4930, 0.2511, 90, 40), (3, 0.3660, 0.1864, 120, 80),
    (4, 0.3811, 0.1941, 60, 30), (5, 0.8190, 0.7070, 60, 20), (6, 0.1872, 0.6188, 200, 100),
    (7, 0.7114, 0.2351, 200, 100), (8, 1.0300, 0.7400, 60, 20), (9, 1.0440, 0.7400, 60, 20),
    (10, 0.1966, 0.0650, 45, 30), (11, 0.3744, 0.1238, 60, 35), (12, 1.4680, 1.1550, 60, 35),
    (13, 0.5416, 0.7129, 120, 80), (14, 0.5910, 0.5260, 60, 10), (15, 0.7463, 0.5450, 60, 20),
    (16, 1.2890, 1.7210, 60, 20), (17, 0.7320, 0.5740, 90, 40), (2, 0.1640, 0.1565, 90, 40),
    (19, 1.5042, 1.3554, 90, 40), (20, 0.4095, 0.4784, 90, 40), (21, 0.7089, 0.9373, 90, 40),
    (3, 0.4512, 0.3083, 90, 50), (23, 0.8980, 0.7091, 420, 200), (24, 0.8960, 0.7011, 420, 200),
    (6, 0.2030, 0.1034, 60, 25), (26, 0.2842, 0.1447, 60, 25), (27, 1.0590, 0.9337, 60, 20),
    (28, 0.8042, 0.7006, 120, 70), (29, 0.5075, 0.2585, 200, 600), (30, 0.9744, 0.9630, 150, 70),
    (31, 0.3105, 0.3619, 210, 100), (32, 0.3410, 0.5302, 60, 40),
]  # fmt: skip


def flows_14() -> np.ndarray:
    """DC flows in MW, ``(from, to)``."""
    injected = -np.array(LOAD_14)
    for bus, (power, _) in GENERATION_14.items():
        injected[bus - 1] += power
    matrix = np.zeros((14, 14))
    for i, j, x, tap in BRANCHES_14:
        matrix[[i - 1, j - 1], [i - 1, j - 1]] += 1 / (x * tap)
        matrix[[i - 1, j - 1], [j - 1, i - 1]] -= 1 / (x * tap)
    angle = np.zeros(14)
    angle[1:] = np.linalg.solve(matrix[1:, 1:], injected[1:])
    flow = np.zeros((14, 14))
    for i, j, x, tap in BRANCHES_14:
        flow[i - 1, j - 1] = (angle[i - 1] - angle[j - 1]) / (x * tap)
    return np.maximum(flow, 0) + np.maximum(-flow, 0).T


def emission_problem(
    received: np.ndarray, generation: np.ndarray, intensity: np.ndarray, knob: str = "0 * knob"
) -> envs.Problem:
    """A problem whose only equation of interest is the emission flow of a grid in MW."""
    return tiny.problem(
        sets={"node": len(received), "node_b": {"alias_of": "node"}},
        parameters={
            "received": {"unit": "MW", "index": ["node", "node_b"], "value": received.tolist()},
            "generation": {"unit": "MW", "index": ["node"], "value": generation.tolist()},
            "intensity": {"unit": "gCO2e/kWh", "index": ["node"], "value": intensity.tolist()},
        },
        equations={
            "nodal": {
                "unit": "gCO2e/kWh",
                "expr": f"emission_flow(received * (1 + {knob}), generation * (1 + {knob}),"
                " intensity, node, node_b)",
            }
        },
    )


def nodal(problem: envs.Problem) -> np.ndarray:
    env = envs.make_vector(problem, 2)
    env.reset(seed=0)
    env.step(tiny.actions(env))
    return np.asarray(env.quantities(["nodal"])["nodal"][1])


@pytest.mark.parametrize("knob", ["0 * knob", "1e-12 * knob"])  # folded, and at run time
def test_the_emission_flow_of_the_ieee_14_bus_case_is_the_published_one(knob: str) -> None:
    generation, intensity = np.zeros(14), np.zeros(14)
    for bus, (power, factor) in GENERATION_14.items():
        generation[bus - 1], intensity[bus - 1] = power, factor
    problem = emission_problem(flows_14(), generation, intensity, knob)
    np.testing.assert_allclose(nodal(problem), INTENSITY_14, atol=0.01)


def test_what_sources_emit_is_what_loads_and_losses_carry() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        nodes = 9
        # From lower to higher numbers and back, so that flows go round in circles too.
        sent = rng.uniform(0, 5, (nodes, nodes)) * (rng.uniform(size=(nodes, nodes)) < 0.4)
        np.fill_diagonal(sent, 0)
        received = sent * rng.uniform(0.9, 1, sent.shape)
        generation = np.maximum(sent.sum(axis=1) - received.sum(axis=0), 0) + rng.uniform(0, 3)
        load = received.sum(axis=0) + generation - sent.sum(axis=1)
        intensity = rng.uniform(0, 900, nodes)
        e = nodal(emission_problem(received, generation, intensity))
        carried = e @ load + e @ (sent - received).sum(axis=1)
        assert carried == pytest.approx(generation @ intensity, rel=1e-9)
        assert (e <= intensity.max() + 1e-9).all() and (e >= 0).all()


def test_a_node_without_power_has_no_intensity() -> None:
    received = np.zeros((4, 4))
    received[0, 1] = 2.0
    e = nodal(emission_problem(received, np.array([2.0, 0, 0, 0]), np.full(4, 500.0)))
    np.testing.assert_allclose(e, [500, 500, 0, 0], atol=1e-9)


def feeder_problem(scale: Any = 1.0) -> envs.Problem:
    """The 33-bus feeder with loads of its own at each scenario and step; bus 1 is the source."""
    parent, r, x, p, q = np.array([(0, 0, 0, 0, 0), *FEEDER_33], dtype=float).T
    values = {"parent": ("1", parent - 1), "r": ("ohm", r), "x": ("ohm", x)}
    values |= {"p": ("kW", p), "q": ("kvar", q)}
    return tiny.problem(
        sets={"bus": 33},
        parameters={
            name: {"unit": unit, "index": ["bus"], "value": value.tolist()}
            for name, (unit, value) in values.items()
        },
        processes={
            "share": {"unit": "1", "index": ["bus"], "sample": {"uniform": [-0.5, 1.5]}},
            "tap": {"unit": "1", "sample": {"uniform": [1.0, 1.05]}},
        },
        decisions={"knob": {"unit": "1", "index": ["bus"], "box": [0.999, 1.001]}},
        equations={
            "active": {"unit": "kW", "expr": f"p * share * knob * {scale}"},
            "reactive": {"unit": "kvar", "expr": f"q * share * {scale}"},
            "source": {"unit": "V", "expr": "'12660 V' * tap"},
            "current": {
                "unit": "A^2",
                "expr": "radial_current(active, reactive, source, r, x, parent, bus)",
            },
            "voltage": {
                "unit": "V",
                "expr": "radial_voltage(active, reactive, current, source, r, x, parent, bus)",
            },
            "loss": {"unit": "kW", "expr": "sum(r * current, bus)"},
        },
        objective={"carbon": {"unit": "gCO2e", "expr": "loss * time_step * '1 gCO2e/kWh'"}},
        metrics={"energy": {"unit": "J", "expr": "loss * time_step"}},
    )


def test_the_feeder_of_baran_and_wu_loses_what_they_state() -> None:
    problem = feeder_problem()
    for name, value in {"share": 1.0, "tap": 1.0}.items():
        problem = envs.Problem(
            {**problem.document, "processes": {**problem.document["processes"],
             name: {"unit": "1", "expr": str(value),
                    **({"index": ["bus"]} if name == "share" else {})}}}
        )  # fmt: skip
    env = envs.make_vector(problem)
    env.reset(seed=0)
    env.step(tiny.actions(env))
    seen = env.quantities(["loss", "voltage"])
    assert seen["loss"][0] == pytest.approx(202.68, abs=0.02)
    assert seen["voltage"][0].min() / 12660 == pytest.approx(0.91309, abs=1e-5)


def test_the_radial_flow_is_that_of_pandapower() -> None:
    pandapower = pytest.importorskip("pandapower")
    from pandapower.networks import case33bw

    problem, rows = feeder_problem(), 8
    env = envs.make_vector(problem, rows)
    env.reset(seed=0)
    env.step(tiny.actions(env, 1.0))
    seen = env.quantities(["active", "reactive", "source", "voltage", "loss"])
    net = case33bw()
    parent = np.array([row[0] for row in FEEDER_33]) - 1
    net.line["in_service"] = [
        bool(parent[to - 1] == start)
        for start, to in zip(net.line.from_bus, net.line.to_bus, strict=True)
    ]
    assert net.line.in_service.sum() == 32
    for row in range(rows):
        net.load["p_mw"] = seen["active"][row, net.load.bus] / 1e3
        net.load["q_mvar"] = seen["reactive"][row, net.load.bus] / 1e3
        net.ext_grid["vm_pu"] = seen["source"][row] / 12660
        pandapower.runpp(net, algorithm="bfsw", tolerance_mva=1e-10, numba=False)
        pu = seen["voltage"][row] / 12660
        assert 0.9 < pu.min() and pu.max() < 1.06
        np.testing.assert_allclose(pu, net.res_bus.vm_pu, atol=1e-6)
        assert seen["loss"][row] == pytest.approx(1e3 * net.res_line.pl_mw.sum(), rel=1e-3)


def test_an_impossible_load_ends_finite() -> None:
    env = envs.make_vector(feeder_problem(100), 16)
    env.reset(seed=0)
    env.step(tiny.actions(env))
    assert np.isfinite(env.quantities(["loss"])["loss"]).all()


def test_torch_sweeps_as_numpy_does_and_knows_the_slope() -> None:
    import torch

    compiled = feeder_problem().compiled()
    actions = np.random.default_rng(0).uniform(-0.9, 0.9, (3, 33))
    plain = BatchSimulation(compiled, 3)
    tensors = BatchSimulation(compiled, 3, backend="torch")
    plain.reset()
    plain.step(actions)
    tensors.reset()
    given = torch.tensor(actions, requires_grad=True)
    tensors.step(given)
    np.testing.assert_allclose(tensors.carbon_g.detach().numpy(), plain.carbon_g, rtol=1e-9)
    tensors.carbon_g.sum().backward()
    assert given.grad is not None
    for bus in (5, 17, 32):
        lost = []
        for step in (1e-4, -1e-4):
            moved = actions.copy()
            moved[:, bus] += step
            plain.reset(plain.scenarios)
            plain.step(moved)
            lost.append(plain.carbon_g)
        slope = (lost[0] - lost[1]) / 2e-4
        np.testing.assert_allclose(given.grad[:, bus], slope, rtol=1e-4, atol=1e-7)
