"""A process may follow a recording; the days of the recording are dealt out to the splits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import envs
from envs.simulation import sample_scenarios
from envs.traces import read_sessions
from envs.traces.days import starting_days
from tests.language import tiny
from tests.structure.project import ROOT
from tests.traces import files

KWH = 3.6e6
MANY = np.arange(400)
CI: dict[str, Any] = {"unit": "gCO2e/kWh", "trace": {"file": "ci.csv"}}


def of_zones(**trace: Any) -> dict[str, Any]:
    return {"unit": "gCO2e/kWh", "index": ["zone"], "trace": trace}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files.write(tmp_path / "ci.csv", files.carbon(files.carbon_of_days(60)))
    return tmp_path


def load(folder: Path, changes: Any = None, **sections: Any) -> envs.Problem:
    path = folder / "spec.yaml"
    sections = {"processes": {"ci": CI}, **sections}
    path.write_text(json.dumps(tiny.document(**sections)), encoding="utf-8")
    return envs.load(path, changes)


def refused(folder: Path, changes: Any = None, **sections: Any) -> envs.Diagnostic:
    with pytest.raises(envs.SpecError) as caught:
        load(folder, changes, **sections)
    return caught.value.diagnostics[0]


def seen(problem: envs.Problem, split: str, name: str = "ci", of: Any = MANY) -> Any:
    """Values in the declared unit, ``(steps, scenario, *index)``."""
    return np.round(sample_scenarios(problem, split, of).paths[name] * KWH, 6)


def days_of(values: Any) -> set[int]:
    return set(np.floor(values).astype(int).ravel().tolist())


def test_a_path_is_a_day_of_the_file_hour_by_hour(folder: Path) -> None:
    values = seen(load(folder), "train")
    hours = np.round((values - np.floor(values)) * 100)
    assert np.array_equal(hours, np.repeat(np.arange(4.0)[:, None], len(MANY), axis=1))
    assert np.array_equal(np.floor(values[0]), np.floor(values[-1]))


def test_splits_share_no_day_and_each_has_all_seasons(folder: Path) -> None:
    problem = load(folder)
    days = {split: days_of(seen(problem, split)) for split in ("train", "validation", "test")}
    assert not days["train"] & days["validation"]
    assert not days["train"] & days["test"]
    assert not days["validation"] & days["test"]
    assert sum(map(len, days.values())) == 60
    assert len(days["train"]) == 44
    assert days_of(seen(problem, "ood")) == days["test"]


@pytest.mark.parametrize("needed", [1, 2, 3, 9])
@pytest.mark.parametrize("days", [54, 60, 181, 365])
def test_no_episode_reaches_into_the_days_of_another_split(days: int, needed: int) -> None:
    starts = starting_days(days, needed)
    used = {
        split: {d + ahead for d in starts[split].tolist() for ahead in range(needed)}
        for split in ("train", "validation", "test")
    }
    assert all(len(starts[split]) for split in used)
    assert max(max(d) for d in used.values()) < days
    assert not used["train"] & used["validation"]
    assert not used["train"] & used["test"]
    assert not used["validation"] & used["test"]


def test_a_forecast_sees_the_recording_ahead(folder: Path) -> None:
    forecast = {
        "unit": "gCO2e/kWh",
        "forecast": {"of": "ci", "lead": "'30 h'", "error": 0},
    }
    problem = load(folder, processes={"ci": CI, "ahead": forecast})
    now, ahead = (seen(problem, "test", name)[:4] for name in ("ci", "ahead"))
    assert np.allclose(np.floor(ahead), np.floor(now) + 1)
    assert np.allclose(ahead - np.floor(ahead), now - np.floor(now) + 0.06)
    assert not days_of(seen(problem, "train", "ahead")) & days_of(ahead)


def test_a_scenario_is_the_same_alone_and_in_company(folder: Path) -> None:
    problem = load(folder)
    together = seen(problem, "test")
    assert np.array_equal(seen(problem, "test", of=np.array([7])), together[:, [7]])


def test_a_trace_moves_no_other_draw(folder: Path) -> None:
    other = {"unit": "1", "sample": {"uniform": [0, 1]}}
    plain = {"unit": "gCO2e/kWh", "sample": {"uniform": [0, 1]}}
    with_trace = load(folder, processes={"ci": CI, "other": other})
    without = load(folder, processes={"ci": plain, "other": other})
    a, b = (sample_scenarios(p, "train", MANY).paths["other"] for p in (with_trace, without))
    assert np.array_equal(a, b)


def test_each_label_may_have_its_file_and_all_go_together(folder: Path) -> None:
    other = files.carbon(1000 + files.carbon_of_days(60))
    files.write(folder / "gb.csv.gz", other)
    sets = {"zone": ["DE", "GB"]}
    by_label = of_zones(file={"DE": "ci.csv", "GB": "gb.csv.gz"})
    values = seen(load(folder, sets=sets, processes={"ci": by_label}), "train")
    assert values.shape == (4, len(MANY), 2)
    assert np.allclose(values[..., 1], values[..., 0] + 1000)
    by_column = of_zones(file="ci.csv", column={"DE": "life_cycle", "GB": "direct"})
    values = seen(load(folder, sets=sets, processes={"ci": by_column}), "train")
    assert np.allclose(values[..., 1], values[..., 0] / 2)
    one = seen(load(folder, sets=sets, processes={"ci": of_zones(file="ci.csv")}), "train")
    assert np.array_equal(one[..., 0], one[..., 1])
    found = refused(folder, sets=sets, processes={"ci": of_zones(file={"DE": "ci.csv"})})
    assert (found.code, found.path) == ("bad-trace", "processes.ci")
    assert "GB" in found.actual


def test_recordings_of_one_problem_go_together_by_day_of_the_year(folder: Path) -> None:
    late = files.carbon(1000 + files.carbon_of_days(60), start="2020-01-11")
    files.write(folder / "late.csv", late)
    processes = {"ci": CI, "late": {**CI, "trace": {"file": "late.csv"}}}
    drawn = sample_scenarios(load(folder, processes=processes), "train", MANY).paths
    # Its first day is 11 January: the tenth day of the other.
    assert np.allclose(drawn["late"] * KWH, drawn["ci"] * KWH + 1000 - 10)


def test_a_file_in_utc_is_read_on_the_clock_of_the_problem(folder: Path) -> None:
    stated = {**CI, "trace": {"file": "ci.csv", "utc_offset": "1 h"}}
    values = seen(load(folder, processes={"ci": stated}), "train")
    assert np.allclose(values[0] - np.floor(values[0]), 0.23)
    assert np.allclose(values[1] - np.floor(values[1]), 0.0)
    clock = {"step": "1 h", "horizon": 4, "start": "00:00", "discount": 0.9, "utc_offset": "1 h"}
    assert np.array_equal(seen(load(folder, time=clock), "train"), values)
    # It acts through traces alone, so that it changes no problem without one.
    none = {"processes": {"ci": None}}
    assert load(folder, time=clock, **none).digest == load(folder, **none).digest
    assert load(folder, time=clock).digest != load(folder).digest


def test_the_start_of_the_day_and_the_step_are_kept(folder: Path) -> None:
    clock = {"step": "30 min", "horizon": 3, "start": "08:00", "discount": 0.9}
    values = seen(load(folder, time=clock), "train")
    part = values - np.floor(values)
    assert np.allclose(part[:, 0], [0.08, 0.08, 0.09])


@pytest.mark.parametrize(("step", "code"), [("7 min", "bad-trace"), ("0.5 s", "bad-trace")])
def test_a_step_that_does_not_divide_the_day_is_refused(folder: Path, step: str, code: str) -> None:
    clock = {"step": step, "horizon": 4, "start": "00:00", "discount": 0.9}
    assert refused(folder, time=clock).code == code


def test_bounds_clip_and_are_what_is_proven_with(folder: Path) -> None:
    bounded = {**CI, "bounds": [110, 120]}
    problem = load(folder, processes={"ci": bounded})
    values = seen(problem, "train")
    assert (values.min(), values.max()) == (pytest.approx(110), pytest.approx(120))
    low, high = problem.compiled().named["ci"][0].interval
    assert (low * KWH, high * KWH) == (pytest.approx(110), pytest.approx(120))
    low, high = load(folder).compiled().named["ci"][0].interval
    assert (low * KWH, high * KWH) == (pytest.approx(100), pytest.approx(159.23))


def test_a_file_too_short_for_disjoint_splits_is_refused(folder: Path) -> None:
    files.write(folder / "ci.csv", files.carbon(files.carbon_of_days(5)))
    found = refused(folder)
    assert (found.code, found.path) == ("bad-trace", "processes.ci.trace")
    assert "6 whole days" in found.expected
    assert found.actual.startswith("5 days")
    files.write(folder / "ci.csv", files.carbon(files.carbon_of_days(6)))
    assert len(days_of(seen(load(folder), "test"))) == 1


def test_another_dimension_is_refused_and_temperatures_are_kelvin_or_plain_numbers(
    folder: Path,
) -> None:
    assert refused(folder, processes={"ci": {**CI, "unit": "W"}}).code == "unit-mismatch"
    mild = np.full(240, 20.0)
    files.write(folder / "site.epw", files.weather(mild, mild + 30))
    wet = {"unit": "K", "trace": {"file": "site.epw", "column": "dry_bulb"}}
    processes = {"ci": None, "kelvin": wet, "celsius": {**wet, "unit": "1"}}
    drawn = sample_scenarios(load(folder, processes=processes), "train", MANY).paths
    assert np.allclose(drawn["kelvin"], 293.15)
    assert np.allclose(drawn["celsius"], 20)


def test_the_content_of_the_file_names_the_problem_and_its_place_does_not(folder: Path) -> None:
    before = load(folder)
    (folder / "sub").mkdir()
    files.write(folder / "sub" / "moved.csv.gz", files.carbon(files.carbon_of_days(60)))
    moved = {**CI, "trace": {"file": "sub/moved.csv.gz"}}
    after = load(folder, processes={"ci": moved})
    assert (after.digest, after.objective_digest) == (before.digest, before.objective_digest)
    values = files.carbon_of_days(60)
    values[700] += 1
    files.write(folder / "ci.csv", files.carbon(values))
    changed = load(folder)
    assert changed.digest != before.digest
    assert load(folder, processes={"ci": {**CI, "bounds": [0, 500]}}).digest != changed.digest


def test_a_stated_digest_is_held_to(folder: Path) -> None:
    problem = load(folder)
    digest = problem.compiled().spec.processes["ci"].trace.sha256
    stated = {**CI, "trace": {"file": "ci.csv", "sha256": digest}}
    assert load(folder, processes={"ci": stated}).digest == problem.digest
    stated["trace"]["sha256"] = "0" * 64
    assert "another" in refused(folder, processes={"ci": stated}).actual


def test_the_shifted_split_may_follow_another_file(folder: Path) -> None:
    files.write(folder / "ood.csv", files.carbon(1000 + files.carbon_of_days(60)))
    shift = {"ood": {"processes": {"ci": {"trace": {"file": "ood.csv"}}}}}
    problem = load(folder, splits=shift)
    assert seen(problem, "ood").min() > 1000
    assert seen(problem, "test").max() < 1000
    digest = problem.digest
    files.write(folder / "ood.csv", files.carbon(1001 + files.carbon_of_days(60)))
    assert load(folder, splits=shift).digest != digest


def test_a_process_follows_a_file_by_an_override(folder: Path) -> None:
    made = {"unit": "gCO2e/kWh", "sample": {"uniform": [0, 1]}, "hold": "2 h", "bounds": [0, 1]}
    path = str(folder / "ci.csv")
    for change in (path, {"file": path}, {"file": path, "column": "life_cycle"}):
        problem = load(folder, {"processes": {"ci": {"trace": change}}}, processes={"ci": made})
        assert seen(problem, "train").min() >= 100
    bounded = {"trace": path, "bounds": [0, 110]}
    problem = load(folder, {"processes": {"ci": bounded}}, processes={"ci": made})
    assert seen(problem, "train").max() == 110
    zones = {**made, "index": ["zone"]}
    by_label = {"DE": path, "GB": path}
    sections = {"sets": {"zone": ["DE", "GB"]}, "processes": {"ci": zones}}
    problem = load(folder, {"processes": {"ci": {"trace": by_label}}}, **sections)
    assert seen(problem, "train").shape == (4, len(MANY), 2)


def test_an_override_is_found_where_the_user_is_or_in_the_data_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"unit": "gCO2e/kWh", "sample": {"uniform": [0, 1]}}
    change = {"processes": {"ci": {"trace": "ci.csv"}}}
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("LOWCARBON_DATA", str(folder / "elsewhere"))
    assert refused(folder, change, processes={"ci": made}).code == "bad-trace"
    monkeypatch.setenv("LOWCARBON_DATA", str(folder))
    in_data = load(folder, change, processes={"ci": made})
    monkeypatch.setenv("LOWCARBON_DATA", str(folder / "elsewhere"))
    monkeypatch.chdir(folder)
    assert load(folder, change, processes={"ci": made}).digest == in_data.digest


def test_the_intensity_of_offload_follows_a_file(folder: Path) -> None:
    change = {"processes": {"ci": {"trace": str(folder / "ci.csv")}}}
    problem = envs.load("offload", change)
    assert problem.digest != envs.load("offload").digest
    env = envs.make_vector(problem, 3, split="test")
    env.reset(seed=0)
    _, rewards, *_ = env.step(np.zeros(env.action_space.shape, dtype=np.float32))
    assert np.isfinite(rewards).all()


def test_the_rows_of_a_session_file_fill_the_tables_of_a_spec(tmp_path: Path) -> None:
    rows = [
        (
            f"2019-05-03 08:00:{i % 60:02}",
            f"2019-05-03 {9 + i % 9:02}:00:{i % 60:02}",
            9,
            10.0 + i % 9,
        )
        for i in range(1000)
    ]
    sessions = read_sessions(files.write(tmp_path / "acn.csv", files.sessions(rows)))
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    (sections,) = (yaml.safe_load(block) for block in blocks if "stay_of" in block)
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(tiny.document(**sections)), encoding="utf-8")
    tables = {"stay_of": sessions.stay_h.tolist(), "energy_of": sessions.delivered_kwh.tolist()}
    names = ("stay", "energy")
    observed = {
        name: {"unit": unit, "expr": name, "linear": [0, 24]}
        for name, unit in zip(names, ("h", "kWh"), strict=True)
    }
    document = tiny.document(**sections, observe=observed)
    path.write_text(json.dumps(document), encoding="utf-8")
    env = envs.make_vector(envs.load(path, {"parameters": tables}), 50, seed=0)
    env.reset(seed=0)
    env.step(tiny.actions(env))
    shown = env.quantities(names)
    assert len(np.unique(shown["stay"])) > 3
    assert np.allclose(shown["energy"], shown["stay"] + 9)
