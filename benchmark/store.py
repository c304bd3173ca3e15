"""Files that are whole or absent, and folders that are finished or marked as not."""

import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from benchmark.errors import Busy

PARTIAL = ".partial"
"""Suffix of a run folder that is not finished."""

LOCKS = ".locks"
"""Where in the results the locks lie, a file for each key."""

CHECKPOINTS = "checkpoints"
"""Where in an unfinished run folder its checkpoints lie; a finished one needs none."""

SELECTED = "selected"
"""Where in a run folder the weights lie that the validation scenarios selected."""

_GLANCES, _GLANCE_S = 10, 0.02
"""Who looks whether a run is under way holds its lock for an instant: not every refusal counts."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically; a value that is not a number must be None, not NaN."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of one length atomically; None leaves a field empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(path, buffer.getvalue())


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def locked(path: Path, busy: str | None = None) -> Iterator[None]:
    """Hold an exclusive lock, which ends with the process at the latest.

    Args:
        path: The lock file; it is left behind, empty.
        busy: What to say when another process holds it; None waits instead.

    Raises:
        Busy: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("w") as file:
            _acquire(file, busy)
            if _is_still(path, file):
                yield
                return


def held(path: Path) -> bool:
    """Whether some process holds a lock."""
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _acquire(file: IO[str], busy: str | None) -> None:
    if busy is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    for glance in range(_GLANCES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if glance == _GLANCES - 1:
                raise Busy(busy) from error
            time.sleep(_GLANCE_S)


def _is_still(path: Path, file: IO[str]) -> bool:
    """Whether a lock file that was waited for has not been deleted in the meantime."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


class RunFolder:
    """The folder of one key: ``<root>/<problem>/<agent>/seed<seed>-<key>``.

    While a run is under way, and after it has failed or was interrupted, its folder ends in
    ``.partial`` and ``status.json`` says how it stands. A folder without that suffix is finished. A
    repeated run replaces the finished folder only when it is finished itself.

    Attributes:
        final: Where a finished run lies.
        work: Where an unfinished one lies.
    """

    def __init__(self, root: Path, problem: str, agent: str, seed: int, key: str) -> None:
        """Name the folder; nothing is written."""
        self.final = root / problem / agent / f"seed{seed}-{key[:12]}"
        self.work = self.final.with_name(self.final.name + PARTIAL)
        self._old = self.final.with_name(self.final.name + ".old")
        self._lock = root / LOCKS / key[:24]
        self._progress = 0.0

    def result(self) -> dict[str, Any] | None:
        """The result of the finished run, or None."""
        try:
            value = json.loads((self.final / "result.json").read_text())
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None
        return value if isinstance(value, dict) and value.get("status") == "done" else None

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder against other processes."""
        with locked(self._lock, busy=f"another process is running this now: {self.work}"):
            yield

    def begin(self, afresh: bool = False) -> None:
        """Start: of what an unfinished attempt left only checkpoints and selected weights stay.

        Args:
            afresh: Not even those.
        """
        if self._old.exists() and not self.final.exists():
            os.replace(self._old, self.final)  # stopped while it put one in place of the other
        self.work.mkdir(parents=True, exist_ok=True)
        for path in self.work.iterdir():
            if path.name in (CHECKPOINTS, SELECTED) and not afresh:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.status("running")

    def advance(self, progress: float) -> None:
        """Say how much of the run is done, from 0 to 1."""
        self._progress = progress
        self.status("running")

    def status(self, state: str, message: str | None = None, traceback: str | None = None) -> None:
        """Say how the run stands: running, done, interrupted or failed."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        value = {
            "status": state,
            "message": message,
            "traceback": traceback,
            "progress": round(self._progress, 4),
            "time": now,
            "pid": os.getpid(),
            "lock": self._lock.name,
        }
        write_json(self.work / "status.json", value)

    def finish(self) -> None:
        """Make the folder the finished one, in place of an older one if there is any."""
        self._progress = 1.0
        self.status("done")
        if self.final.exists():
            shutil.rmtree(self._old, ignore_errors=True)
            os.replace(self.final, self._old)
        os.replace(self.work, self.final)
        _sync_folder(self.final.parent)
        shutil.rmtree(self._old, ignore_errors=True)
        shutil.rmtree(self.final / CHECKPOINTS, ignore_errors=True)


def mark_abandoned(root: Path) -> None:
    """Say ``interrupted`` of every run under way whose process has gone without saying so."""
    for path in root.glob(f"*/*/*{PARTIAL}/status.json"):
        value = json.loads(path.read_text())
        if value["status"] != "running":
            continue
        with suppress(Busy), locked(root / LOCKS / value["lock"], busy="alive"):
            write_json(
                path, {**value, "status": "interrupted", "message": "stopped with its sweep"}
            )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
