"""Every function of the language computes what NumPy computes, wherever its arguments are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.special

import envs
from envs.compiler.fields import DOMAIN_FUNCTIONS
from envs.compiler.fields.formula import SET
from envs.compiler.functions import FUNCTIONS
from envs.simulation.batch import BatchSimulation
from tests.language import tiny
from tests.language.tiny import Array

SETS: dict[str, Any] = {
    "row": 6,
    "middle": 3,
    "column": 4,
    "twin": {"alias_of": "row"},
    "place": ["DE", "GB", "off"],
    "part": ["re", "im"],
    "midway": {"alias_of": "middle"},
}
INDEX = {"x": ["row"], "p": ["row"], "u": ["row"], "w": ["column"], "v": ["middle"]}
INDEX |= {"m": ["row", "column"], "k": ["place"], "i": ["column"], "h": ["row"], "s": [], "t": []}
INDEX |= {"z": ["row", "part"], "y": ["middle", "column", "part"]}
VALUES: dict[str, Array] = {
    "x": np.array([-2.5, -1.0, 0.0, 0.5, 1.5, 3.0]),
    "p": np.array([0.1, 0.5, 1.0, 1.5, 2.5, 4.0]),
    "u": np.array([3.0, -1.0, 2.0, 0.5, -0.25, 1.0]),
    "h": np.array([-1.5, -0.5, 0.5, 1.5, 2.5, 0.4999999]),
    "w": np.array([0.25, -1.5, 2.0, 7.0]),
    "v": np.array([1.0, -2.0, 0.5]),
    "m": np.array(
        [[3, 1, 2, 0], [0, 5, 5, 1], [2, 2, 2, 2], [-1, -3, 0, 4], [1, 0, -1, 2], [9, 8, 7, 6.5]]
    ),
    "k": np.array([10.0, 20.0, 30.0]),
    "i": np.array([-3.0, 2.4, 2.6, 11.0]),
    "z": np.array([[1, 2], [-1, 0.5], [0.25, -3], [-2, -2], [1, 0], [0.5, 0.5]]),
    "y": np.sin(np.arange(24.0) ** 2).reshape(3, 4, 2),
    "s": np.array(1.75),
    "t": np.array(-0.75),
}
KNOTS = {"xs": [-1.0, 0.0, 0.5, 2.0], "ys": [3.0, 1.0, 1.5, -2.0]}

LEVELS = ("constant", "exogenous", "decided")
"""When the arguments are known: before anything runs, at each time, after the decision."""

V = dict[str, Array]
Case = tuple[str, Callable[[V], Any]]


def _case(text: str, oracle: Callable[[V], Any]) -> Case:
    return text, oracle


def _taken(m: Array, i: Array) -> Array:
    """Rows of m at the places i, rounded and clamped; the places become the last axis."""
    return m[np.clip(np.rint(i), 0, len(m) - 1).astype(int)].T


ELEMENTWISE: list[Case] = [
    *(
        _case(f"{name}({of})", lambda v, name=name, of=of: getattr(np, name)(v[of]))
        for of in ("x", "s", "m")
        for name in ("abs", "exp", "sin", "cos", "tanh", "expm1", "floor", "ceil", "sign")
    ),
    *(
        _case(f"{name}({of})", lambda v, name=name, of=of: getattr(np, name)(v[of]))
        for of in ("p", "s")
        for name in ("log", "log2", "log10", "log1p", "sqrt")
    ),
    _case("round(h)", lambda v: np.rint(v["h"])),
    _case("round(s)", lambda v: np.rint(v["s"])),
    _case("sigmoid(x)", lambda v: scipy.special.expit(v["x"])),
    _case("x + u", lambda v: v["x"] + v["u"]),
    _case("x - u", lambda v: v["x"] - v["u"]),
    _case("x * u", lambda v: v["x"] * v["u"]),
    _case("x * x", lambda v: v["x"] * v["x"]),
    _case("x / p", lambda v: v["x"] / v["p"]),
    _case("-x", lambda v: -v["x"]),
    _case("+x", lambda v: v["x"]),
    _case("-x ** 2", lambda v: -(v["x"] ** 2)),
    _case("2 ** -1 * s", lambda v: v["s"] / 2),
    _case("x - u - p", lambda v: v["x"] - v["u"] - v["p"]),
    _case("x / p / s", lambda v: v["x"] / v["p"] / v["s"]),
    _case("2 * x * 3 / 4", lambda v: 1.5 * v["x"]),
    _case("0 * x", lambda v: 0 * v["x"]),
    _case("(x * 2) * 0.5", lambda v: v["x"]),
    _case("-1 * x", lambda v: -v["x"]),
    _case("x / -1 * p", lambda v: -v["x"] * v["p"]),
    *(_case(f"x ** {n}", lambda v, n=n: v["x"] ** n) for n in (0, 1, 2, 3, 4)),
    *(_case(f"p ** {n}", lambda v, n=n: v["p"] ** n) for n in (-1, -2, 0.5, 0.3, -1.5)),
    _case("p ** u", lambda v: v["p"] ** v["u"]),
    _case("2 ** x", lambda v: 2.0 ** v["x"]),
    *(
        _case(f"x {sign} u", lambda v, f=f: f(v["x"], v["u"]))
        for sign, f in {
            "<": np.less,
            "<=": np.less_equal,
            ">": np.greater,
            ">=": np.greater_equal,
            "==": np.equal,
            "!=": np.not_equal,
        }.items()
    ),
    _case("x > 0 and u > 0 and p > 1", lambda v: (v["x"] > 0) & (v["u"] > 0) & (v["p"] > 1)),
    _case("x > 0 or u > 0", lambda v: (v["x"] > 0) | (v["u"] > 0)),
    _case("not x", lambda v: v["x"] == 0),
    _case("x and u", lambda v: (v["x"] != 0) & (v["u"] != 0)),
    _case("(x > 0) + (u > 0)", lambda v: 1.0 * (v["x"] > 0) + (v["u"] > 0)),
    _case("min(x, u, s)", lambda v: np.minimum(np.minimum(v["x"], v["u"]), v["s"])),
    _case("max(x, u, t)", lambda v: np.maximum(np.maximum(v["x"], v["u"]), v["t"])),
    _case("clip(x, t, s)", lambda v: np.clip(v["x"], v["t"], v["s"])),
    _case("clip(x, -1, u)", lambda v: np.minimum(np.maximum(v["x"], -1), v["u"])),
    _case("where(x > 0, u, p)", lambda v: np.where(v["x"] > 0, v["u"], v["p"])),
    _case("where(x, u, 7)", lambda v: np.where(v["x"] != 0, v["u"], 7)),
    _case("mod(x, p)", lambda v: np.mod(v["x"], v["p"])),
    _case("mod(x, -p)", lambda v: np.mod(v["x"], -v["p"])),
    _case("mod(m, 3)", lambda v: np.mod(v["m"], 3)),
    _case("from_db(x)", lambda v: 10 ** (v["x"] / 10)),
    _case("to_db(p)", lambda v: 10 * np.log10(v["p"])),
    _case("from_dbm(x) / '1 W'", lambda v: 1e-3 * 10 ** (v["x"] / 10)),
    _case("to_dbm(p * '1 mW')", lambda v: 10 * np.log10(v["p"])),
    _case("from_celsius(x) / '1 K'", lambda v: v["x"] + 273.15),
    _case("to_celsius(p * '100 K')", lambda v: 100 * v["p"] - 273.15),
    _case("'3 kW' * x / '1 W'", lambda v: 3000 * v["x"]),
    _case("x * '1 h' / '1 min'", lambda v: 60 * v["x"]),
]

OVER_SETS: list[Case] = [
    _case("sum(x, row)", lambda v: v["x"].sum()),
    _case("sum(m, row)", lambda v: v["m"].sum(axis=0)),
    _case("sum(m, column)", lambda v: v["m"].sum(axis=1)),
    _case("sum(m, row, column)", lambda v: v["m"].sum()),
    _case("sum(x > 0, row)", lambda v: (v["x"] > 0).sum()),
    _case("mean(m, column)", lambda v: v["m"].mean(axis=1)),
    _case("mean(m, column, row)", lambda v: v["m"].mean()),
    _case("prod(p, row)", lambda v: v["p"].prod()),
    _case("prod(m, column)", lambda v: v["m"].prod(axis=1)),
    _case("min_over(m, row)", lambda v: v["m"].min(axis=0)),
    _case("max_over(m, column)", lambda v: v["m"].max(axis=1)),
    _case("argmin(m, column)", lambda v: v["m"].argmin(axis=1)),
    _case("argmax(m, row)", lambda v: v["m"].argmax(axis=0)),
    _case("cumsum(x, row)", lambda v: v["x"].cumsum()),
    _case("cumsum(m, row)", lambda v: v["m"].cumsum(axis=0)),
    _case("cumsum(m, column)", lambda v: v["m"].cumsum(axis=1)),
    _case("position(column)", lambda v: np.arange(4)),
    _case("x * position(row)", lambda v: v["x"] * np.arange(6)),
    _case("k['GB']", lambda v: v["k"][1]),
    _case("k['off'] - k[0]", lambda v: v["k"][2] - v["k"][0]),
    _case("x[5]", lambda v: v["x"][5]),
    _case("(k * w)['GB']", lambda v: v["k"][1] * v["w"]),
    _case("shift(x, row, 0)", lambda v: v["x"]),
    _case("shift(x, row, 2)", lambda v: np.r_[0, 0, v["x"][:-2]]),
    _case("shift(x, row, -1)", lambda v: np.r_[v["x"][1:], 0]),
    _case("shift(x, row, 9)", lambda v: 0 * v["x"]),
    _case("shift(x, row, -6)", lambda v: 0 * v["x"]),
    _case("shift(m, column, 1)", lambda v: np.c_[np.zeros(6), v["m"][:, :-1]]),
    _case("shift(m, row, -2)", lambda v: np.r_[v["m"][2:], np.zeros((2, 4))]),
    _case("take(x, row, 3)", lambda v: v["x"][3]),
    _case("take(x, row, i)", lambda v: _taken(v["x"], v["i"])),
    _case("take(m, row, s)", lambda v: v["m"][2]),
    _case("take(m, row, i)", lambda v: np.diag(_taken(v["m"], v["i"]))),
    _case("take(m, column, argmax(m, column))", lambda v: v["m"].max(axis=1)),
    _case("take(x, row, v * i)", lambda v: _taken(v["x"], np.outer(v["v"], v["i"])).T),
    _case("one_hot(2, row)", lambda v: np.eye(6)[2]),
    _case("one_hot(i, row)", lambda v: np.eye(6)[:, [0, 2, 3, 5]]),
    _case("one_hot(argmax(m, row), row)", lambda v: np.eye(6)[:, v["m"].argmax(axis=0)]),
    _case("contract(x, u, row)", lambda v: v["x"] @ v["u"]),
    _case("contract(m, x, row)", lambda v: v["m"].T @ v["x"]),
    _case("contract(x, m, row)", lambda v: v["x"] @ v["m"]),
    _case("contract(m, relabel(m, row, twin), column)", lambda v: v["m"] @ v["m"].T),
    _case("relabel(x, row, twin) - x", lambda v: v["x"][None, :] - v["x"][:, None]),
    _case("x + relabel(u, row, twin)", lambda v: v["x"][:, None] + v["u"][None, :]),
    _case("relabel(m, row, twin)", lambda v: v["m"].T),
    _case("sum(relabel(m, row, twin) * relabel(x, row, twin), twin)", lambda v: v["m"].T @ v["x"]),
    _case(
        "solve(x * relabel(u, row, twin) + 3 * (position(row) == position(twin)), p, row, twin)",
        lambda v: np.linalg.solve(np.outer(v["x"], v["u"]) + 3 * np.eye(6), v["p"]),
    ),
    _case(
        "solve(x * relabel(u, row, twin) + 3 * (position(row) == position(twin)),"
        " relabel(p, row, twin) * w, twin, row)",
        lambda v: np.linalg.solve(
            np.outer(v["u"], v["x"]) + 3 * np.eye(6), np.outer(v["p"], v["w"])
        ),
    ),
    _case(  # rows in another order: pivots are sought
        "solve((position(row) + position(twin) == 5) * p, u * t, row, twin)",
        lambda v: (v["u"] * v["t"] / v["p"])[::-1],
    ),
    _case(  # an equation of zeros leaves its unknown 0
        "solve((position(row) == position(twin)) * (floor(p) * 2), u, row, twin)",
        lambda v: np.divide(
            v["u"], 2 * np.floor(v["p"]), out=np.zeros(6), where=np.floor(v["p"]) != 0
        ),
    ),
    _case(
        "downstream_sum(m, max(position(row) - 2, -1), row)",
        lambda v: np.concatenate(
            [v["m"][[i, i + 2, i + 4]].sum(0)[None] for i in (0, 1)]
            + [v["m"][[i, i + 2]].sum(0)[None] for i in (2, 3)]
            + [v["m"][4:]]
        ),
    ),
    _case(
        "upstream_sum(x, max(position(row) - 2, -1), row)",
        lambda v: np.cumsum(v["x"].reshape(3, 2), axis=0).ravel(),
    ),
    _case("interp(x, xs, ys)", lambda v: np.interp(v["x"], KNOTS["xs"], KNOTS["ys"])),
    _case("interp(m, xs, ys)", lambda v: np.interp(v["m"], KNOTS["xs"], KNOTS["ys"])),
    _case("interp(s, xs, ys)", lambda v: np.interp(v["s"], KNOTS["xs"], KNOTS["ys"])),
]


def _c(parts: Array) -> Any:
    """As NumPy's complex numbers; the last axis has the parts."""
    return parts[..., 0] + 1j * parts[..., 1]


def _p(values: Any) -> Array:
    """Real and imaginary part along a last axis."""
    return np.stack([values.real, values.imag], axis=-1)


def _uplink(rows: Any, sinr: float) -> Array:
    """Powers of an uplink after six rounds of the textbook's fixed point from zero forcing."""
    power = sinr * np.diag(np.linalg.inv(rows @ rows.conj().T)).real
    for _ in range(6):
        noise = [
            np.eye(rows.shape[1])
            + sum(power[j] * np.outer(rows[j].conj(), rows[j]) for j in range(len(rows)) if j != k)
            for k in range(len(rows))
        ]
        power = np.array(
            [
                sinr / (row @ np.linalg.inv(n) @ row.conj()).real
                for row, n in zip(rows, noise, strict=True)
            ]
        )
    return power


GRAM = "complex_contract(y, conjugate(relabel(y, middle, midway), part), part, column)"
COMPLEX: list[Case] = [
    _case("hypot(x, u)", lambda v: np.hypot(v["x"], v["u"])),
    _case("atan2(x, u)", lambda v: np.arctan2(v["x"], v["u"])),
    _case("erlang_cdf(m, 1)", lambda v: scipy.special.gammainc(1, np.maximum(v["m"], 0))),
    _case("erlang_cdf(x, 7)", lambda v: scipy.special.gammainc(7, np.maximum(v["x"], 0))),
    _case("polar(p, x, part)", lambda v: _p(v["p"] * np.exp(1j * v["x"]))),
    _case("polar(s, w, part)", lambda v: _p(v["s"] * np.exp(1j * v["w"]))),
    _case("complex_times(z, y, part)", lambda v: _p(np.multiply.outer(_c(v["z"]), _c(v["y"])))),
    _case("complex_times(z, z, part)", lambda v: _p(_c(v["z"]) ** 2)),
    _case("conjugate(z, part)", lambda v: _p(_c(v["z"]).conj())),
    _case("modulus(z, part)", lambda v: abs(_c(v["z"]))),
    _case("squared_modulus(y, part)", lambda v: abs(_c(v["y"])) ** 2),
    _case("argument(z, part)", lambda v: np.angle(_c(v["z"]))),
    _case("complex_contract(z, z, part, row)", lambda v: _p((_c(v["z"]) ** 2).sum())),
    _case(
        "complex_contract(y, polar(1, w, part), part, column)",
        lambda v: _p(_c(v["y"]) @ np.exp(1j * v["w"])),
    ),
    _case(
        "complex_contract(y, polar(1, v + w, part), part, middle, column)",
        lambda v: _p((_c(v["y"]) * np.exp(1j * (v["v"][:, None] + v["w"]))).sum()),
    ),
    _case(
        "complex_contract(polar(x, w, part), y, part, column)",
        lambda v: _p(np.multiply.outer(v["x"], np.exp(1j * v["w"])) @ _c(v["y"]).T),
    ),
    _case(GRAM, lambda v: _p(_c(v["y"]) @ _c(v["y"]).conj().T).swapaxes(1, 2)),
    _case(
        f"least_powers({GRAM}, 3, 1e6, middle, midway, part)", lambda v: _uplink(_c(v["y"]), 3.0)
    ),
    _case(f"least_powers({GRAM}, 3, 0.01, middle, midway, part)", lambda v: np.full(3, 0.01)),
]

BROADCASTING: list[Case] = [
    _case("x * w", lambda v: np.multiply.outer(v["x"], v["w"])),
    _case("w * x", lambda v: np.multiply.outer(v["x"], v["w"])),
    _case("m + v", lambda v: v["m"][:, None, :] + v["v"][:, None]),
    _case("v - m", lambda v: v["v"][:, None] - v["m"][:, None, :]),
    _case("x * v * w", lambda v: np.multiply.outer(np.multiply.outer(v["x"], v["v"]), v["w"])),
    _case("sum(x * v * w, middle)", lambda v: np.multiply.outer(v["x"], v["w"]) * v["v"].sum()),
    _case("m * w", lambda v: v["m"] * v["w"]),
    _case("m * x", lambda v: v["m"] * v["x"][:, None]),
    _case("m - mean(m, row)", lambda v: v["m"] - v["m"].mean(axis=0)),
    _case("m - mean(m, column)", lambda v: v["m"] - v["m"].mean(axis=1)[:, None]),
    _case("max(x, w)", lambda v: np.maximum.outer(v["x"], v["w"])),
    _case(
        "where(v > 0, m, x)",
        lambda v: np.where((v["v"] > 0)[:, None], v["m"][:, None, :], v["x"][:, None, None]),
    ),
    _case(
        "clip(m, v - 3, v + 1)",
        lambda v: np.clip(v["m"][:, None, :], v["v"][:, None] - 3, v["v"][:, None] + 1),
    ),
]

CASES = [*ELEMENTWISE, *OVER_SETS, *COMPLEX, *BROADCASTING]


def _problem(text: str, level: str) -> envs.Problem:
    used = [n for n in VALUES if n in text]
    given = {n: {"unit": "1", "index": INDEX[n], "value": VALUES[n].tolist()} for n in used}
    tables = {n: {"unit": "1", "index": ["column"], "value": KNOTS[n]} for n in KNOTS}
    sections: dict[str, Any] = {"sets": SETS, "parameters": tables, "time": {"horizon": 1}}
    if level == "constant":
        sections["parameters"] = {**tables, **given}
    else:
        sections["parameters"] = {**tables, **{f"{n}_given": item for n, item in given.items()}}
    if level == "exogenous":
        # 1 throughout an episode of one step, which the compiler is not told.
        sections["processes"] = {
            n: {"unit": "1", "index": INDEX[n], "expr": f"{n}_given * time_remaining"} for n in used
        }
    probe = {"probe": {"unit": "1", "expr": text}}
    sections["equations"] = probe
    if level == "decided":
        # With the knob at 0, and proven to stay within a hair of the given values.
        sections["equations"] = {
            **{n: {"unit": "1", "expr": f"{n}_given + 1e-9 * knob"} for n in used},
            **probe,
        }
    else:
        sections["observe"] = {
            "remaining": None,
            "probe": {"unit": "1", "expr": "probe", "linear": [-1, 1]},
        }
    return tiny.problem(**sections)


@cache
def _expected(text: str) -> Array:
    return np.asarray(dict(CASES)[text]({n: a.copy() for n, a in VALUES.items()}), dtype=float)


def test_no_case_stands_twice() -> None:
    assert len(dict(CASES)) == len(CASES)


def test_every_function_of_the_language_has_a_case() -> None:
    texts = " ".join(text for text, _ in CASES)
    missing = {name for name in FUNCTIONS if name.isidentifier() and f"{name}(" not in texts}
    assert missing <= {"negate", "and", "or", "not"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_a_function_computes_what_numpy_computes(text: str, level: str) -> None:
    problem = _problem(text, level)
    env = envs.make_vector(problem, num_envs=2)
    env.reset(seed=0)
    env.step(tiny.actions(env))
    value = env.quantities(["probe"])["probe"]
    expected = _expected(text)
    np.testing.assert_allclose(value, np.broadcast_to(expected, (2, *expected.shape)), atol=1e-12)
    assert (problem.compiled().named["probe"][0].value is not None) == (
        level == "constant" or text.startswith(("position(", "one_hot(2"))
    )


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_torch_computes_what_numpy_computes(text: str) -> None:
    simulation = BatchSimulation(_problem(text, "exogenous").compiled(), 2, backend="torch")
    simulation.reset()
    expected = _expected(text).ravel()
    np.testing.assert_allclose(simulation.observation.numpy(), np.stack([expected] * 2), atol=1e-12)


FORMULAS: list[tuple[str, float]] = [
    ("shannon_rate('20 MHz', 3) / '1 Mbit/s'", 40.0),
    ("thermal_noise('1 MHz', 9) / '1 W'", 1e6 * 10 ** ((9 - 174) / 10) / 1000),
    ("path_gain(0.001, '10 m', 2.2)", 1e-3 * 10**-2.2),
    ("element_gain(0.5, 3)", math.pi / 8),
    ("quantised_phase(1, 2)", math.pi / 2),
    ("quantisation_coherence(1)", 2 / math.pi),
    ("aligned_gain(100, 0.5)", 100 + 100 * 99 / 4),
    ("clear_sky_irradiance(0.5) / '1 W/m^2'", 1098 * 0.5 * math.exp(-0.057 / 0.5)),
    ("clear_sky_irradiance(-0.2) / '1 W/m^2'", 0.0),
    ("saturation_pressure('293.15 K') / '1 Pa'", 2338.8037000739814),  # psychrolib 2.5
    ("saturation_slope('293.15 K')", 0.061944222631727955),  # the slope of its logarithm
    ("humidity_ratio('2000 Pa', '101325 Pa')", 0.621945 * 2000 / 99325),
    ("wet_bulb('293.15 K', 1, '101325 Pa') / '1 K'", 293.15),
    ("wet_bulb_excess('293.15 K', '293.15 K', 0, '101325 Pa')", 36.06871037334799),
    ("wet_bulb_slope('293.15 K', 0, '101325 Pa')", 3.258857401045744),
    (
        "wet_bulb_step('293.15 K', '293.15 K', 0, '101325 Pa') / '1 K'",
        293.15 - 36.06871037334799 / 3.258857401045744,
    ),
    (
        "chiller_capacity_factor('282.04 K', '285.93 K')",
        0.252113
        + 0.01324053 * 8.89
        - 0.008637329 * 8.89**2
        + 0.08581056 * 12.78
        - 0.004261176 * 12.78**2
        + 0.008661899 * 8.89 * 12.78,
    ),
    (
        "chiller_input_factor('282.04 K', '285.93 K')",
        0.4475238
        - 0.0258821 * 8.89
        - 0.001459053 * 8.89**2
        + 0.04342595 * 12.78
        - 0.001000651 * 12.78**2
        + 0.001920106 * 8.89 * 12.78,
    ),
    ("chiller_part_load_factor(0.8)", 0.2778889 + 0.2338363 * 0.8 + 0.4883748 * 0.64),
    (
        "chiller_part_load_factor(0.05)",
        0.5 * (0.2778889 + 0.2338363 * 0.1 + 0.4883748 * 0.01),
    ),
    (
        "chiller_power(0.8 * chiller_capacity_factor('282.04 K', '285.93 K') * '471 kW',"
        " '471 kW', 5.89, '282.04 K', '285.93 K') / ('471 kW'"
        " * chiller_capacity_factor('282.04 K', '285.93 K'))",
        0.8 / 8.51382402679964,
    ),
    ("server_power(0.5, '140 W', '400 W') / '1 W'", 140 + 260 * (1 - 0.5**1.4)),
    ("fan_power(0.5, '28 kW') / '1 kW'", 3.5),
    (
        "solar_elevation_sine(0.9, 0.3, '15 h')",
        math.sin(0.9) * math.sin(0.3) + math.cos(0.9) * math.cos(0.3) * math.cos(math.pi / 4),
    ),
]


@pytest.mark.parametrize(("text", "expected"), FORMULAS)
def test_a_formula_of_the_field_computes_what_its_source_says(text: str, expected: float) -> None:
    problem = tiny.problem(equations={"probe": {"unit": "1", "expr": text}})
    node = problem.compiled().named["probe"][0]
    assert node.value is not None
    assert float(node.value[0]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_every_formula_of_the_field_has_a_case() -> None:
    for name, known in DOMAIN_FUNCTIONS.items():
        if SET in known.parameters.values():
            continue  # over a whole grid: tests/golden
        assert any(text.startswith(f"{name}(") for text, _ in FORMULAS), name


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("time_step", "s", [900.0] * 5),
        ("step_index", "1", [0, 1, 2, 3, 4]),
        ("hour_of_day", "h", [23.5, 23.75, 0.0, 0.25, 0.5]),
        ("day_index", "1", [0, 0, 1, 1, 1]),
        ("time_remaining", "1", [1.0, 0.8, 0.6, 0.4, 0.2]),
        ("pi", "1", [math.pi] * 5),
    ],
)
def test_a_built_in_name_is_what_the_page_says(name: str, unit: str, expected: list[float]) -> None:
    problem = tiny.problem(
        time={"step": "15 min", "horizon": 5, "start": "23:30"},
        equations={"probe": {"unit": unit, "expr": f"{name}"}},
    )
    env = envs.make_vector(problem)
    env.reset(seed=0)
    seen = []
    for _ in expected:
        env.step(tiny.actions(env))
        seen.append(float(env.quantities(["probe"])["probe"][0]))
    assert seen == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("section", ["init", "next"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_state_over_two_sets_may_be_told_over_one(section: str, backend: str) -> None:
    """Both sets have one size, so that a swap of axes would go unseen."""
    state = {"unit": "1", "index": ["a", "b"], "init": "w", "next": "s", "bounds": [0, 9]}
    if section == "next":
        state |= {"init": 0, "next": "w"}
    problem = tiny.problem(
        sets={"a": 3, "b": 3},
        parameters={"w": {"unit": "1", "index": ["a"], "value": [1, 2, 3]}},
        states={"s": state},
        observe={"remaining": None, "s": {"unit": "1", "expr": "s", "linear": [-1, 1]}},
    )
    env = envs.make_vector(problem, num_envs=2, backend=backend)
    env.reset(seed=0)
    observation, *_ = env.step(tiny.actions(env))
    assert observation[0].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_a_parameter_runs_over_its_declared_index() -> None:
    problem = tiny.problem(
        sets={"a": 3, "b": 2},
        parameters={
            "w": {"unit": "1", "index": ["b"], "value": [1, 2]},
            "wide": {"unit": "1", "index": ["a", "b"], "expr": "w"},
        },
    )
    assert problem.constants["wide"].tolist() == [[1, 2]] * 3


def test_a_label_that_two_sets_share_is_refused_as_ambiguous() -> None:
    found = tiny.refusal(
        lambda: tiny.problem(
            sets={"a": 2, "b": {"alias_of": "a"}},
            parameters={"x": {"unit": "1", "index": ["a", "b"], "value": [[1, 2], [3, 4]]}},
            equations={"probe": {"unit": "1", "expr": "x['0']"}},
        )
    )
    assert found == [("index-mismatch", "equations.probe")]
