"""Sweeps: each job, whoever launches it, leaves how it stands in a file that a board reads."""

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, read_write

from benchmark.board import Board
from benchmark.errors import EXIT_FAILED, EXIT_OK
from benchmark.outcome import Outcome
from benchmark.store import mark_abandoned, write_json

JOBS = "jobs"
"""The folder of a sweep in which each job has a file and a log."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")

_boards: list[tuple[Board, Path]] = []
"""The sweep under way in this process, and where its runs lie."""


class SweepBoard(Callback):
    """Shows how a sweep is coming on; Hydra calls it before it launches anything."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Share the cores out, and show the board."""
        share_cores(config)
        folder = Path(str(config.hydra.sweep.dir)) / JOBS
        board = Board(folder, jobs_of(config))
        _boards.append((board, Path(str(config.results))))
        board.start()


def share_cores(config: DictConfig) -> None:
    """Let no sweep on this machine use more threads than it has cores.

    The libraries that start threads of their own read their number from the environment, which
    every launcher hands on to its workers.
    """
    threads = max(int(config.threads), 1)
    for name in THREADS:
        os.environ[name] = str(threads)
    launcher = config.hydra.launcher
    if "n_jobs" not in launcher:
        return
    room = max(joblib.cpu_count() // threads, 1)
    asked = launcher.n_jobs
    if asked is None or not 0 < asked <= room:
        with read_write(launcher):
            launcher.n_jobs = room
        each = "" if threads == 1 else f" of {threads} threads each"
        print(f"{room} at a time{each}: there are {joblib.cpu_count()} cores", flush=True)


def jobs_of(config: DictConfig) -> list[list[str]] | None:
    """The overrides of each job; None with a sweeper that finds out as it goes."""
    if not str(config.hydra.sweeper._target_).endswith("BasicSweeper"):
        return None
    params = OmegaConf.to_container(config.hydra.sweeper)
    given = (params.get("params") if isinstance(params, dict) else None) or {}
    texts = [f"{name}={value}" for name, value in given.items()]
    texts += [str(text) for text in config.hydra.overrides.task]
    try:
        parsed = OverridesParser.create().parse_overrides(texts)
        jobs = BasicSweeper.split_arguments(parsed, None)[0]
    except HydraException:
        return None  # Hydra is about to tell it itself
    return [[text.lstrip("+") for text in job] for job in jobs]


@contextlib.contextmanager
def announced() -> Iterator[None]:
    """Around a job: it says that it runs, and what it prints goes into its log."""
    if not under_way():
        yield
        return
    _write("running", "", EXIT_OK, progress=0.0)
    log = _file(".log")
    with log.open("w", buffering=1) as file:
        with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
            yield


def advance(progress: float) -> None:
    """Say how much of this job is done, from 0 to 1."""
    if under_way():
        _write("running", "", EXIT_OK, progress=progress)


def record(outcome: Outcome) -> None:
    """Say how this job ended."""
    if under_way():
        _write(outcome.status, outcome.message, outcome.code, progress=1.0)


def end(interrupted: bool = False) -> int:
    """Take the board away, and tell how the sweep ended.

    Args:
        interrupted: A launcher may have ended its workers before they could say so.

    Returns:
        Its exit code: 0 when every job is done, else that of the first that is not.
    """
    if not _boards:
        return EXIT_FAILED
    board, root = _boards.pop()
    if not interrupted:
        return board.finish()
    mark_abandoned(root)
    return board.finish(lost="stopped; the same command goes on from its last checkpoint")


def under_way() -> bool:
    """Whether this process runs a job of a sweep."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def _write(status: str, message: str, code: int, progress: float) -> None:
    path = _file(".json")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    row = {
        "job": HydraConfig.get().job.num,
        "overrides": [text.lstrip("+") for text in HydraConfig.get().overrides.task],
        "status": status,
        "message": message,
        "code": code,
        "progress": round(progress, 4),
        "time": now,
        "pid": os.getpid(),
    }
    try:
        write_json(path, row)
    except OSError as error:  # how a job stands is worth less than the job
        print(f"benchmark: cannot write {path}: {error}", file=sys.stderr)


def _file(suffix: str) -> Path:
    hydra = HydraConfig.get()
    folder = Path(str(hydra.sweep.dir)) / JOBS
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hydra.job.num:05d}{suffix}"
