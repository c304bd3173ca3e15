"""Whole runs: what they leave, that they are not repeated, and how they end."""

from __future__ import annotations

import csv
import json
import math

import pytest

from tests.harness.conftest import SMALL

RUN = ("run", "env=channels", "agent=closed", *SMALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("finished")


@pytest.fixture(scope="module")
def finished(bench, place):
    done = bench(*RUN, cwd=place)
    assert done.returncode == 0, done.stderr
    (folder,) = (place / "results" / "channels" / "closed").iterdir()
    return done, folder


def load(folder, name):
    return json.loads((folder / name).read_text())


def test_a_run_leaves_everything_it_promises(finished):
    _, folder = finished
    names = {entry.name for entry in folder.iterdir()}
    assert names == {
        "SHA256SUMS",
        "config.yaml",
        "emissions.json",
        "episodes.csv",
        "learning_curve.csv",
        "learning_curve.png",
        "manifest.json",
        "result.json",
        "selected",
        "status.json",
        "strategy.png",
        "variants.csv",
        "weights",
    }
    assert load(folder, "status.json")["status"] == "done"
    assert any((folder / "weights").iterdir())


def test_the_result_holds_the_agents_figures_and_those_of_every_row(finished):
    result = load(finished[1], "result.json")
    assert (result["status"], result["env"], result["agent"]) == ("done", "channels", "closed")
    for name in ("seed", "env_steps", "train_seconds", "carbon_g", "penalty_g", "violations"):
        assert result[name] is not None
    # The stub's closed form is 4 g; the agent is off by 0.025 in power at each of 4 steps.
    assert result["objective_g"] == pytest.approx(4.025, abs=0.002)
    random_g = result["reference_rows"]["random"]["objective_g"]
    expected = (random_g - result["objective_g"]) / (random_g - 4)
    assert result["score"] == pytest.approx(expected)
    assert 0.9 < result["gap_closed"] < 1
    rows = result["reference_rows"]
    assert {"random", "constant", "heuristic.follow_half", "heuristic.full", "oracle"} <= set(rows)
    for row in rows.values():
        assert {"objective_g", "carbon_g", "penalty_g", "score", "gap_closed"} <= set(row)


def test_energy_is_a_figure_with_a_method_or_null_with_a_reason(finished):
    result = load(finished[1], "result.json")
    if result["train_wh"] is None:
        assert result["train_gco2"] is None and result["energy_reason"]
    else:
        assert result["train_wh"] > 0 and result["energy_method"]
    assert load(finished[1], "emissions.json")["gpu_wh"] != 0


def test_every_held_out_scenario_has_a_row_and_their_mean_is_the_result(finished):
    with (finished[1] / "episodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["scenario"]) for row in rows] == list(range(5_000))
    mean = math.fsum(float(row["objective_g"]) for row in rows) / 5_000
    assert mean == pytest.approx(load(finished[1], "result.json")["objective_g"])


def test_the_manifest_says_where_the_result_comes_from(finished):
    manifest = load(finished[1], "manifest.json")
    assert manifest["versions"]["numpy"] and manifest["hardware"]["cores"]
    assert manifest["seeds"]["test_scenarios"] == [0, 5_000]
    assert manifest["digest"] and manifest["code_version"] and manifest["reward_scale_g"] > 0
    assert manifest["command"].startswith("python -m benchmark run env=channels agent=closed")


def test_the_table_stands_between_random_and_the_oracle(finished):
    lines = finished[0].stdout.splitlines()
    at = {
        name: next(i for i, line in enumerate(lines) if name in line)
        for name in ("random", "closed (seed 0)", "oracle (certified)")
    }
    assert at["random"] < at["closed (seed 0)"] < at["oracle (certified)"]
    assert "payback:" in finished[0].stdout and "training:" in finished[0].stdout
    assert "\x1b" not in finished[0].stdout + finished[0].stderr
    assert "ETA" in finished[0].stderr


def test_a_second_run_is_skipped_and_force_repeats_it(bench, place, finished, tmp_path):
    _, folder = finished
    before = (folder / "result.json").stat().st_mtime_ns
    again = bench(*RUN, cwd=place)
    assert again.returncode == 0
    assert f"already done: {folder.relative_to(place)}" in again.stdout
    assert (folder / "result.json").stat().st_mtime_ns == before
    log = tmp_path / "log"
    forced = bench(*RUN, "force=true", cwd=place, STUB_LOG=str(log))
    assert forced.returncode == 0 and "already done" not in forced.stdout
    assert (folder / "result.json").stat().st_mtime_ns != before
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]
    # Reference rows and the reward's scale came from the cache: training, validation and the
    # test split for the agent (its selected weights are its last) and the picture of the best
    # heuristic, and the shifted split for the agent are all that ran.
    used = log.read_text().split("\n")
    assert sum(line.startswith("test") for line in used) == 2
    assert sum(line.startswith("ood") for line in used) == 1
    assert sum(line.startswith("train") for line in used) == 1


def test_another_parameter_is_another_problem_without_a_reference(bench, tmp_path):
    done = bench(*RUN, "env.parameters.floor=2", "results=elsewhere", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "elsewhere" / "channels" / "closed").iterdir()
    result = load(folder, "result.json")
    assert result["score"] is None and result["gap_closed"] is None
    command = "python -m benchmark oracle env=channels"
    assert command in result["reasons"]["score"]
    assert "env.parameters.floor=2" in result["reasons"]["score"]
    assert not (tmp_path / "results").exists()


def test_ctrl_c_leaves_what_was_finished_and_exits_130(bench, tmp_path):
    done = bench("run", "env=channels", "agent=stopped", *SMALL, cwd=tmp_path)
    assert done.returncode == 130 and "Traceback" not in done.stderr
    (folder,) = (tmp_path / "results" / "channels" / "stopped").iterdir()
    assert folder.suffix == ".partial"
    assert load(folder, "status.json")["status"] == "interrupted"
    assert load(folder, "result.json")["status"] == "interrupted"
    assert load(folder, "manifest.json")["agent"] == "stopped"
    assert len((folder / "learning_curve.csv").read_text().splitlines()) > 1
    assert any((folder / "weights").iterdir())


def test_a_killed_run_is_not_taken_for_a_finished_one(bench, tmp_path):
    done = bench("run", "env=channels", "agent=killed", *SMALL, cwd=tmp_path)
    assert done.returncode == -9
    (folder,) = (tmp_path / "results" / "channels" / "killed").iterdir()
    assert folder.suffix == ".partial"
    assert load(folder, "status.json")["status"] == "running"


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_failing_job_stops_no_other_and_the_exit_code_says_so(bench, tmp_path, launcher):
    options = ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    done = bench(
        "run",
        "-m",
        f"hydra/launcher={launcher}",
        *options,
        "env=channels",
        "agent=crash,closed",
        "seed=range(0,2)",
        *SMALL,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "2 of 4 runs are done" in done.stdout
    assert done.stdout.count("FAILED") == 2 and "Traceback" not in done.stderr
    assert len(list(tmp_path.glob("results/channels/closed/*/result.json"))) == 2
    failed = list(tmp_path.glob("results/channels/crash/*.partial"))
    assert len(failed) == 2
    assert "the loss is not finite" in (failed[0] / "error.txt").read_text()
    assert load(failed[0], "result.json")["status"] == "failed"
