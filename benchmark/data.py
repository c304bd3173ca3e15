"""Public traces: what there is to download (``data list``), and downloading it (``data fetch``)."""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import yaml
from rich.console import Console

from benchmark.download import check_address, download, file_digest
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError, unknown
from benchmark.store import write_json
from envs.spec.diagnostics import Finding
from envs.traces import data_folder, read_file, read_series
from envs.traces.sessions import COLUMNS

URL_VARIABLE = "LOWCARBON_DATA_URL"


@dataclass(frozen=True)
class PublicTrace:
    """An entry of ``traces.yaml``.

    Attributes:
        name: What it is called here.
        title: What it holds.
        file: Its name in the data folder.
        page: Where its publisher describes it.
        url: Where the file is; None when the publisher asks for an account or a form.
        licence: Under what terms.
        publisher: Whose it is.
        sha256: Of its bytes; None when not known.
    """

    name: str
    title: str
    file: str
    page: str
    url: str | None
    licence: str
    publisher: str
    sha256: str | None


def public_traces() -> dict[str, PublicTrace]:
    """All entries by name."""
    text = (resources.files("benchmark") / "traces.yaml").read_text(encoding="utf-8")
    return {name: PublicTrace(name=name, **entry) for name, entry in yaml.safe_load(text).items()}


def data(arguments: Sequence[str]) -> int:
    """List the public traces, or fetch one."""
    parser = argparse.ArgumentParser(prog="python -m benchmark data")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is, whose it is and under what licence")
    fetching = commands.add_parser("fetch", help="download one, check it and say how to use it")
    fetching.add_argument("name")
    fetching.add_argument("--url", help="the file's address, instead of the catalogue's")
    fetching.add_argument("--folder", type=Path, help=f"instead of {data_folder()}")
    fetching.add_argument(
        "--force", action="store_true", help="fetch again and record what comes as the file"
    )
    options = parser.parse_args(arguments)
    if options.command == "list":
        return _list()
    return _fetch(options.name, options.url, options.folder or data_folder(), options.force)


def _list() -> int:
    folder = data_folder()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for trace in public_traces().values():
        here = " (here)" if (folder / trace.file).is_file() else ""
        console.print(f"{trace.name}{here}: {trace.title}")
        console.print(f"  {trace.publisher}, {trace.page}; licence: {trace.licence}")
    console.print(f"data folder: {folder} (LOWCARBON_DATA moves it)")
    return EXIT_OK


def _fetch(name: str, url: str | None, folder: Path, force: bool) -> int:
    known = public_traces()
    if name not in known:
        raise BenchmarkError(unknown("trace", name, known))
    trace, target = known[name], folder / known[name].file
    print(f"{trace.title}\npublisher: {trace.publisher}, {trace.page}\nlicence: {trace.licence}")
    record = target.with_name(target.name + ".json")
    expected = None if force else trace.sha256 or _recorded(record)
    if target.is_file() and not force:
        found = file_digest(target)
        if expected not in (None, found):
            raise BenchmarkError(
                f"{target} is not the file that was recorded (sha256 {expected}); remove it, or "
                "fetch again with --force",
                EXIT_FAILED,
            )
        print(f"already here: {target}\nsha256: {found}")
        return _explain(trace, target)
    address = url or os.environ.get(URL_VARIABLE) or trace.url
    if address is None:
        raise BenchmarkError(
            f"the publisher of {name} asks for an account or a form: open {trace.page}, accept the "
            f"licence, and give the file's address with --url or {URL_VARIABLE}, or save the file "
            f"as {target}"
        )
    check_address(address)
    found = download(address, target, expected)
    write_json(
        record,
        {
            "name": name,
            "url": address,
            "sha256": found,
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "publisher": trace.publisher,
            "licence": trace.licence,
        },
    )
    print(
        f"{target}\nsha256: {found}" + ("" if expected else " (recorded; later fetches must match)")
    )
    return _explain(trace, target)


def _recorded(path: Path) -> str | None:
    try:
        value = json.loads(path.read_text())["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _explain(trace: PublicTrace, target: Path) -> int:
    """Say what the file holds and how a problem follows it."""
    kind = trace.name.partition("_")[0]
    column = {"weather": "wet_bulb", "sessions": next(iter(COLUMNS))}.get(kind)
    try:
        series = read_series(read_file(target), column)
    except Finding as finding:
        raise BenchmarkError(
            f"{target} was fetched, but is no such file: expected {finding.expected}; found "
            f"{finding.actual}; {finding.hint}",
            EXIT_FAILED,
        ) from finding
    days = len(series.values) * series.interval_s // 86400
    print(f"{len(series.values)} rows of {series.interval_s} s, {days} days")
    more = f", column: {column}" if column else ""
    print(f"in a spec: trace: {{file: {trace.file}{more}}}")
    print(f"on the command line: 'env.processes.NAME.trace={{file: \"{target}\"{more}}}'")
    return EXIT_OK
