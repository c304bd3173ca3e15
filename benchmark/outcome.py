"""What became of a run, as a sweep and the exit code see it."""

from dataclasses import dataclass

from benchmark.complaints import HYDRA_ERRORS, translate
from benchmark.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, BenchmarkError, Busy


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        status: ``done``, ``already done``, ``elsewhere`` (another process is at it), ``failed`` or
            ``interrupted``.
        message: One line for a person: the score, or what went wrong.
        code: The exit code it stands for.
    """

    status: str
    message: str
    code: int = EXIT_OK


def of_exception(error: Exception) -> Outcome:
    """The outcome of a job that raised."""
    if isinstance(error, HYDRA_ERRORS):
        error = translate(error, "config", (), "python -m benchmark run --help")
    if isinstance(error, Busy):
        return Outcome("elsewhere", error.message, error.code)
    if isinstance(error, BenchmarkError):
        return Outcome("failed", error.message, error.code)
    return Outcome("failed", f"{type(error).__name__}: {error}", EXIT_FAILED)


def interrupted() -> Outcome:
    """The outcome of a job stopped by a signal."""
    return Outcome("interrupted", "interrupted", EXIT_INTERRUPTED)
