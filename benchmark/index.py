"""What runs there are: read from their folders each time.

There is no index file. The folders are the truth, ten thousand of them are read in seconds, and
what is not written cannot be torn by two writers or tell of a run that is gone.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmark.store import CHECKPOINTS, LOCKS, PARTIAL, held

_NAME = re.compile(r"seed(\d+)-([0-9a-f]{12})(\.partial|\.old)?")

NOT_PROBLEMS = ("sweeps", "references", "wandb")
"""Folders of the results that hold no runs; those that begin with a dot do not either."""

DONE, RUNNING, INTERRUPTED, FAILED, DAMAGED, LEFTOVER = STATUSES = (
    "done",
    "running",
    "interrupted",
    "failed",
    "damaged",
    "leftover",
)
"""A leftover is the older run that a repeated one has replaced."""


@dataclass(frozen=True)
class Entry:
    """A run as its folder tells it.

    Attributes:
        folder: Where it lies.
        env: Its problem.
        agent: Its agent.
        seed: Its seed.
        key: The first twelve digits of its key.
        status: One of ``STATUSES``.
        message: Why, where it is neither done nor running.
        time: When it said so last; None when it never did.
        progress: How much of it is done, from 0 to 1.
        result: What ``result.json`` holds of a finished run.
    """

    folder: Path
    env: str
    agent: str
    seed: int
    key: str
    status: str
    message: str | None = None
    time: datetime | None = None
    progress: float = 0.0
    result: dict[str, Any] | None = None

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return any((self.folder / CHECKPOINTS).glob("manifest-*.json"))


def entries(root: Path) -> Iterator[Entry]:
    """Every run under the results folder, by problem, agent, seed and key."""
    for env in _folders(root):
        if env.name in NOT_PROBLEMS:
            continue
        for agent in _folders(env):
            found = [(path, _NAME.fullmatch(path.name)) for path in _folders(agent)]
            names = {path.name for path, _ in found}
            for folder, match in found:
                if match is None:
                    continue
                entry = _entry(root, folder, match)
                final = folder.with_name(folder.name.removesuffix(PARTIAL))
                if entry.status != DAMAGED or folder.is_dir():
                    yield entry
                elif final.name not in names and final.is_dir():
                    # It was finished between one look and the next.
                    yield _entry(root, final, match)


def entry(folder: Path) -> Entry | None:
    """Reads one run folder, its neighbours untouched.

    Args:
        folder: `ROOT/PROBLEM/AGENT/seedN-KEY`, links resolved.

    Returns:
        The run; None where the name is not that of a run's folder.
    """
    match = _NAME.fullmatch(folder.name)
    if match is None or len(folder.parents) < 3 or not folder.is_dir():
        return None
    return _entry(folder.parents[2], folder, match)


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as found:
            # Not `e.is_dir()`: on a link that may not be followed it raises.
            names = sorted(e.name for e in found if e.name[0] != "." and os.path.isdir(e))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [place / name for name in names]


def _entry(root: Path, folder: Path, match: re.Match[str]) -> Entry:
    about: dict[str, Any] = {
        "folder": folder,
        "env": folder.parent.parent.name,
        "agent": folder.parent.name,
        "seed": int(match[1]),
        "key": match[2],
    }
    if folder.suffix == ".old":
        return Entry(**about, status=LEFTOVER, message="replaced by a repeated run")
    try:
        status = _read(folder / "status.json")
        time = datetime.fromisoformat(str(status["time"])).astimezone(UTC)
        about |= {"time": time, "progress": float(status.get("progress", 0.0))}
        if folder.suffix == PARTIAL:
            return Entry(**about, **_unfinished(status, root))
        result = _read(folder / "result.json")
        if result.get("status") != DONE:
            return Entry(
                **about, status=DAMAGED, message="result.json is not that of a finished run"
            )
        return Entry(**about, status=DONE, result=result)
    except (OSError, ValueError, KeyError, TypeError) as error:
        if folder.suffix == PARTIAL and any(map(held, locks(root, match[2]))):
            return Entry(**about, status=RUNNING)  # it has not come to say so yet
        message = f"{type(error).__name__}: {error}"
        return Entry(**{"time": None, **about}, status=DAMAGED, message=message)


def locks(root: Path, key: str) -> list[Path]:
    """The lock of a key, of which the first digits are enough."""
    return sorted((root / LOCKS).glob(f"{key}*"))


def _unfinished(status: dict[str, Any], root: Path) -> dict[str, Any]:
    if held(root / LOCKS / Path(str(status["lock"])).name):
        return {"status": RUNNING}
    if status["status"] == FAILED:
        return {"status": FAILED, "message": status["message"]}
    # "running" without a process: it was killed before it could say anything.
    gone = "its process is gone" if status["status"] == RUNNING else status["message"]
    return {"status": INTERRUPTED, "message": gone}


def _read(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text())
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no object")
    return value
