"""Which files a trace may be read from, and how much of them.

A spec may come from a stranger. What it names is looked up below its own folder and below the data
folder, and nowhere else: no absolute path, no ``..``, no link that leads out, no other kinds of
file. A path that the user gives (an override) is the user's own and may lie anywhere. No message
ever repeats what a file holds.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from envs.spec.diagnostics import Finding, shorten

MAX_BYTES = 32 * 1024 * 1024
"""Of a file, and of what it unpacks to."""

MAX_ROWS = 200_000
MAX_COLUMNS = 256
_LONGEST_LINE = 20_000
_ENDINGS = (".csv", ".epw", ".json")
SUFFIXES = (*_ENDINGS, *(f"{ending}.gz" for ending in _ENDINGS), ".zip")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+ -]{0,199}")


def data_folder() -> Path:
    """Where downloaded traces lie: ``LOWCARBON_DATA``, or a folder of the user's own."""
    given = os.environ.get("LOWCARBON_DATA")
    if given:
        return Path(given)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "lowcarbon-bench"


@dataclass(frozen=True)
class Access:
    """What the traces of one document may read.

    Attributes:
        folder: The document's own folder, if it has one.
        granted: Pairs of process and file that the user named, not the document: from where the
            user is, or in the data folder.
    """

    folder: Path | None = None
    granted: frozenset[tuple[str, str]] = frozenset()
    _read: dict[Path, bytes] = field(default_factory=dict, repr=False, compare=False)

    def read(self, process: str, file: str) -> bytes:
        """The unpacked content of the file that the trace of a process names.

        Raises:
            Finding: ``bad-trace``: it may not be read, or cannot be.
        """
        if (process, file) in self.granted:
            path = Path(file)
            if not path.is_absolute() and not _is_file(path):
                path = data_folder() / path
        else:
            path = below(file, [folder for folder in (self.folder, data_folder()) if folder])
        if path not in self._read:
            self._read[path] = read_file(path)
        return self._read[path]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except ValueError:  # A NUL in it.
        return False


def below(file: str, folders: Iterable[Path]) -> Path:
    """The file of a relative name below one of some folders.

    Raises:
        Finding: ``bad-trace``.
    """
    parts = file.split("/")
    if not all(_PART.fullmatch(part) for part in parts) or not file.lower().endswith(SUFFIXES):
        raise Finding(
            "bad-trace",
            f"a name below the spec's own folder or the data folder, ending in "
            f"{', '.join(SUFFIXES)}",
            f"'{shorten(file)}'",
            "put the file beside the spec and name it by letters, digits, '.', '_' and '-'; "
            "a path elsewhere is given by the user, as an override",
        )
    for folder in folders:
        try:
            root = folder.resolve(strict=True)
            path = root.joinpath(*parts).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if path.is_relative_to(root):
            return path
    raise Finding(
        "bad-trace",
        "a file below the spec's own folder or the data folder",
        f"'{shorten(file)}', which is not there",
        "put it there; python -m benchmark data list shows what can be downloaded",
    )


def read_file(path: Path) -> bytes:
    """The bytes of a regular file, unpacked if it is gzip or zip; within the budget.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    name = shorten(path.name)
    try:
        # Not to wait for the other end of a pipe: it is refused, being no regular file.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Finding("bad-trace", "a file", f"'{name}', which is none", "mend the path")
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no valid path"
        raise Finding(
            "bad-trace", "a readable file", f"'{name}': {reason}", "mend the path"
        ) from None
    if len(data) <= MAX_BYTES:
        try:
            data = _unpacked(data)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, ValueError):
            raise Finding(
                "bad-trace",
                "a whole gzip or zip file",
                f"'{name}', which is damaged",
                "fetch it again",
            ) from None
    if len(data) > MAX_BYTES:
        expected = f"a file of at most {MAX_BYTES} bytes, unpacked"
        raise Finding("budget", expected, "a larger one", "cut it to the years that are needed")
    return data


def _unpacked(data: bytes) -> bytes:
    """What is in a gzip file, or the one series in a zip file, up to one byte over the budget."""
    if data[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as unpacked:
            return unpacked.read(MAX_BYTES + 1)
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            known = [name for name in archive.namelist() if name.lower().endswith(_ENDINGS)]
            if len(known) != 1:
                raise Finding(
                    "bad-trace",
                    f"a zip with one file ending in {', '.join(_ENDINGS)}",
                    f"one with {len(known)}",
                    "unpack it and name the file",
                )
            try:
                with archive.open(known[0]) as member:
                    return member.read(MAX_BYTES + 1)
            except RuntimeError:  # It wants a password.
                raise zipfile.BadZipFile from None
    return data


def table_rows(data: bytes) -> Iterator[list[str]]:
    """Rows of a comma-separated table that are not empty.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    text = data.decode("utf-8-sig", errors="replace")
    lines = text.split("\n", MAX_ROWS + 100)
    if len(lines) > MAX_ROWS + 100 or max(map(len, lines)) > _LONGEST_LINE:
        raise Finding(
            "budget",
            f"at most {MAX_ROWS} rows of {_LONGEST_LINE} characters",
            "a larger file",
            "cut it to the years that are needed",
        )
    try:
        for row in csv.reader(line.removesuffix("\r") for line in lines):
            if row:
                yield row[:MAX_COLUMNS]
    except csv.Error:
        raise Finding(
            "bad-trace", "comma-separated rows", "another file", "mend the file"
        ) from None
