"""A designer's changes: checked like the spec itself, and without a change of anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import envs
from envs.simulation import sample_scenarios
from tests.language import tiny

SECTIONS: dict[str, Any] = {
    "sets": {"user": 3},
    "parameters": {
        "band": {"unit": "MHz", "value": 20},
        "slice": {"unit": "kHz", "value": 180},
        "weight": {"unit": "1", "index": ["user"], "value": [1, 2, 3]},
        "demand": {"unit": "Mbit/s", "sample": {"uniform": [1, 5]}, "bounds": [2, 4]},
        "part": {"unit": "MHz", "expr": "band / 3"},
    },
    "processes": {
        "gain": {
            "unit": "1",
            "index": ["user"],
            "sample": {"uniform": [1, 2]},
            "hold": "2 h",
            "bounds": [1.2, 1.8],
        },
        "load": {"unit": "kW", "ar1": {"mean": 5, "std": 1, "correlation": 0.5}},
    },
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(tiny.document(**SECTIONS)), encoding="utf-8")
    return path


def changed(spec: Path, section: str, name: str, change: Any) -> envs.Problem:
    return envs.load(spec, overrides={section: {name: change}})


def drawn(problem: envs.Problem, name: str) -> Any:
    scenarios = sample_scenarios(problem, "train", np.arange(50))
    return {**scenarios.parameters, **scenarios.paths}[name]


@pytest.mark.parametrize("name", ["band", "slice"])
@pytest.mark.parametrize("value", ["30 MHz", "0.03 GHz", "30000 kHz", "3e7 Hz"])
def test_a_quantity_fits_any_parameter_of_its_dimension(spec: Path, name: str, value: str) -> None:
    assert changed(spec, "parameters", name, value).constants[name] == pytest.approx(30e6)


def test_a_number_is_in_the_declared_unit(spec: Path) -> None:
    assert changed(spec, "parameters", "band", 30).constants["band"] == pytest.approx(30e6)
    assert changed(spec, "parameters", "slice", 30).constants["slice"] == pytest.approx(30e3)


def test_a_parameter_follows_what_it_is_made_of(spec: Path) -> None:
    assert changed(spec, "parameters", "band", "30 MHz").constants["part"] == pytest.approx(10e6)


def test_an_indexed_parameter_takes_one_value_or_one_for_each_element(spec: Path) -> None:
    assert changed(spec, "parameters", "weight", 7).constants["weight"].tolist() == [7, 7, 7]
    assert changed(spec, "parameters", "weight", [4, 5, 6]).constants["weight"].tolist() == [
        4,
        5,
        6,
    ]
    found = tiny.refusal(lambda: changed(spec, "parameters", "weight", [4, 5]))
    assert found == [("bad-shape", "parameters.weight")]


@pytest.mark.parametrize("value", ["30 kg", "30", "30 W"])
def test_a_wrong_unit_is_refused(spec: Path, value: str) -> None:
    found = tiny.refusal(lambda: changed(spec, "parameters", "band", value))
    assert found == [("unit-mismatch", "parameters.band")]


@pytest.mark.parametrize(
    ("section", "name", "nearest"),
    [
        ("parameters", "bnad", "band"),
        ("parameters", "bandwidth", "band"),
        ("processes", "gian", "gain"),
        ("processes", "Load", "load"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    spec: Path, section: str, name: str, nearest: str
) -> None:
    with pytest.raises(envs.SpecError) as caught:
        changed(spec, section, name, 1)
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.path) == ("unknown-name", f"{section}.{name}")
    assert f"'{nearest}'" in finding.hint


def test_an_unknown_section_is_refused_with_what_there_is(spec: Path) -> None:
    with pytest.raises(envs.SpecError) as caught:
        changed(spec, "parameter", "band", 1)
    assert "parameters" in caught.value.diagnostics[0].hint


def test_every_mistake_is_reported_at_once(spec: Path) -> None:
    mistakes = {"parameters": {"bnad": 1, "slcie": 2}, "processes": {"laod": 3}}
    assert len(tiny.refusal(lambda: envs.load(spec, overrides=mistakes))) == 3


def test_a_problem_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(envs.SpecError, match="'offload'"):
        envs.load("ofload")


def test_a_process_set_to_a_quantity_is_constant_in_time(spec: Path) -> None:
    assert np.all(drawn(changed(spec, "processes", "load", "7 W"), "load") == 7.0)
    assert np.all(drawn(changed(spec, "processes", "load", 7), "load") == 7000.0)


def test_what_is_said_outright_is_not_clipped(spec: Path) -> None:
    assert np.all(drawn(changed(spec, "processes", "gain", 5), "gain") == 5.0)
    problem = changed(spec, "parameters", "demand", "9 Mbit/s")
    assert problem.constants["demand"] == pytest.approx(9e6)


def test_another_distribution_keeps_bounds_and_uniforms(spec: Path) -> None:
    change = {"sample": {"uniform": [1, 3]}, "bounds": [0, 3]}
    wide = drawn(changed(spec, "processes", "gain", change), "gain")
    plain = drawn(changed(spec, "processes", "gain", {"sample": {"uniform": [1, 2]}}), "gain")
    inside = (plain > 1.2) & (plain < 1.8)
    np.testing.assert_allclose((wide[inside] - 1) / 2, plain[inside] - 1, rtol=1e-12)
    assert plain.min() == 1.2
    assert plain.max() == 1.8


def test_a_part_of_a_definition_may_change(spec: Path) -> None:
    held = drawn(envs.load(spec), "gain")
    assert np.array_equal(held[0], held[1])
    assert not np.array_equal(held[1], held[2])
    free = drawn(changed(spec, "processes", "gain", {"hold": "1 h"}), "gain")
    assert not np.array_equal(free[0], free[1])


def test_an_override_changes_the_digest_and_no_override_does_not(spec: Path) -> None:
    digest = envs.load(spec).digest
    assert envs.load(spec, overrides={}).digest == digest
    assert envs.load(spec, overrides={"parameters": {}, "processes": {}}).digest == digest
    assert changed(spec, "parameters", "band", 20).digest == digest
    assert changed(spec, "parameters", "band", "20 MHz").digest == digest
    assert changed(spec, "parameters", "band", 21).digest != digest


def test_an_override_reaches_the_shifted_split(spec: Path) -> None:
    document = tiny.document(**SECTIONS, splits={"ood": {"parameters": {"slice": {"value": 90}}}})
    spec.write_text(json.dumps(document), encoding="utf-8")
    problem = envs.load(spec, overrides={"parameters": {"band": 33, "slice": 45}})
    values = {
        split: {n: float(problem.compiled(split).named[n][0].value[0]) for n in ("band", "slice")}
        for split in ("train", "test", "ood")
    }
    assert values["train"] == values["test"] == {"band": 33e6, "slice": 45e3}
    assert values["ood"] == {"band": 33e6, "slice": 90e3}
