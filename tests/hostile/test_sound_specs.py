"""Everything docs/language.md describes is accepted, and means what the page says."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import envs
from tests.hostile.corpus import BASE_TEXT, CODES
from tests.hostile.corpus.spec import base, changed, edited, equation, process, render
from tests.hostile.guard import guarded

LANGUAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"


def run(problem: envs.Problem) -> Any:
    """Play one episode of two scenarios at random; what is returned is the environment after it."""
    environment = envs.make_vector(problem, num_envs=2, split="train", seed=0)
    observation, _ = environment.reset(seed=0)
    size = environment.single_action_space.shape[0]
    actions = np.random.default_rng(0).uniform(-1, 1, (problem.horizon, 2, size))
    for action in actions.astype(np.float32):
        assert np.isfinite(observation).all()
        observation, reward, _, _, _ = environment.step(action)
        assert np.isfinite(reward).all()
    return environment


def accepted(document: str | bytes) -> envs.Problem:
    with guarded():
        return envs.parse(document)


def test_the_whole_spec_of_the_page_compiles_and_runs() -> None:
    page = LANGUAGE.read_text(encoding="utf-8")
    documents = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert documents
    problem = accepted(documents[0])
    assert problem.name == "cell"
    run(problem)


def test_text_and_bytes_are_the_same_document() -> None:
    assert accepted(BASE_TEXT).digest == accepted(BASE_TEXT.encode()).digest


def test_a_byte_order_mark_is_no_fault() -> None:
    assert accepted(b"\xef\xbb\xbf" + BASE_TEXT.encode()).digest == accepted(BASE_TEXT).digest


def test_json_is_yaml() -> None:
    assert accepted(json.dumps(base(), indent=1)).digest == accepted(BASE_TEXT).digest


def test_lists_of_named_items_mean_the_same_as_maps() -> None:
    document = {**base()}
    for section in ("parameters", "processes", "decisions", "equations", "metrics", "observe"):
        document[section] = [{"name": name, **item} for name, item in document[section].items()]
    assert accepted(render(document)).digest == accepted(BASE_TEXT).digest


def test_prose_is_no_part_of_the_digest() -> None:
    digest = accepted(BASE_TEXT).digest
    for path in ("meta.title", "meta.summary", "provenance.asked_by", "parameters.noise.source"):
        assert accepted(changed(path, "something else")).digest == digest
    assert accepted(changed("parameters.noise.value", 2e-13)).digest != digest


def test_the_order_of_definitions_does_not_matter() -> None:
    def backwards(document: dict[str, Any]) -> None:
        document["equations"] = dict(reversed(document["equations"].items()))

    accepted(edited(backwards))


def test_a_long_chain_of_definitions_compiles_in_any_order() -> None:
    def chain(document: dict[str, Any]) -> None:
        for n in range(120):
            text = f"chain_{n + 1} + 1" if n < 119 else "1"
            document["equations"][f"chain_{n}"] = {"unit": "1", "expr": text}

    accepted(edited(chain))


@pytest.mark.parametrize("name", ["off", "on", "yes", "no", "y", "n", "null_", "e1", "x" * 48])
def test_words_that_other_languages_reserve_are_plain_names(name: str) -> None:
    text = BASE_TEXT.replace("  bandwidth: {", f"  {name}: {{unit: 1, value: 3}}\n  bandwidth: {{")
    text = text.replace("equations:\n", f"equations:\n  probe: {{unit: 1, expr: {name} + 1}}\n")
    environment = run(accepted(text))
    assert environment.quantities(["probe"])["probe"] == pytest.approx([4, 4])


@pytest.mark.parametrize("labels", [["off", "on"], ["yes", "no"], ["0", "1"], ["a b", "ü"]])
def test_labels_are_plain_strings(labels: list[str]) -> None:
    accepted(BASE_TEXT.replace("[DE, GB]", "[" + ", ".join(f'"{label}"' for label in labels) + "]"))


def test_unquoted_off_is_a_label() -> None:
    problem = accepted(
        BASE_TEXT.replace("[DE, GB]", "[off, on]").replace(
            "equations:\n", "equations:\n  probe: {unit: 1, expr: \"weight['off']\"}\n"
        )
    )
    assert run(problem).quantities(["probe"])["probe"] == pytest.approx([0.75, 0.75])


def measured(text: str, unit: str = "1") -> np.ndarray:
    """What an expression is worth on the first step, in a unit, without the batch axis."""

    def probes(document: dict[str, Any]) -> None:
        document["sets"]["knot"] = 3
        tables = {"x": ("user", [1, 2, 4]), "xs": ("knot", [0, 10, 20]), "ys": ("knot", [0, 1, 4])}
        for name, (index, value) in tables.items():
            document["parameters"][name] = {"unit": "1", "index": [index], "value": value}
        document["equations"]["probe"] = {"unit": unit, "expr": text}

    problem = accepted(edited(probes))
    environment = envs.make_vector(problem, num_envs=1, split="train", seed=0)
    environment.reset(seed=0)
    environment.step(np.zeros((1, environment.single_action_space.shape[0]), dtype=np.float32))
    return np.asarray(environment.quantities(["probe"])["probe"])[0]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2 + 3 * 4", "1", 14),
        ("(2 + 3) * 4", "1", 20),
        ("2 ** 3", "1", 8),
        ("2 ** -1", "1", 0.5),
        ("-2 ** 2", "1", -4),
        ("7 / 2 - +1", "1", 2.5),
        ("'2 m' ** 2", "m^2", 4),
        ("'4 m^2' ** 0.5", "m", 2),
        ("abs(-2)", "1", 2),
        ("sqrt('4 J' * '1 J')", "J", 2),
        ("exp(1)", "1", math.e),
        ("log(10)", "1", math.log(10)),
        ("log2(8)", "1", 3),
        ("log10(1000)", "1", 3),
        ("log1p(1)", "1", math.log(2)),
        ("expm1(1)", "1", math.e - 1),
        ("sin(pi / 2)", "1", 1),
        ("cos(0)", "1", 1),
        ("tanh(0.5)", "1", math.tanh(0.5)),
        ("sigmoid(0)", "1", 0.5),
        ("sign(-3)", "1", -1),
        ("round(2.6)", "1", 3),
        ("floor(-1.5)", "1", -2),
        ("ceil(1.2)", "1", 2),
        ("min(3, 1, 2)", "1", 1),
        ("max('3 W', '0.001 kW')", "W", 3),
        ("clip(5, 0, 3)", "1", 3),
        ("where(1 < 2, 3, 4)", "1", 3),
        ("mod(7, 3)", "1", 1),
        ("mod(-1, 3)", "1", 2),
        ("sum(x, user)", "1", 7),
        ("sum(x * weight, user, zone)", "1", 7),
        ("mean(x, user)", "1", 7 / 3),
        ("prod(x, user)", "1", 8),
        ("min_over(x, user)", "1", 1),
        ("max_over(x, user)", "1", 4),
        ("argmin(x, user)", "1", 0),
        ("argmax(x, user)", "1", 2),
        ("cumsum(x, user)", "1", [1, 3, 7]),
        ("x[0]", "1", 1),
        ("x[2]", "1", 4),
        ("weight['GB']", "1", 0.25),
        ("take(x, user, 1)", "1", 2),
        ("take(x, user, 9)", "1", 4),
        ("shift(x, user, 1)", "1", [0, 1, 2]),
        ("shift(x, user, -1)", "1", [2, 4, 0]),
        ("one_hot(1, user)", "1", [0, 1, 0]),
        ("position(user)", "1", [0, 1, 2]),
        ("x * weight", "1", [[0.75, 0.25], [1.5, 0.5], [3, 1]]),
        ("weight * x", "1", [[0.75, 0.25], [1.5, 0.5], [3, 1]]),
        ("sum(x * relabel(x, user, user_b), user, user_b)", "1", 49),
        ("contract(x, x, user)", "1", 21),
        ("contract(x * relabel(x, user, user_b), x, user)", "1", [21, 42, 84]),
        ("interp(5, xs, ys)", "1", 0.5),
        ("interp(15, xs, ys)", "1", 2.5),
        ("interp(99, xs, ys)", "1", 4),
        ("interp(-1, xs, ys)", "1", 0),
        ("from_db(10)", "1", 10),
        ("to_db(100)", "1", 20),
        ("from_dbm(30)", "W", 1),
        ("to_dbm('1 W')", "1", 30),
        ("from_celsius(20)", "K", 293.15),
        ("to_celsius('293.15 K')", "1", 20),
        ("shannon_rate('10 MHz', 3)", "Mbit/s", 20),
        ("thermal_noise('1 MHz', 9)", "W", 10**-16.5 * 1e3),
        ("clear_sky_irradiance(1)", "W/m^2", 1098 * math.exp(-0.057)),
        ("solar_elevation_sine('0 rad', '0 rad', '12 h')", "1", 1),
        ("max('3 W', 0)", "W", 3),
        ("0 + '3 W'", "W", 3),
        ("time_step", "min", 15),
        ("step_index", "1", 0),
        ("hour_of_day", "h", 6),
        ("time_remaining", "1", 1),
        ("0 * day_index", "1", 0),
        ("pi", "rad", math.pi),
        ("1 < 2", "1", 1),
        ("2 <= 1", "1", 0),
        ("2 > 1", "1", 1),
        ("2 >= 3", "1", 0),
        ("2 == 2", "1", 1),
        ("2 != 2", "1", 0),
        ("1 < 2 and 3 < 2", "1", 0),
        ("1 < 2 or 3 < 2", "1", 1),
        ("not (1 < 2)", "1", 0),
        ("(1 < 2) + (2 < 3)", "1", 2),
        ("'30 MHz'", "kHz", 30_000),
        ("'5 percent'", "1", 0.05),
        ("bandwidth / 3 * '1 bit'", "Mbit/s", 10 / 3),
        ("1\n  + 1", "1", 2),
    ],
)
def test_an_expression_means_what_the_page_says(text: str, unit: str, value: Any) -> None:
    assert measured(text, unit) == pytest.approx(np.array(value, dtype=float), rel=1e-12)


@pytest.mark.parametrize(
    ("quantity", "unit", "value"),
    [
        ("1 min", "s", 60),
        ("1 h", "min", 60),
        ("1 day", "h", 24),
        ("1 year", "day", 365),
        ("1 km", "m", 1000),
        ("1 mm", "um", 1000),
        ("1 kg", "g", 1000),
        ("1 t", "kg", 1000),
        ("1 tCO2e", "kgCO2e", 1000),
        ("1 gCO2e", "mgCO2e", 1000),
        ("1 kWh", "MJ", 3.6),
        ("1 Wh", "J", 3600),
        ("1 W", "J/s", 1),
        ("1 V*A", "W", 1),
        ("1 kVA", "W", 1000),
        ("1 kvar", "VA", 1000),
        ("1 V/A", "ohm", 1),
        ("1 C", "A*s", 1),
        ("1 GHz", "1/s", 1e9),
        ("1 byte", "bit", 8),
        ("1 MB".replace("MB", "Mbyte"), "kbit", 8000),
        ("1 bit/s/Hz", "bit", 1),
        ("1 Gflop", "Mcycle", 1000),
        ("3 request", "request", 3),
        ("3 image", "image", 3),
        ("1 K", "K", 1),
        ("1 W/(m^2)", "W*m^-2", 1),
        ("1 m/s^2", "km/s^2", 0.001),
        ("50 percent", "1", 0.5),
        ("1 rad", "1", 1),
        ("1 EUR", "ct", 100),
        ("1 TWh", "GWh", 1000),
        ("1 nW", "pW", 1000),
        ("2.5e-3 W", "mW", 2.5),
        ("-3 W", "W", -3),
        ("0.5", "1", 0.5),
    ],
)
def test_a_unit_is_worth_what_the_page_says(quantity: str, unit: str, value: float) -> None:
    assert measured(f"'{quantity}'", unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("noise", "W"),
        ("demand", "Mbit/s"),
        ("load", "1"),
        ("mode", "1"),
        ("stored", "kWh"),
        ("charge", "kW"),
        ("share", "1"),
        ("energy", "kWh"),
        ("hour_of_day", "h"),
        ("step_index", "1"),
        ("pi", "rad"),
    ],
)
def test_an_equation_may_only_rename(name: str, unit: str) -> None:
    environment = run(accepted(equation(name, unit)))
    assert np.isfinite(environment.quantities(["probe"])["probe"]).all()


DISTRIBUTIONS: dict[str, Any] = {
    "uniform": [0.5, 1.5],
    "normal": {"mean": 3, "std": 0.5},
    "lognormal": {"median": 1, "sigma": 0.5},
    "exponential": {"mean": 2},
    "gamma": {"shape": 2, "scale": 0.5},
    "beta": {"a": 2, "b": 3},
    "poisson": {"mean": 4},
    "integers": [1, 6],
    "choice": {"values": [1, 2, 5], "weights": [1, 1, 2]},
}


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_every_distribution_draws_for_parameters_and_processes(kind: str) -> None:
    sample = {kind: DISTRIBUTIONS[kind]}
    run(accepted(process(index=["user"], sample=sample)))
    run(accepted(changed("parameters.probe", {"unit": "1", "index": ["user"], "sample": sample})))


def test_a_choice_without_weights_is_even() -> None:
    run(accepted(process(sample={"choice": {"values": [1, 2]}})))


def test_the_arguments_of_a_distribution_may_be_expressions_over_parameters_and_time() -> None:
    run(accepted(process(sample={"uniform": ["0", "1 + sin(2 * pi * hour_of_day / '24 h') ** 2"]})))
    run(accepted(process(sample={"uniform": [0, "load + 1"]})))
    run(accepted(process("W", index=["user"], sample={"normal": {"mean": "noise", "std": 1e-14}})))


PROCESSES: dict[str, dict[str, Any]] = {
    "a bare AR(1)": {"ar1": {"mean": 0, "std": 1, "correlation": 0.5}},
    "an AR(1) around an expression": {
        "ar1": {"mean": "0.5", "std": 0.1, "correlation": 0.9, "per": "1 h"}
    },
    "a chain of three": {
        "markov": {"values": [0, 1, 2], "transition": [[0, 1, 0], [0, 0, 1], [1, 0, 0]]}
    },
    "a function of another process and the hour": {
        "expr": "load * (1 + 0.5 * sin(2 * pi * hour_of_day / '24 h'))"
    },
    "a forecast": {"forecast": {"of": "load", "lead": "'1 h'", "error": 0.1, "correlation": 0.5}},
    "a perfect forecast of now": {"forecast": {"of": "load", "lead": "'0 h'", "error": 0}},
    "a held draw": {"sample": {"uniform": [0, 1]}, "hold": "30 min"},
    "a clipped draw": {"sample": {"normal": {"std": 3}}, "bounds": [-1, 1]},
}


@pytest.mark.parametrize("kind", PROCESSES)
def test_every_kind_of_process_runs(kind: str) -> None:
    run(accepted(process(**PROCESSES[kind])))


def test_a_forecast_may_run_over_leads_and_grow_with_them() -> None:
    def forecast(document: dict[str, Any]) -> None:
        document["sets"]["lead"] = 4
        document["processes"]["probe"] = {
            "unit": "gCO2e/kWh",
            "index": ["zone", "lead"],
            "forecast": {
                "of": "intensity",
                "lead": "'1 h' * position(lead)",
                "error": "'20 gCO2e/kWh' * position(lead)",
                "correlation": 0.9,
            },
        }

    run(accepted(edited(forecast)))


DECISIONS: dict[str, dict[str, Any]] = {
    "box": {"unit": "W", "box": [-1, 1]},
    "log": {"unit": "W", "log": [0.001, 10]},
    "integer": {"unit": "1", "integer": [0, 7]},
    "simplex": {"unit": "1", "index": ["zone"], "simplex": "zone"},
    "simplex of many": {"index": ["user", "zone"], "simplex": "zone", "scale": 6},
    "indexed box": {"unit": "kW", "index": ["user", "zone"], "box": [0, 1]},
}


@pytest.mark.parametrize("kind", DECISIONS)
def test_every_kind_of_decision_runs(kind: str) -> None:
    def decide(document: dict[str, Any]) -> None:
        item = DECISIONS[kind]
        document["decisions"]["probe"] = item
        value = "1 / 2" if "simplex" in item else f"'1 {item['unit']}'"
        document["heuristics"]["full_power"]["decisions"]["probe"] = value

    run(accepted(edited(decide)))


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "last"])
def test_every_reduction_of_a_metric_runs(reduce: str) -> None:
    run(accepted(changed("metrics.delivered.reduce", reduce)))


def test_a_terminal_stock_is_priced_with_a_potential() -> None:
    worth = "(capacity / 2 - stored) * '400 gCO2e/kWh'"
    run(accepted(changed("states.stored.terminal", {"cost": f"max({worth}, '0 gCO2e')"})))
    terminal = {"cost": f"max({worth}, '0 gCO2e')", "potential": worth}
    run(accepted(changed("states.stored.terminal", terminal)))


def test_a_one_shot_problem_without_states_constraints_or_heuristics_runs() -> None:
    def one_shot(document: dict[str, Any]) -> None:
        document["time"] = {"step": "1 s", "horizon": 1, "discount": 0}
        for section in ("states", "constraints", "heuristics", "splits", "provenance"):
            del document[section]
        document["processes"]["intensity"].pop("hold")
        del document["observe"]["stored"]

    run(accepted(edited(one_shot)))


VARIANTS: dict[str, tuple[str, Any]] = {
    "a quantity string as a value": ("parameters.bandwidth.value", "0.01 GHz"),
    "one number for a whole index": ("parameters.weight.value", 0.5),
    "a quantity for a whole index": ("parameters.weight.value", "50 percent"),
    "a number of seconds as the step": ("time.step", 900),
    "a unit written as the number 1": ("processes.load.unit", 1),
    "a declared index": ("equations.rate.index", ["user"]),
    "an equation that is a comparison": ("equations.probe", {"unit": "1", "expr": "load > 0.5"}),
    "a control problem": ("meta.control", True),
    "sources": ("meta.sources", ["a paper", "a standard"]),
    "provenance in lists": ("provenance", {"retrieved": ["a", {"b": 1}], "changed": None}),
    "a constraint that is scalar": (
        "constraints.cap",
        {"unit": "W", "expr": "sum(power, user) - '2 W'", "penalty": 0.1},
    ),
    "a penalty of 0": ("constraints.rate_met.penalty", 0),
    "an observation of the hour": (
        "observe.hour",
        {"unit": "1", "expr": "sin(2 * pi * hour_of_day / '24 h')", "linear": [-1, 1]},
    ),
    "an observed sampled parameter": (
        "observe.need",
        {"unit": "Mbit/s", "expr": "demand", "log": [1, 5]},
    ),
    "a second heuristic that is a function of the state": (
        "heuristics.threshold",
        {
            "decisions": {
                "power": "clip(demand / '5 Mbit/s' * '1 W', '0.01 W', '1 W')",
                "charge": "where(mean(intensity, zone) < '250 gCO2e/kWh', '50 W', '-50 W')",
                "share": "demand / sum(demand, user)",
            }
        },
    ),
    "a shifted parameter": ("splits.ood.parameters", {"bandwidth": {"value": 5}}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_of_the_page_is_accepted(variant: str) -> None:
    run(accepted(changed(*VARIANTS[variant])))


def test_every_split_of_a_problem_runs() -> None:
    problem = accepted(BASE_TEXT)
    for split in ("train", "validation", "test", "ood"):
        environment = envs.make_vector(problem, num_envs=2, split=split, seed=0)
        observation, _ = environment.reset(seed=0)
        assert np.isfinite(observation).all()


def test_a_redundant_equation_changes_nothing_but_the_digest() -> None:
    plain, more = accepted(BASE_TEXT), accepted(equation("load + 1"))
    assert plain.digest != more.digest
    rewards = []
    for problem in (plain, more):
        environment = envs.make_vector(problem, num_envs=2, split="train", seed=0)
        environment.reset(seed=0)
        action = np.zeros((2, environment.single_action_space.shape[0]), dtype=np.float32)
        rewards.append(environment.step(action)[1])
    assert np.array_equal(*rewards)


def test_the_page_lists_the_codes_that_the_corpus_allows() -> None:
    page = LANGUAGE.read_text(encoding="utf-8")
    listed = re.search(r"Codes: `([^`]+)`", page)
    assert listed is not None
    assert set(listed[1].split()) == CODES


def test_the_parser_is_given_no_state_by_a_refusal() -> None:
    digest = accepted(BASE_TEXT).digest
    with pytest.raises(envs.SpecError):
        envs.parse(equation("nonsense"))
    assert accepted(BASE_TEXT).digest == digest
