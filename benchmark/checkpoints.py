"""The checkpoints of a run: taken while it learns, found again when it was stopped."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import Checkpoint
from benchmark.store import write_json

Arrays = Mapping[str, NDArray[Any]]

KEPT = 2
"""Checkpoints on disk: should the last one not be whole, there is the one before it."""

REST = 50
"""A checkpoint that took a second is followed by none for this many: they cost 2 % at most."""

_ENV = "env-"


@dataclass(frozen=True)
class Saved:
    """A checkpoint that was found whole.

    Attributes:
        files: The agent's, and the environment's.
        harness: What the harness wrote down.
        env: The environment's moment.
    """

    files: tuple[str, ...]
    harness: Mapping[str, Any]
    env: Arrays


class Checkpoints:
    """A folder of files that are written once, and manifests that say which belong together.

    A checkpoint is there when its manifest is, which comes last and whole. A process killed while
    it writes leaves files that no manifest names, and the checkpoint before.

    Attributes:
        folder: Where they lie.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], interval_s: float) -> None:
        """Nothing is read or written yet.

        Args:
            folder: Of this run alone.
            identity: Of what a checkpoint may be taken up by: another one is as good as none.
            interval_s: Seconds between two checkpoints, at least; 0 takes every opportunity,
                whatever it costs.
        """
        self.folder = folder
        self._identity, self._interval_s = dict(identity), interval_s
        self._manifests: list[Path] = []
        """Those kept, in order; each names files that exist."""
        self._digests: dict[str, dict[str, Any]] = {}
        self._last, self._rest = time.monotonic(), 0.0
        self._warned = False

    def latest(self) -> Saved | None:
        """The newest checkpoint that is whole; everything else is cleared away."""
        found = sorted(self.folder.glob("manifest-*.json"), reverse=True)
        for manifest in found:
            saved = self._read(manifest)
            if saved is not None:
                self._manifests = [manifest]
                self._clear()
                return saved
        if found:
            print(
                "the checkpoints of an earlier attempt are damaged or of other versions of the "
                "packages; the run starts afresh",
                flush=True,
            )
        self._clear()
        return None

    def offer(
        self,
        write: Checkpoint,
        harness: Callable[[], Mapping[str, Any]],
        env: Callable[[], Arrays],
    ) -> None:
        """Take a checkpoint, unless it is too early for one.

        A disk that takes none is told once, and the run goes on.

        Args:
            write: Writes the agent's part.
            harness: Tells what the harness needs again, as JSON.
            env: Tells the environment's moment.
        """
        begun = time.monotonic()
        if begun - self._last < max(self._interval_s, self._rest):
            return
        try:
            self._write(write, harness(), env())
        except OSError as error:
            if not self._warned:
                print(f"benchmark: no checkpoint could be written: {error}", file=sys.stderr)
            self._warned = True
        self._last = time.monotonic()
        self._rest = REST * (self._last - begun) if self._interval_s > 0 else 0.0

    def _write(self, write: Checkpoint, harness: Mapping[str, Any], env: Arrays) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        number = self._number(self._manifests[-1]) + 1 if self._manifests else 1
        env_file = f"{_ENV}{number:08}.npz"
        with (self.folder / env_file).open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(env))
        names = [env_file, *write(self.folder)]
        for name in names:
            if name not in self._digests:
                self._digests[name] = _described(self.folder / name)
        manifest = self.folder / f"manifest-{number:08}.json"
        files = {name: self._digests[name] for name in names}
        write_json(manifest, {"identity": self._identity, "files": files, "harness": dict(harness)})
        self._manifests = [*self._manifests, manifest][-KEPT:]
        self._clear()

    def _read(self, manifest: Path) -> Saved | None:
        """The checkpoint of a manifest; None when it is not whole, or another run's."""
        try:
            value = json.loads(manifest.read_text())
            if value["identity"] != self._identity:
                return None
            for name, expected in value["files"].items():
                if _described(self.folder / name) != expected:
                    return None
            self._digests.update(value["files"])
            (env_file,) = (name for name in value["files"] if name.startswith(_ENV))
            with np.load(self.folder / env_file, allow_pickle=False) as arrays:
                env = dict(arrays)
            return Saved(tuple(value["files"]), value["harness"], env)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _clear(self) -> None:
        """Delete what no manifest that is kept names."""
        if not self.folder.is_dir():
            return
        named = {path.name for path in self._manifests}
        for manifest in self._manifests:
            named |= json.loads(manifest.read_text())["files"].keys()
        for path in self.folder.iterdir():
            if path.name not in named:
                path.unlink()
        self._digests = {name: value for name, value in self._digests.items() if name in named}

    @staticmethod
    def _number(manifest: Path) -> int:
        return int(manifest.stem.removeprefix("manifest-"))


def _described(path: Path) -> dict[str, Any]:
    """Size and digest of a file that is on the disk, not on its way there."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"bytes": path.stat().st_size, "sha256": digest}
