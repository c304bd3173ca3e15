"""The command line: which command, what it exits with, and no traceback for a mistake."""

import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

from benchmark.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    BenchmarkError,
    unknown,
)
from benchmark.neighbours import check_neighbours

Command = Callable[[Sequence[str]], int]

COMMANDS = {
    "run": ("benchmark.commands:run", "train and score an agent: run env=NAME agent=NAME"),
    "list": ("benchmark.catalogue:list_names", "problems and agents; --functions: the language's"),
    "check": ("benchmark.catalogue:check", "check a spec: check FILE [--deep]"),
    "formulate": ("benchmark.formulate:command", 'words to a spec: formulate "…" --out my.yaml'),
    "show": ("benchmark.show:show", "a problem as mathematics: show NAME|FILE [--out FILE.html]"),
    "formulate-eval": ("benchmark.formulations:formulate_eval", "judge recorded formulations"),
    "data": ("benchmark.data:data", "public traces: data list, data fetch NAME"),
    "kb": ("benchmark.knowledge:knowledge", "knowledge base: kb add|list|remove|search|eval"),
    "runs": ("benchmark.runs:runs", "what has been run: runs list, runs show RUN, runs clean"),
    "tune": ("benchmark.commands:tune", "search an agent's values: tune env=NAME agent=NAME"),
    "verify": ("benchmark.verify:verify", "evaluate a run's weights again: verify FOLDER"),
    "measure": (
        "benchmark.measure:measure",
        "energy of training, on an idle machine: measure RUN",
    ),
    "report": (
        "benchmark.report.command:report",
        "a page of what the runs show: report [DIR]",
    ),
    "oracle": ("benchmark.commands:oracle", "compute a problem's reference: oracle env=NAME"),
}
"""Name, where it is, and what it does. A new command is one line here."""

USAGE = "usage: python -m benchmark <command> …\n\n" + "\n".join(
    f"  {name:<{max(map(len, COMMANDS))}} {summary}" for name, (_, summary) in COMMANDS.items()
)


def main(arguments: Sequence[str]) -> int:
    """Run a command.

    Args:
        arguments: The command line after ``python -m benchmark``.

    Returns:
        The exit code: 0, 1 (failed), 2 (a mistake in what was asked), 130 (interrupted).
    """
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        return EXIT_OK if arguments else EXIT_USAGE
    name, *rest = arguments
    if name not in COMMANDS:
        return _complain(unknown("command", name, COMMANDS), EXIT_USAGE)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        check_neighbours()
        module, _, function = COMMANDS[name][0].partition(":")
        command: Command = getattr(importlib.import_module(module), function)
        return command(rest)
    except BenchmarkError as error:
        return _complain(error.message, error.code)
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone: `python -m benchmark list | head`.
        sys.stderr.close()
        return EXIT_OK


def _complain(message: str, code: int) -> int:
    print(f"benchmark: {message}", file=sys.stderr)
    return code


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """A scheduler's SIGTERM leaves what Ctrl-C leaves."""
    raise KeyboardInterrupt
