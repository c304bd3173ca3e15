"""How a sweep is coming on: a live table in a terminal, plain lines elsewhere.

It reads the files that jobs leave, and so does not care who runs them, or where.
"""

import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from benchmark.errors import EXIT_FAILED, EXIT_OK
from benchmark.progress import clock

LOOK_S = 1.0
"""Between two looks at the jobs' files."""

TALK_S = 60.0
"""Between two lines about the whole sweep, where no terminal looks on."""

SHOWN = 8
"""Running jobs that are shown by name."""

WELL = ("done", "already done")

Row = dict[str, Any]


class Board:
    """The jobs of one sweep, by their files."""

    def __init__(
        self,
        folder: Path,
        jobs: Sequence[Sequence[str]] | None,
        console: Console | None = None,
    ) -> None:
        """Nothing is shown yet.

        Args:
            folder: Where the jobs leave their files.
            jobs: The overrides of each job there will be; None when that is not known.
            console: Where to draw. Standard output as it is now: jobs of this process redirect it.
        """
        self._folder, self._total = folder, None if jobs is None else len(jobs)
        several = jobs is not None and len(jobs) > 1
        self._shared = set.intersection(*map(set, jobs or [()])) if several else set()
        self._console = console or Console(file=sys.stdout, highlight=False)
        self._begun = time.monotonic()
        self._rows: dict[str, Row] = {}
        self._ended: list[str] = []
        self._talked = self._begun
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="board", daemon=True)
        self._live: Live | None = None

    def start(self) -> None:
        """Show, until ``finish``."""
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                # Jobs of this process put files in their place, and take them away again.
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._thread.start()

    def finish(self, lost: str = "its process is gone") -> int:
        """Show the end.

        Args:
            lost: What is to be said of a job that did not say how it ended.

        Returns:
            The exit code: that of the first job that is not done.
        """
        self._stop.set()
        self._thread.join()
        self.look(lost)
        if self._live is not None:
            self._live.stop()
        rows = [self._rows[name] for name in sorted(self._rows)]
        bad = [row for row in rows if row["status"] not in WELL]
        missing = max((self._total or 0) - len(rows), 0)
        self._say(f"{len(rows) - len(bad)} of {len(rows) + missing} runs are done")
        for row in bad:
            self._say(f"  not done: {self._name(row)}: {row['message']}")
        if bad:
            self._say(f"  their logs are in {self._folder}; what is done is not run again")
        if missing:
            self._say(f"  never started: {missing}")
        code = next((row["code"] for row in bad), EXIT_FAILED if missing or not rows else EXIT_OK)
        return int(code)

    def look(self, lost: str | None = None) -> None:
        """Read the files, tell what has ended since the last time, and draw.

        Args:
            lost: Nobody runs any more: what is to be said of a job that says it does.
        """
        for path in sorted(self._folder.glob("*.json")):
            name = path.stem
            if name in self._ended:
                continue
            try:
                row: Row = json.loads(path.read_text())
            except (OSError, ValueError):
                continue  # looked at again next time
            if row["status"] == "running" and lost is not None:
                row |= {"status": "lost", "code": EXIT_FAILED, "message": lost}
            self._rows[name] = row
            if row["status"] != "running":
                self._ended.append(name)
                self._tell(row)
        if self._live is not None:
            self._live.update(self.table(), refresh=True)
        elif lost is None and self.left_s() != 0 and time.monotonic() - self._talked >= TALK_S:
            self._talked = time.monotonic()
            self._say(self.summary())

    def summary(self) -> str:
        """Done, running, failed, to come, and the time that is left."""
        ended = [self._rows[name] for name in self._ended]
        running = self._running()
        done = sum(row["status"] in WELL for row in ended)
        parts = [f"{done} of {self._total or '?'} done", f"{len(running)} running"]
        if len(ended) > done:
            parts.append(f"{len(ended) - done} failed")
        parts.append(f"{clock(time.monotonic() - self._begun)} elapsed")
        left = self.left_s()
        parts.append(f"ETA {'?' if left is None else clock(left)}")
        return ", ".join(parts)

    def left_s(self) -> float | None:
        """Seconds to the end, at the pace so far; None while there is none to tell it by."""
        if self._total is None:
            return None
        ended = [self._rows[name] for name in self._ended]
        # What was done before took no time and says nothing about the pace.
        worked = sum(row["status"] != "already done" for row in ended)
        under_way = sum(row["progress"] for row in self._running())
        left = self._total - len(ended) - under_way
        if left <= 0:
            return 0.0
        if worked + under_way == 0:
            return None
        return float((time.monotonic() - self._begun) / (worked + under_way) * left)

    def table(self) -> RenderableType:
        """What a terminal shows."""
        running = self._running()
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        grid.add_column(width=20)
        grid.add_column(justify="right", width=4)
        for row in running[:SHOWN]:
            share = float(row["progress"])
            bar = ProgressBar(total=1.0, completed=share, width=20)
            grid.add_row(Text(f"  {self._name(row)}"), bar, f"{share:.0%}")
        if len(running) > SHOWN:
            grid.add_row(f"  and {len(running) - SHOWN} more", "", "")
        return Group(Text(self.summary(), style="bold", overflow="ellipsis", no_wrap=True), grid)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_S):
            self.look()

    def _running(self) -> list[Row]:
        return [row for name, row in sorted(self._rows.items()) if name not in self._ended]

    def _tell(self, row: Row) -> None:
        mark = "ok    " if row["status"] in WELL else "FAILED"
        if row["status"] == "elsewhere":
            mark = "busy  "
        counted = f"{len(self._ended)}/{self._total or '?'}"
        self._say(f"{mark} {counted} {self._name(row)}: {row['message']}")

    def _name(self, row: Row) -> str:
        """What tells this job from the others."""
        own = [text for text in row["overrides"] if text not in self._shared]
        return " ".join(own or row["overrides"])

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)
