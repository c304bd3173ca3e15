"""Generators of the language give days like the recorded ones, by stated tolerances.

`FOLDER` names a folder with the real files for the tests that compare with them; without it they
are left out. Nothing of the files is part of the project.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import envs
from envs.simulation import sample_scenarios
from envs.traces import fitting
from scripts import fit_generators
from tests.language import tiny
from tests.structure.project import ROOT
from tests.traces import files

Array = NDArray[np.float64]

FITTED: dict[str, Any] = json.loads(fit_generators.FITTED.read_text(encoding="utf-8"))
FOLDER = os.environ.get("LOWCARBON_REAL_DATA")
SEASONS = tuple(fitting.SEASONS)
SEATTLE = "USA_WA_Seattle-Tacoma"
DAYS = np.arange(4000)
KWH = 3.6e6

needs_files = pytest.mark.skipif(
    FOLDER is None, reason="LOWCARBON_REAL_DATA names no folder with the publishers' files"
)


def offload_days(season: int) -> dict[str, Array]:
    """Paths of the generators of offload in one season, ``(slot, day, …)``."""
    only = {"season_now": {"sample": {"integers": [season, season]}}}
    drawn = sample_scenarios(envs.load("offload", {"parameters": only}), "train", DAYS)
    return {name: path[:288] for name, path in drawn.paths.items()}


def hourly(path: Array) -> Array:
    """Hourly means of five-minute slots, ``(day, 24)``."""
    return path.reshape(24, -1, path.shape[1]).mean(axis=1).T


def check_carbon(generated: dict[str, float], real: dict[str, float]) -> None:
    """What is promised of generated carbon intensity.

    The level, the spread and the daily wave are the recorded ones. Two levels fall a little short
    of what the cleanest hours really save, since real days change their shape in more ways.
    """
    assert generated["mean"] == pytest.approx(real["mean"], rel=0.03)
    assert generated["sd"] == pytest.approx(real["sd"], rel=0.08)
    amplitude = real["diurnal_amplitude"]
    assert generated["diurnal_amplitude"] == pytest.approx(amplitude, rel=0.1, abs=2)
    assert generated["correlation_1h"] == pytest.approx(real["correlation_1h"], abs=0.03)
    assert 0.82 < generated["cleanest_8h_saving"] / real["cleanest_8h_saving"] < 1.05
    assert generated["min"] >= real["min"] - 30
    assert generated["max"] <= real["max"] + 130


@pytest.mark.parametrize("season", range(4), ids=SEASONS)
def test_the_intensity_and_sky_of_offload_are_like_the_recorded_ones(season: int) -> None:
    paths = offload_days(season)
    for place, zone in enumerate(("DE", "GB")):
        real = FITTED["carbon_intensity"][zone][SEASONS[season]]["statistics"]
        days = hourly(paths["ci"][..., place] * KWH)
        check_carbon(fitting.statistics(days), real)
        # Offload keeps Central European time in both zones.
        peak = FITTED["carbon_intensity"][zone][SEASONS[season]]["model"]["peak_24h"] + place
        late = fitting.harmonic(days.mean(axis=0), 1)[1] - peak
        assert abs((late + 12) % 24 - 12) < 0.25
    clear = 250 * 1.098 * paths["sun"] * np.exp(-0.057 / paths["sun"])
    clearness = paths["pv"].sum(axis=0) / clear.sum(axis=0)
    sky = FITTED["clearness"][SEATTLE][SEASONS[season]]["model"]
    assert clearness.mean() == pytest.approx(sky["mean"], abs=0.05)
    assert clearness.std() == pytest.approx(sky["sd"], abs=0.04)


def documented(name: str) -> dict[str, Any]:
    """The example of docs/data.md that defines a process."""
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        sections = yaml.safe_load(block)
        if name in sections.get("processes", {}):
            return dict(sections)
    raise AssertionError(f"docs/data.md shows no {name}")


def days_of(name: str) -> Array:
    """Days of a documented generator, ``(day, 24)``."""
    time = {"step": "1 h", "horizon": 24, "start": "00:00", "discount": 0.9}
    problem = tiny.problem(time=time, **documented(name))
    return sample_scenarios(problem, "train", DAYS).paths[name].T


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("air_wet_bulb", FITTED["wet_bulb"][SEATTLE]["summer"]["statistics"]),
        ("load", FITTED["load"]["GoogleClusteData_CPU_Data_Hourly_1"]["statistics"]),
    ],
)
def test_a_documented_generator_is_like_the_recorded_series(
    name: str, real: dict[str, float]
) -> None:
    made = fitting.statistics(days_of(name))
    for what in ("mean", "sd", "diurnal_amplitude"):
        assert made[what] == pytest.approx(real[what], rel=0.08), what
    assert made["correlation_1h"] == pytest.approx(real["correlation_1h"], abs=0.03)
    assert made["min"] >= real["min"] - 0.35 * (real["max"] - real["min"])
    assert made["max"] <= real["max"] + 0.35 * (real["max"] - real["min"])


def test_documented_sessions_are_like_the_recorded_ones() -> None:
    kind = FITTED["sessions"]["acn_jpl_2019-05_2019-08"]["weekday"]
    parameters = documented("plugged")["parameters"]
    assert parameters["stay"]["sample"]["gamma"]["shape"] == pytest.approx(
        kind["stay_h_gamma"][0], abs=0.005
    )
    assert parameters["energy"]["sample"]["gamma"]["shape"] == pytest.approx(
        kind["energy_kwh_gamma"][0], abs=0.005
    )
    problem = tiny.problem(**documented("plugged"))
    drawn = sample_scenarios(problem, "train", DAYS).parameters
    stay, energy = drawn["stay"] / 3600, drawn["energy"] / KWH
    for values, (shape, scale) in (
        (stay, kind["stay_h_gamma"]),
        (energy, kind["energy_kwh_gamma"]),
    ):
        assert values.mean() == pytest.approx(shape * scale, rel=0.05)
        assert values.std() == pytest.approx(np.sqrt(shape) * scale, rel=0.08)


def test_the_tables_of_the_page_are_those_of_the_file() -> None:
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    for table in fit_generators.tables(FITTED).split("\n\n"):
        assert table in text, "paste what scripts/fit_generators.py prints"


def test_two_levels_are_found_again_in_what_they_generate() -> None:
    rng, days = np.random.default_rng(0), 3000
    level, factor = 80 * rng.standard_normal(days), 1 + 0.5 * rng.standard_normal(days)
    shape = fitting.wave(60, 20, 1) + fitting.wave(30, 7, 2)
    noise = 10 * rng.standard_normal((days, 24))
    made = 300 + level[:, None] + factor[:, None] * shape + noise
    found = fitting.fit_two_levels(made, np.arange(days) > 0)
    expected = {
        "mean": 300,
        "amplitude_24h": 60,
        "peak_24h": 20,
        "amplitude_12h": 30,
        "peak_12h": 7,
        "day_sd": 80,
        "shape_sd": 0.5,
        "hour_sd": 10,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=0.06), name
    assert abs(found["day_correlation"]) < 0.06
    assert abs(found["hour_correlation"]) < 0.12


def test_a_folder_is_fitted_by_what_lies_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, hours = np.random.default_rng(0), np.arange(365 * 24)
    made = 300 + 50 * np.cos(2 * np.pi * (hours + 0.5 - 20) / 24) + rng.standard_normal(len(hours))
    files.write(tmp_path / "ci.csv.gz", files.carbon(made, zone="GB"))
    warm = 15 + 5 * np.cos(2 * np.pi * (hours + 0.5 - 15) / 24)
    light = fitting.clear_sky(47.444, -122.314, -8.0)[0].ravel()
    sky = rng.uniform(0.3, 0.9, 365)
    files.write(
        tmp_path / "site.epw",
        files.weather(warm, np.full(len(hours), 60.0), light * np.repeat(sky, 24)),
    )
    day = [f"2019-05-{1 + i % 28:02}" for i in range(200)]
    arrivals = [
        (f"{d} 08:0{i % 10}:00", f"{d} 1{i % 9}:00:00", 9, 5.0 + i % 7) for i, d in enumerate(day)
    ]
    files.write(tmp_path / "acn.csv", files.sessions(arrivals))
    files.write(tmp_path / "load.csv", files.plain(np.tile(rng.uniform(0.2, 0.8, 168), 5)))
    files.write(tmp_path / "broken.csv", "a,b\n1,x\n")
    found = fit_generators.rounded(fit_generators.fit_folder(tmp_path))
    assert "broken.csv: left out" in capsys.readouterr().out
    zone = {season: part["model"] for season, part in found["carbon_intensity"]["GB"].items()}
    assert zone["summer"]["amplitude_24h"] == pytest.approx(50, rel=0.01)
    assert zone["winter"]["peak_24h"] == pytest.approx(20, abs=0.05)
    spring = found["clearness"]["site"]["spring"]["model"]
    assert spring["mean"] == pytest.approx(sky[59:151].mean(), abs=1e-3)
    assert found["wet_bulb"]["site"]["autumn"]["model"]["peak_24h"] == pytest.approx(15, abs=0.1)
    assert found["sessions"]["acn"]["weekday"]["arrivals_per_hour"][8] > 5
    assert found["load"]["load"]["repeats"] == "every 168 h"
    assert fit_generators.tables(found)


@needs_files
def test_the_committed_figures_are_those_of_the_files() -> None:
    assert FOLDER is not None
    assert fit_generators.rounded(fit_generators.fit_folder(Path(FOLDER))) == FITTED


@needs_files
def test_generated_days_are_like_those_of_the_files_themselves() -> None:
    assert FOLDER is not None
    paths = {p.name.split("_")[0]: p for p in Path(FOLDER).rglob("*_2023_hourly.csv*")}
    for place, (zone, start) in enumerate((("DE", "DE-LU"), ("GB", "GB"))):
        change = {"ci": {"trace": str(paths[start])}}
        # All days of the file, as the language reads them, on offload's clock.
        problem = envs.load("offload", {"processes": change})
        plan = next(p for p in problem.compiled().processes if p.name == "ci")
        assert plan.recording is not None
        days = hourly(plan.recording.values[:, 0].reshape(-1, 288).T * KWH)
        parts = fitting.by_season(days, plan.recording.first_day)
        for season, name in enumerate(SEASONS):
            made = fitting.statistics(hourly(offload_days(season)["ci"][..., place] * KWH))
            check_carbon(made, fitting.statistics(*parts[name]))
            assert zone in FITTED["carbon_intensity"]
