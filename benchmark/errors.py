"""What can go wrong that a person can put right, and the exit code each leaves."""

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_FAILED = 1
"""The program or the machine failed."""
EXIT_USAGE = 2
"""What was asked for cannot be done as it was written."""
EXIT_BUSY = 3
"""Another process is doing this now."""
EXIT_INTERRUPTED = 130
"""Stopped by a signal, as shells report it (128 + SIGINT)."""


class BenchmarkError(Exception):
    """A failure with one clear message and an exit code.

    Args:
        message: What was found, what was expected and what to do, for a person.
        code: The exit code of the program.
    """

    def __init__(self, message: str, code: int = EXIT_USAGE) -> None:
        """Keep message and code."""
        super().__init__(message)
        self.message = message
        self.code = code

    def __reduce__(self) -> tuple[type["BenchmarkError"], tuple[str, int]]:
        """Survive the way back from another process."""
        return BenchmarkError, (self.message, self.code)


class Busy(BenchmarkError):
    """Another process is at it.

    Args:
        message: At what.
    """

    def __init__(self, message: str) -> None:
        """Keep the message."""
        super().__init__(message, EXIT_BUSY)

    def __reduce__(self) -> tuple[type["Busy"], tuple[str]]:  # type: ignore[override]
        """Survive the way back from another process."""
        return Busy, (self.message,)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest known one.

    Args:
        kind: What is named, such as ``"agent"``.
        name: The name as it was written.
        known: The names there are.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ";"
    return f"unknown {kind} '{name}'{hint} known: {', '.join(names) if names else 'none'}"
