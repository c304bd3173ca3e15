"""What there is (``list``), and whether a spec is one (``check``)."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

import envs
from benchmark.errors import EXIT_OK, BenchmarkError
from benchmark.options import option_names
from benchmark.problems import describe


def list_names(arguments: Sequence[str]) -> int:
    """Print the problems and the agents, or the functions of the spec language."""
    parser = argparse.ArgumentParser(prog="python -m benchmark list")
    parser.add_argument(
        "--functions", action="store_true", help="the domain functions of the spec language"
    )
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    if options.functions:
        for line in envs.functions():
            console.print(line, markup=False, soft_wrap=True)
        return EXIT_OK
    configured = option_names("env")
    table = Table(
        "env=", "horizon", "decisions", "observed", "heuristics", "title", title="problems"
    )
    for name in envs.problems():
        problem = envs.load(name)
        table.add_row(
            name if name in configured else f"spec env.spec={name}",
            str(problem.horizon),
            str(len(problem.action_names)),
            str(len(problem.observation_names)),
            ", ".join(problem.heuristics),
            problem.title,
        )
    console.print(table)
    console.print("env=spec env.spec=FILE runs a spec of your own", markup=False)
    console.print(f"agent= {', '.join(option_names('agent'))}", markup=False, soft_wrap=True)
    tuned = [f"{name}/{agent}" for name in configured for agent in option_names(f"agent/{name}")]
    console.print(f"agent= {', '.join(tuned)}  (tuned there)", markup=False, soft_wrap=True)
    console.print(f"protocol= {', '.join(option_names('protocol'))}", markup=False)
    console.print(f"tracking= {', '.join(option_names('tracking'))}", markup=False)
    return EXIT_OK


def check(arguments: Sequence[str]) -> int:
    """Check a spec file: ``ok`` with digest and sizes, or every diagnostic."""
    parser = argparse.ArgumentParser(prog="python -m benchmark check")
    parser.add_argument("file", help="a spec, or the name of a problem of the library")
    parser.add_argument("--deep", action="store_true", help="look for degenerate problems too")
    options = parser.parse_args(arguments)
    named = options.file in envs.problems()
    if not named and not Path(options.file).is_file():
        raise BenchmarkError(f"there is no file {options.file}")
    try:
        source = options.file if named else Path(options.file)
        report = envs.check(source, deep=options.deep)
    except envs.SpecError as error:
        raise BenchmarkError(f"{options.file}: {describe(error)}") from error
    except OSError as error:
        raise BenchmarkError(f"cannot read {options.file}: {error}") from error
    print(report)
    return EXIT_OK
