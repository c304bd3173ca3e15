"""A sweep's board, and how the cores of a machine are shared out."""

from __future__ import annotations

import io
import os
from pathlib import Path

import joblib
import pytest
from omegaconf import OmegaConf
from rich.console import Console

from benchmark import sweep
from benchmark.board import Board
from benchmark.errors import EXIT_BUSY, EXIT_FAILED, EXIT_OK
from benchmark.store import write_json


def job(folder: Path, number: int, status: str, agent: str, progress: float = 1.0, code: int = 0):
    row = {
        "overrides": ["env=channels", f"agent={agent}", "protocol=quick"],
        "status": status,
        "message": {"done": "J 4 g, score 0.9", "failed": "the loss is not finite"}.get(status, ""),
        "code": code,
        "progress": progress,
    }
    write_json(folder / f"{number:05}.json", row)


def board(folder: Path, total: int | None, terminal: bool = False) -> tuple[Board, io.StringIO]:
    output = io.StringIO()
    console = Console(file=output, width=80, force_terminal=terminal, highlight=False)
    common = ["env=channels", "protocol=quick"]
    jobs = None if total is None else [[*common, f"agent={n}"] for n in range(total)]
    return Board(folder, jobs, console), output


def test_each_job_that_ends_is_one_plain_line_where_no_terminal_looks_on(tmp_path):
    shown, output = board(tmp_path, 3)
    job(tmp_path, 0, "running", "gdm", 0.2)
    job(tmp_path, 1, "failed", "ppo", code=EXIT_FAILED)
    shown.look()
    job(tmp_path, 0, "done", "gdm")
    shown.look()
    shown.look()
    assert output.getvalue().splitlines() == [
        "FAILED 1/3 agent=ppo: the loss is not finite",
        "ok     2/3 agent=gdm: J 4 g, score 0.9",
    ]


def test_the_summary_counts_done_running_failed_and_tells_the_time_left(tmp_path):
    shown, _ = board(tmp_path, 4)
    assert shown.left_s() is None
    job(tmp_path, 0, "done", "gdm")
    job(tmp_path, 1, "failed", "ppo", code=EXIT_FAILED)
    job(tmp_path, 2, "running", "sac", 0.5)
    shown.look()
    assert shown.summary().startswith("1 of 4 done, 1 running, 1 failed, 0:00 elapsed, ETA ")
    assert shown.left_s() is not None


def test_what_was_done_before_does_not_make_the_pace_look_better(tmp_path):
    shown, _ = board(tmp_path, 100)
    for number in range(50):
        job(tmp_path, number, "already done", f"a{number}")
    shown.look()
    assert shown.left_s() is None


def test_the_table_fits_eighty_columns_however_long_the_names_are(tmp_path):
    shown, output = board(tmp_path, 40, terminal=True)
    for number in range(20):
        job(tmp_path, number, "running", "a" * 100 + str(number), 0.25)
    shown.look()
    console = Console(file=output, width=80)
    console.print(shown.table())
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("25%" in line for line in lines) == 8
    assert any("and 12 more" in line for line in lines)


def end(tmp_path: Path, total: int) -> tuple[int, str]:
    shown, output = board(tmp_path, total)
    shown.start()
    return shown.finish(), output.getvalue()


def test_a_job_whose_process_is_gone_and_one_that_never_started_are_failures(tmp_path):
    job(tmp_path, 0, "done", "gdm")
    job(tmp_path, 1, "running", "ppo", 0.5)
    code, text = end(tmp_path, 3)
    assert code == EXIT_FAILED
    assert "1 of 3 runs are done" in text
    assert "not done: agent=ppo: its process is gone" in text
    assert "never started: 1" in text


def test_a_sweep_that_is_done_exits_with_nothing_to_say_but_that(tmp_path):
    for number, status in enumerate(("done", "already done")):
        job(tmp_path, number, status, f"a{number}")
    code, text = end(tmp_path, 2)
    assert code == EXIT_OK
    assert text.splitlines()[-1] == "2 of 2 runs are done"


def test_a_run_that_another_process_is_at_is_not_called_a_failure(tmp_path):
    job(tmp_path, 0, "elsewhere", "gdm", code=EXIT_BUSY)
    code, text = end(tmp_path, 1)
    assert code == EXIT_BUSY and "FAILED" not in text and "busy" in text


def config(launcher: dict, threads: int = 1, task: list[str] | None = None, **hydra):
    tree = {
        "threads": threads,
        "hydra": {
            "launcher": launcher,
            "sweeper": {"_target_": "hydra._internal.BasicSweeper", "params": None, **hydra},
            "overrides": {"task": task or []},
        },
    }
    made = OmegaConf.create(tree)
    OmegaConf.set_readonly(made.hydra, True)
    return made


@pytest.mark.parametrize(
    ("cores", "threads", "asked", "given"),
    [(8, 1, 10, 8), (8, 1, 3, 3), (8, 3, 10, 2), (8, 1, -1, 8), (2, 4, 1, 1), (8, 2, None, 4)],
)
def test_jobs_times_threads_never_exceed_the_cores(monkeypatch, cores, threads, asked, given):
    monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
    for name in sweep.THREADS:
        monkeypatch.setenv(name, "7")
    made = config({"n_jobs": asked}, threads)
    sweep.share_cores(made)
    assert made.hydra.launcher.n_jobs == given
    assert {os.environ[name] for name in sweep.THREADS} == {str(threads)}


def test_a_launcher_that_counts_no_jobs_is_left_alone(monkeypatch):
    for name in sweep.THREADS:
        monkeypatch.setenv(name, "7")
    made = config({"timeout_min": 60})
    sweep.share_cores(made)
    assert dict(made.hydra.launcher) == {"timeout_min": 60}


@pytest.mark.parametrize(
    ("task", "count"),
    [
        (["env=a,b", "agent=c", "seed=range(0,10)"], 20),
        (["env=a"], 1),
        (["++env.parameters.x=1,2,3", 'note="a,b"'], 3),
    ],
)
def test_the_jobs_of_a_sweep_are_counted_before_it_begins(task, count):
    jobs = sweep.jobs_of(config({}, task=task))
    assert jobs is not None and len(jobs) == len(set(map(tuple, jobs))) == count


def test_with_another_sweeper_the_number_of_jobs_is_not_known():
    assert sweep.jobs_of(config({}, _target_="hydra_plugins.other.Sweeper")) is None
