"""Who keeps the machine busy: this process, or others."""

import os
import time
from dataclasses import dataclass

import psutil

BUSY = ("user", "nice", "system", "irq", "softirq", "steal")
"""Of the machine's processor time; what another guest of the same host takes counts too."""


@dataclass(frozen=True)
class Load:
    """Processor time over a stretch of time.

    Attributes:
        seconds: How long the stretch was.
        own_s: Processor time of this process and of its children that ended.
        busy_s: Processor time of everything on the machine.
        cores: Of the machine.
    """

    seconds: float
    own_s: float
    busy_s: float
    cores: int

    @property
    def own_share(self) -> float | None:
        """This process's share of the busy time; None when next to nothing was busy."""
        return min(self.own_s / self.busy_s, 1.0) if self.busy_s > 0.1 else None

    @property
    def others(self) -> float:
        """How much of the whole machine others kept busy, from 0 to 1."""
        if self.seconds <= 0:
            return 0.0
        return min(max(self.busy_s - self.own_s, 0.0) / (self.seconds * self.cores), 1.0)


class LoadMeter:
    """Starts with its construction."""

    def __init__(self) -> None:
        """Take the counters as they stand."""
        self._started = time.monotonic()
        self._own, self._busy = _own_s(), _busy_s()

    def read(self) -> Load:
        """The load since the start."""
        seconds = time.monotonic() - self._started
        own, busy = _own_s() - self._own, _busy_s() - self._busy
        # The two counters tick apart: nothing is busier than the machine it is on.
        return Load(seconds, own, max(busy, own), os.cpu_count() or 1)


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _busy_s() -> float:
    times = psutil.cpu_times()
    return sum(float(getattr(times, name, 0.0)) for name in BUSY)
