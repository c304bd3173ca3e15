"""Sweeps: each job, whoever launches it, leaves its outcome in a file, to be told at the end."""

import json
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig
from rich.console import Console

from benchmark.errors import EXIT_FAILED, EXIT_OK
from benchmark.outcome import Outcome
from benchmark.store import mark_abandoned, write_json

_codes: list[int] = []
"""The exit codes of the sweep that ended last in this process."""


_roots: list[Path] = []
"""The results folder of the sweep under way in this process."""


class SweepReport(Callback):
    """Prints how each job of a sweep ended; Hydra calls it."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Remember where the runs of the sweep lie."""
        _roots.append(Path(str(config.results)))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Read the outcomes and tell them."""
        console = Console(highlight=False)
        rows = read(Path(str(config.hydra.sweep.dir)))
        failed = [row for row in rows if row["code"] != EXIT_OK]
        for row in rows:
            mark = "ok    " if row["code"] == EXIT_OK else "FAILED"
            console.print(
                f"{mark} {row['overrides']}: {row['message']}", markup=False, soft_wrap=True
            )
        console.print(f"{len(rows) - len(failed)} of {len(rows)} runs are done", markup=False)
        _codes.extend(row["code"] for row in rows)


def announce() -> None:
    """Say which job of a sweep begins."""
    hydra = HydraConfig.get()
    if hydra.mode == RunMode.MULTIRUN:
        overrides = " ".join(hydra.overrides.task)
        print(f"job {hydra.job.num}: {overrides}", flush=True)


def record(outcome: Outcome) -> None:
    """Leave the outcome of this job in the sweep's folder."""
    hydra = HydraConfig.get()
    row = {
        "job": hydra.job.num,
        "overrides": " ".join(hydra.overrides.task),
        "status": outcome.status,
        "message": outcome.message,
        "code": outcome.code,
    }
    write_json(Path(str(hydra.sweep.dir)) / "jobs" / f"{hydra.job.num:05d}.json", row)


def read(folder: Path) -> list[dict[str, Any]]:
    """The outcomes of a sweep's jobs, in order."""
    return [json.loads(path.read_text()) for path in sorted((folder / "jobs").glob("*.json"))]


def forget() -> None:
    """Begin a new sweep."""
    _codes.clear()
    _roots.clear()


def tidy() -> None:
    """After an interrupt: a launcher may have ended its workers before they could say so."""
    for root in _roots:
        mark_abandoned(root)


def exit_code() -> int:
    """The exit code of the sweep: 0 when every job is done, else that of the first failure."""
    return next((code for code in _codes if code != EXIT_OK), EXIT_OK if _codes else EXIT_FAILED)
