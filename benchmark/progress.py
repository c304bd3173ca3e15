"""A bar with the time left where a terminal looks on, and plain lines where none does."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINES = 10
"""Plain lines a stage prints at most, where no terminal looks on."""


class ProgressBar:
    """Progress of one stage of a run; a context manager.

    Attributes:
        note: A word beside the bar, such as the last validation figure.
    """

    def __init__(self, title: str, total: int, console: Console | None = None) -> None:
        """Begin a stage.

        Args:
            title: What is under way.
            total: When it is done, in steps.
            console: Where to draw; standard error by default.
        """
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._title, self._total = title, total
        self._started = time.monotonic()
        self._printed = 0
        self._begun_at = 0
        self.note = ""
        self._bar: Progress | None = None
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TaskProgressColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("ETA"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(title, total=total, note="")

    def __enter__(self) -> "ProgressBar":
        """Draw."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def begin_at(self, done: int) -> None:
        """Say how far an earlier attempt came: the time left is told from what is done here."""
        self._begun_at, self._started = done, time.monotonic()
        self._printed = done * LINES // self._total
        if self._bar is not None:
            self._bar.reset(self._task, total=self._total, completed=done, note=self.note)

    def update(self, done: int) -> None:
        """Say how far the stage is."""
        done = min(done, self._total)
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=self.note)
            return
        line = done * LINES // self._total
        if line > self._printed:
            self._printed = line
            print(self._line(done), file=self._console.file, flush=True)

    def _line(self, done: int) -> str:
        elapsed = time.monotonic() - self._started
        left = elapsed / max(done - self._begun_at, 1) * (self._total - done)
        text = f"{self._title}: {done / self._total:4.0%}, {done:,} of {self._total:,}"
        text += f", {clock(elapsed)} elapsed, ETA {clock(left)}"
        return f"{text}, {self.note}" if self.note else text


def clock(seconds: float) -> str:
    """Seconds as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
