"""A test that hangs or eats the machine's memory fails; nobody has to notice and stop it."""

from __future__ import annotations

import faulthandler
import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LIMIT_S = 20
LIMIT_BYTES = 1 << 30


@contextmanager
def guarded(limit_s: int = LIMIT_S, limit_bytes: int = LIMIT_BYTES) -> Iterator[None]:
    """Fail what takes longer or asks for more memory.

    What does not even return to the interpreter in three times as long ends the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def alarm(*_: object) -> None:
        pytest.fail(f"still busy after {limit_s} s")

    handler = signal.signal(signal.SIGALRM, alarm)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + limit_bytes, hard))
    faulthandler.dump_traceback_later(3 * limit_s, exit=True)
    signal.alarm(limit_s)
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGALRM, handler)


def _address_space() -> int:
    """Bytes of address space this process has now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
