"""Trackers: they are told what happens, and can neither hold up nor end a run.

Each works in a process of its own, which is ended when the run's patience is: a thread would be
waited for by the libraries' own exit hooks, for minutes where a server accepts and never answers.
"""

import importlib.util
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from benchmark.errors import BenchmarkError, unknown

LABELS = {"wandb": "W&B", "tensorboard": "TensorBoard"}
"""The trackers there are, and what they are called in a warning."""

LEFT_OUT = "(left out)"
"""What stands in the place of a secret."""

_SECRET = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
_SHORTEST_SECRET = 8


class Tracker(Protocol):
    """Where the figures of a run are sent as they come."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Send a row of the learning curve."""
        ...

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Send the result and what lies in the run's folder, and let go."""
        ...


class NoTracker:
    """Tells nobody."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Drop the row."""

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Drop the result."""


class ProcessTracker:
    """A tracker in a process of its own, told everything as lines of JSON.

    A thread does the telling, since a process that hangs does not read either. What goes wrong is
    told once.
    """

    def __init__(self, begin: Mapping[str, Any]) -> None:
        """Start it.

        Args:
            begin: The first line; see ``benchmark.tracking_process``.
        """
        name = str(begin["settings"]["name"])
        self._label, self._patience_s = LABELS[name], float(begin["settings"]["finish_s"])
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._process: subprocess.Popen[str] | None = None
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmark.tracking_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the run, which then tells how it ended
            )
        except OSError as error:
            _warn(f"{self._label} is left out: {error}")
            return
        self._lines.put(dict(begin))
        self._thread = threading.Thread(target=self._tell, name=name, daemon=True)
        self._thread.start()

    def log(self, row: Mapping[str, Any]) -> None:
        """Hand a row over."""
        self._lines.put({"row": dict(row)})

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Hand the result over, and wait for the tracker, but not for long."""
        if self._process is None:
            return
        self._lines.put({"result": dict(result), "folder": str(folder)})
        self._lines.put(None)
        deadline = time.monotonic() + self._patience_s
        try:
            self._thread.join(self._patience_s)
            code = self._process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            _warn(f"{self._label} did not finish within {self._patience_s:g} s; it was ended")
        else:
            if code != 0:
                _warn(f"{self._label} was left out: {self._reason()}")
        finally:
            self._end()

    def _tell(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        with suppress(OSError, ValueError):  # it has ended, or was ended: told at the finish
            while (line := self._lines.get()) is not None:
                self._process.stdin.write(json.dumps(line) + "\n")
                self._process.stdin.flush()
            self._process.stdin.close()

    def _reason(self) -> str:
        self._end()  # or whatever it started would keep its output open
        assert self._process is not None and self._process.stdout is not None
        lines = self._process.stdout.read().strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def _end(self) -> None:
        """End the process and all it started."""
        assert self._process is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def make_tracker(
    settings: Mapping[str, Any], identity: Mapping[str, Any], config: Mapping[str, Any], root: Path
) -> Tracker:
    """The tracker that ``conf/tracking`` asks for.

    Args:
        settings: Values of ``conf/tracking/NAME.yaml``.
        identity: ``env``, ``agent``, ``seed`` and ``key`` of the run.
        config: The resolved config; what looks like a secret in it is not handed on.
        root: The results folder.

    Raises:
        BenchmarkError: There is no such tracker, or its extra is not installed.
    """
    name = str(settings["name"])
    if name == "none":
        return NoTracker()
    if name not in LABELS:
        raise BenchmarkError(unknown("tracker", name, ("none", *LABELS)))
    if importlib.util.find_spec(name) is None:
        raise BenchmarkError(
            f"tracking={name} needs {LABELS[name]}: pip install -c constraints.txt -e '.[{name}]'"
        )
    return ProcessTracker(
        {
            "settings": without_secrets(settings),
            "identity": dict(identity),
            "config": without_secrets(config),
            "root": str(root),
        }
    )


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config without what is a secret by its name, or by one in the environment."""
    secrets = [
        value
        for name, value in os.environ.items()
        if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET
    ]

    def cleaned(name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(key): cleaned(str(key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [cleaned(name, item) for item in value]
        if not isinstance(value, str):
            return value
        secret = _SECRET.search(name) or any(known in value for known in secrets)
        return LEFT_OUT if secret else value

    return {str(name): cleaned(str(name), value) for name, value in config.items()}


def _warn(message: str) -> None:
    print(f"benchmark: {message}", file=sys.stderr, flush=True)
