"""Whole runs as processes: killed, started twice, and looked at by others."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.errors import EXIT_BUSY
from benchmark.index import DAMAGED, DONE, INTERRUPTED, RUNNING, entries
from tests.structure.project import ROOT

SMALL = (
    "env=channels",
    "protocol=quick",
    "protocol.env_steps=2560",
    "protocol.reference_env_steps=2048",
    "protocol.reward_scale_scenarios=64",
    "protocol.validation_scenarios=32",
    "protocol.test_scenarios=64",
    "protocol.num_envs=64",
    "checkpoint_s=0",
)
DOOMED = (
    "agent=mlp",
    "agent.warmup=256",
    "agent.width=32",
    "agent._target_=tests.resume.doomed.Doomed",
)
PATIENT = ("agent=random", "agent._target_=tests.resume.doomed.Patient")


def start(*arguments: str, cwd: Path, **changes: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **changes}
    return subprocess.Popen(
        [sys.executable, "-m", "benchmark", "run", *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str, cwd: Path, **changes: str) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd, **changes)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def only(results: Path) -> Path:
    (folder,) = results.glob("*/*/seed*")
    return folder


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "learning_curve.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def test_killed_while_it_writes_a_checkpoint_a_run_ends_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    code, _, errors = run(*DOOMED, *SMALL, "results=whole", cwd=tmp_path)
    assert code == 0, errors
    code, _, _ = run(*DOOMED, *SMALL, "results=killed", cwd=tmp_path, DOOMED="1")
    assert code == -9
    (entry,) = entries(tmp_path / "killed")
    assert entry.status == INTERRUPTED and entry.resumable
    code, out, errors = run(*DOOMED, *SMALL, "results=killed", cwd=tmp_path)
    assert code == 0, errors
    assert "going on from step 128" in out  # the second checkpoint: the third is torn
    whole, killed = only(tmp_path / "whole"), only(tmp_path / "killed")
    selected = "selected/weights/weights.safetensors"
    for name in ("episodes.csv", "variants.csv", "weights/weights.safetensors", selected):
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name
    assert curve(whole) == curve(killed)
    assert {path.name for path in whole.iterdir()} == {path.name for path in killed.iterdir()}
    one, other = (json.loads((f / "result.json").read_text()) for f in (whole, killed))
    assert (one["resumptions"], other["resumptions"]) == (0, 1)
    for name in ("objective_g", "variants", "score", "gap_closed", "gradient_steps"):
        assert one[name] == other[name], name


def test_of_two_processes_that_start_the_same_run_one_runs_and_one_says_so(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    both = [start(*PATIENT, *SMALL, cwd=tmp_path, GATE=str(gate)) for _ in range(2)]
    # Neither can end before the gate is there, but the one that is not to run.
    while all(process.poll() is None for process in both):
        for process in both:
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
    turned_away = next(process for process in both if process.poll() is not None)
    (running,) = (process for process in both if process is not turned_away)
    _, errors = turned_away.communicate(timeout=60)
    assert turned_away.returncode == EXIT_BUSY
    assert "another process is running this now" in errors and "Traceback" not in errors
    (entry,) = entries(tmp_path / "results")
    assert entry.status == RUNNING

    # An agent without checkpoints that is killed is run again, from the beginning.
    running.kill()
    running.communicate(timeout=60)
    (entry,) = entries(tmp_path / "results")
    assert entry.status == INTERRUPTED and not entry.resumable
    gate.touch()
    code, out, errors = run(*PATIENT, *SMALL, cwd=tmp_path, GATE=str(gate))
    assert code == 0 and "going on" not in out, errors
    assert [entry.status for entry in entries(tmp_path / "results")] == [DONE]


WRITER = """
import sys
from pathlib import Path
from benchmark.store import RunFolder, digest, write_json
for number in range(20):
    key = digest([sys.argv[1], number])
    folder = RunFolder(Path("results"), "channels", sys.argv[1], number, key)
    with folder.claimed():
        folder.begin()
        folder.advance(0.5)
        write_json(folder.work / "result.json", {"status": "done", "objective_g": 1.0})
        folder.finish()
"""


def test_the_list_of_runs_is_right_while_others_write(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=tmp_path, env=environment)
        for name in ("one", "other")
    ]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = list(entries(tmp_path / "results"))
        assert not [entry for entry in found if entry.status == DAMAGED], found
        done = {entry.folder for entry in found if entry.status == DONE}
        assert len(done) >= seen  # what is finished stays in the list
        seen = len(done)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert [entry.status for entry in entries(tmp_path / "results")] == [DONE] * 40


@pytest.mark.slow
def test_a_sweep_killed_three_times_has_the_scores_of_one_left_alone() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/kill_and_resume.py", "--agents", "gdm,mlp,ppo,sac,td3"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("identical") == 10
