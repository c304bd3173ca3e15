"""Trackers: they are told what happens, and can neither hold up nor end a run."""

import queue
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from benchmark.errors import BenchmarkError, unknown


class Tracker(Protocol):
    """Where the figures of a run are sent as they come."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Send a row of the learning curve."""
        ...

    def finish(self, result: Mapping[str, Any]) -> None:
        """Send the result, and let go."""
        ...


class NoTracker:
    """Tells nobody."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Drop the row."""

    def finish(self, result: Mapping[str, Any]) -> None:
        """Drop the result."""


class WandbTracker:
    """Weights & Biases, in a thread of its own.

    The run hands rows over and goes on; the first failure is told once and silences the tracker.
    """

    def __init__(
        self, settings: Mapping[str, Any], name: str, config: Mapping[str, Any], root: Path
    ) -> None:
        """Begin a run there.

        Args:
            settings: Values of ``conf/tracking/wandb.yaml``.
            name: Of the run.
            config: The resolved config.
            root: The results folder; offline runs lie in its ``wandb``.
        """
        self._patience_s = float(settings["finish_s"])
        self._calls: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._run: Any = None
        self._calls.put(lambda: self._begin(settings, name, config, root))
        self._thread = threading.Thread(target=self._work, name="wandb", daemon=True)
        self._thread.start()

    def log(self, row: Mapping[str, Any]) -> None:
        """Hand a row over."""
        values = dict(row)
        self._calls.put(lambda: self._run.log(values, step=values["env_steps"]))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Hand the result over, and wait for the tracker, but not for long."""
        values = {key: value for key, value in result.items() if not isinstance(value, list)}

        def end() -> None:
            self._run.summary.update(values)
            self._run.finish(exit_code=0 if result["status"] == "done" else 1)

        self._calls.put(end)
        self._calls.put(None)
        self._thread.join(self._patience_s)
        if self._thread.is_alive():
            _warn(f"W&B did not finish within {self._patience_s:g} s; it was left behind")

    def _begin(
        self, settings: Mapping[str, Any], name: str, config: Mapping[str, Any], root: Path
    ) -> None:
        import wandb

        root.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=settings["project"],
            entity=settings["entity"],
            mode=settings["mode"],
            name=name,
            config=dict(config),
            dir=str(root),
            reinit="create_new",
            settings=wandb.Settings(console="off", silent=True, disable_git=True),
        )

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except BaseException as error:
                _warn(f"W&B is left out from here on: {type(error).__name__}: {error}")
                return


def make_tracker(
    settings: Mapping[str, Any], name: str, config: Mapping[str, Any], root: Path
) -> Tracker:
    """The tracker that ``conf/tracking`` asks for."""
    if settings["name"] == "none":
        return NoTracker()
    if settings["name"] == "wandb":
        return WandbTracker(settings, name, config, root)
    raise BenchmarkError(unknown("tracker", str(settings["name"]), ("none", "wandb")))


def _warn(message: str) -> None:
    print(f"benchmark: {message}", file=sys.stderr, flush=True)
