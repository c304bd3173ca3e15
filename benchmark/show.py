"""``show``: a problem as mathematics."""

import sys
from collections.abc import Sequence
from pathlib import Path

import envs
from benchmark.errors import EXIT_OK, BenchmarkError, unknown
from benchmark.problems import describe

USAGE = "usage: python -m benchmark show NAME|FILE [--out FILE.md|FILE.html]"
_SUFFIXES = (".md", ".html")


def show(arguments: Sequence[str]) -> int:
    """Print a problem as Markdown with LaTeX, or write it as that or as an HTML page."""
    if {"-h", "--help"} & set(arguments):
        print(USAGE)
        return EXIT_OK
    source, out = _parsed(list(arguments))
    if out is not None and out.suffix not in _SUFFIXES:
        raise BenchmarkError(f"--out: expected a name ending in .md or .html; found {out}")
    problem = _load(source)
    if out is None:
        sys.stdout.write(envs.as_markdown(problem))
        return EXIT_OK
    try:
        text = envs.as_page(problem) if out.suffix == ".html" else envs.as_markdown(problem)
    except ModuleNotFoundError as error:
        raise BenchmarkError(
            f"show --out {out.name} needs {error.name}: pip install 'lowcarbon-bench[formulate]'"
        ) from error
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(f"--out: cannot write {out}: {error.strerror}") from error
    print(f"wrote {out}")
    return EXIT_OK


def _parsed(arguments: list[str]) -> tuple[str, Path | None]:
    out: Path | None = None
    if "--out" in arguments:
        position = arguments.index("--out")
        if position + 1 == len(arguments):
            raise BenchmarkError(f"--out: expected a file name behind it\n{USAGE}")
        out = Path(arguments[position + 1])
        del arguments[position : position + 2]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise BenchmarkError(f"show: expected one problem or file; found {arguments}\n{USAGE}")
    return arguments[0], out


def _load(source: str) -> envs.Problem:
    path = Path(source)
    a_file = path.suffix in (".yaml", ".yml") or path.is_file()
    if a_file and not path.is_file():
        raise BenchmarkError(f"show: there is no file {source}")
    if not a_file and source not in envs.problems():
        raise BenchmarkError(unknown("problem", source, envs.problems()))
    try:
        return envs.load(path if a_file else source)
    except envs.SpecError as error:
        raise BenchmarkError(f"{source}: {describe(error)}") from error
