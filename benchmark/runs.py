"""``runs list``, ``runs show`` and ``runs clean``: what lies in the results folder."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmark import index
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError, Busy, unknown
from benchmark.index import Entry, entries
from benchmark.store import LOCKS, locked
from benchmark.table import number, print_result, significant

FILTERS = ("env", "agent", "seed", "status", "protocol")

CLEANED = (index.INTERRUPTED, index.FAILED, index.LEFTOVER)
"""What ``clean`` takes away when it is not told."""

USAGE = """python -m benchmark runs list  [results=DIR] [env=…] [agent=…] [seed=…] [status=…]
python -m benchmark runs show  RUN [results=DIR]
python -m benchmark runs clean [results=DIR] [env=…] [agent=…] [status=…] [--yes]

RUN is a folder, or the first digits of a key as `list` shows it; a filter takes several values,
as in status=failed,interrupted. Statuses: """ + ", ".join(index.STATUSES)

Filters = dict[str, frozenset[str]]


def runs(arguments: Sequence[str]) -> int:
    """List, show or clean up runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmark runs", usage=USAGE)
    parser.add_argument("action", choices=("list", "show", "clean"))
    parser.add_argument("words", nargs="*")
    parser.add_argument("--yes", action="store_true", help="clean without asking")
    options = parser.parse_intermixed_args(arguments)
    root, filters, rest = _words(options.words)
    if options.action != "show" and rest:
        raise BenchmarkError(f"'{rest[0]}' is no KEY=VALUE; known keys: results, {_known()}")
    if options.action == "show" and (len(rest) != 1 or filters):
        raise BenchmarkError("say which one run: runs show RUN, a folder or a key")
    if options.action == "show" and Path(rest[0]).is_dir():
        return _show(_at(Path(rest[0])))
    if not root.is_dir():
        raise BenchmarkError(f"there is no folder {root}; say which: results=DIR")
    if options.action == "list":
        return _list(root, filters)
    if options.action == "show":
        return _show(_find(root, rest[0]))
    return _clean(root, filters, options.yes)


def age(since: datetime | None) -> str:
    """How long ago, in one unit."""
    if since is None:
        return "–"
    seconds = max((datetime.now(UTC) - since).total_seconds(), 0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _words(words: Sequence[str]) -> tuple[Path, Filters, list[str]]:
    """The results folder, the filters, and what is neither."""
    root, filters, rest = Path("results"), {}, []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            rest.append(word)
        elif key == "results":
            root = Path(value)
        elif key in FILTERS:
            filters[key] = frozenset(value.split(","))
        else:
            raise BenchmarkError(unknown("key", key, ("results", *FILTERS)))
    for status in filters.get("status", ()):
        if status not in index.STATUSES:
            raise BenchmarkError(unknown("status", status, index.STATUSES))
    return root, filters, rest


def _known() -> str:
    return ", ".join(FILTERS)


def _matches(entry: Entry, filters: Filters) -> bool:
    values = {
        "env": entry.env,
        "agent": entry.agent,
        "seed": str(entry.seed),
        "status": entry.status,
        "protocol": str((entry.result or {}).get("protocol")),
    }
    return all(values[key] in wanted for key, wanted in filters.items())


def _list(root: Path, filters: Filters) -> int:
    found = [entry for entry in entries(root) if _matches(entry, filters)]
    console = _console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("key", "env", "agent"):
        table.add_column(head, no_wrap=True)
    table.add_column("seed", justify="right", no_wrap=True)
    for head in ("status", "age"):
        table.add_column(head, no_wrap=True)
    for head in ("J g", "score", "gap"):
        table.add_column(head, justify="right", no_wrap=True)
    for entry in found:
        status = entry.status
        if status in (index.RUNNING, index.INTERRUPTED):
            status = f"{status} {entry.progress:.0%}"
        table.add_row(
            entry.key[:8],
            entry.env,
            entry.agent,
            str(entry.seed),
            status,
            age(entry.time),
            *_figures(entry),
            style={index.FAILED: "red", index.DAMAGED: "red"}.get(entry.status, ""),
        )
    if found:
        console.print(table)
    counts = [(name, sum(entry.status == name for entry in found)) for name in index.STATUSES]
    told = ", ".join(f"{count} {name}" for name, count in counts if count)
    console.print(
        f"{len(found)} runs in {root}{': ' if told else ''}{told}", markup=False, soft_wrap=True
    )
    return EXIT_OK


def _figures(entry: Entry) -> tuple[str, str, str]:
    result = entry.result or {}
    values = [result.get(name) for name in ("objective_g", "score", "gap_closed")]
    known = [value if isinstance(value, int | float) else None for value in values]
    return significant(known[0]), number(known[1]), number(known[2])


def _at(folder: Path) -> Entry:
    found = index.entry(folder.resolve())
    if found is None:
        raise BenchmarkError(f"{folder} is no run folder: DIR/PROBLEM/AGENT/seedN-KEY")
    return found


def _find(root: Path, name: str) -> Entry:
    found = [entry for entry in entries(root) if entry.key.startswith(name.lower())]
    if not found:
        raise BenchmarkError(f"no run in {root} has a key that begins with '{name}'; see runs list")
    if len({entry.key for entry in found}) > 1:
        keys = ", ".join(entry.key for entry in found[:5])
        raise BenchmarkError(f"'{name}' begins several keys: {keys}; give more digits")
    return found[-1]


def _show(entry: Entry) -> int:
    console = _console()

    def say(name: str, value: object) -> None:
        if value is not None:
            console.print(f"{name:<12}{value}", markup=False, soft_wrap=True)

    say("run", f"{entry.env} {entry.agent} seed {entry.seed}")
    say("folder", entry.folder)
    state = entry.status
    if entry.status in (index.RUNNING, index.INTERRUPTED):
        state += f", {entry.progress:.0%} learnt"
    say("status", f"{state}, {age(entry.time)} ago" if entry.time else state)
    say("why", entry.message)
    if entry.status in (index.INTERRUPTED, index.FAILED):
        way = "from its last checkpoint" if entry.resumable else "afresh"
        say("resumes", f"{way}, when the same command is given again")
    manifest = _part(entry.folder / "manifest.json")
    git = manifest.get("git") or {}
    commit = git.get("commit")
    say("command", manifest.get("command"))
    say("key", manifest.get("key", entry.key))
    say("problem", manifest.get("digest"))
    say("code", manifest.get("code_version"))
    say("commit", f"{commit}{' and changes' if git.get('changed') else ''}" if commit else None)
    machine = manifest.get("hardware") or {}
    say("machine", ", ".join(str(v) for k, v in machine.items() if v and k != "machine") or None)
    packages = manifest.get("versions") or {}
    say("versions", ", ".join(f"{k} {v}" for k, v in packages.items() if v) or None)
    config = _part(entry.folder / "config.yaml").get("protocol") or {}
    say("protocol", ", ".join(f"{k} {v}" for k, v in config.items()) or None)
    trace = _part(entry.folder / "status.json").get("traceback")
    if trace:
        console.print(f"\n{str(trace).rstrip()}", markup=False, soft_wrap=True)
    if entry.result is not None:
        console.print()
        try:
            print_result(entry.result)
        except (KeyError, TypeError, ValueError) as error:
            raise BenchmarkError(
                f"{entry.folder}/result.json lacks what the table shows: "
                f"{type(error).__name__}: {error}",
                EXIT_FAILED,
            ) from error
    return EXIT_OK


def _part(path: Path) -> dict[str, Any]:
    """A JSON or YAML file of a run; empty where there is none that can be read."""
    try:
        value = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}


def _clean(root: Path, filters: Filters, yes: bool) -> int:
    chosen = {"status": frozenset(CLEANED), **filters}
    if index.RUNNING in chosen["status"]:
        raise BenchmarkError("a run that is under way is never cleaned up; stop it first")
    found = [entry for entry in entries(root) if _matches(entry, chosen)]
    stale = sorted((root / LOCKS).glob("*")) if not filters else []
    console = _console()
    for entry in found:
        kept = "; it could be resumed" if entry.resumable else ""
        console.print(f"{entry.status:<12}{entry.folder}{kept}", markup=False, soft_wrap=True)
    if not found and not stale:
        console.print("there is nothing to clean up")
        return EXIT_OK
    if found and not yes and not _agreed(len(found)):
        console.print("nothing was deleted")
        return EXIT_OK
    gone = sum(_delete(entry, root) for entry in found)
    freed = sum(_release(lock) for lock in stale)
    console.print(f"deleted {gone} folders and {freed} stale locks")
    if gone < len(found):
        console.print(f"{len(found) - gone} have been taken up in the meantime and stay")
    return EXIT_OK


def _agreed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise BenchmarkError("there is nobody to ask; --yes deletes without asking")
    return input(f"delete {count} folders? [y/N] ").strip().lower() in ("y", "yes")


def _delete(entry: Entry, root: Path) -> bool:
    """Delete a folder under its lock: whoever would run it waits or has it."""
    try:
        with ExitStack() as held:
            for lock in index.locks(root, entry.key):
                held.enter_context(locked(lock, busy="taken up"))
            shutil.rmtree(entry.folder)
    except (Busy, FileNotFoundError):
        return False
    return True


def _release(lock: Path) -> bool:
    """Delete a lock that nobody holds."""
    try:
        with locked(lock, busy="held"):
            lock.unlink()
    except (Busy, FileNotFoundError):
        return False
    return True


def _console() -> Console:
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(file=console.file, highlight=False, width=max(console.width, 120))
