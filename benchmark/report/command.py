"""``report``: reads run folders and writes what they show."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.ranking import too_many
from benchmark.report.boards import Board, group
from benchmark.report.figures import (
    curve_figure,
    gap_figure,
    pareto_figure,
    profile_figure,
    styles,
)
from benchmark.report.page import MOST_PICTURES, Content, LeagueSection, Section, embed, render
from benchmark.report.pictures import draw_curves, draw_gap, draw_profile
from benchmark.report.reading import RunRecord, Skipped, read_runs
from benchmark.report.standings import leagues, note_of_gradients, paper_terms, standings
from benchmark.report.tables import board_rows, csv_columns, markdown
from benchmark.store import write_csv, write_text

MOST_DRAWN = 40
"""Boards that have figures; every board has its table."""


def report(arguments: Sequence[str]) -> int:
    """Write the report; exit code 1 only when ``--strict`` and a folder could not be read."""
    options = _options(arguments)
    root = Path(options.results)
    if not root.is_dir():
        raise BenchmarkError(f"there is no folder {root}; give the one your runs are in")
    found = list(read_runs(root))
    runs = [item for item in found if isinstance(item, RunRecord)]
    skipped = [item for item in found if isinstance(item, Skipped)]
    for item in skipped:
        word = "skipped" if item.corrupt else "left out"
        print(f"{word} {root / item.folder}: {item.reason}", file=sys.stderr)
    if not runs:
        raise BenchmarkError(
            f"there is no finished run in {root}; "
            "make one: python -m benchmark run env=channels agent=gdm protocol=quick"
        )
    out = Path(options.out) if options.out else root / "report"
    try:
        _write(out, root, runs, skipped)
    except OSError as error:
        raise BenchmarkError(f"cannot write to {out}: {error}") from error
    print(f"{len(runs):,} runs: {out / 'index.html'}")
    corrupt = sum(item.corrupt for item in skipped)
    return EXIT_FAILED if options.strict and corrupt else EXIT_OK


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark report",
        description="Write a page, a Markdown table, a CSV and figures from run folders.",
    )
    parser.add_argument(
        "results", nargs="?", default="results", help="where the runs are; results=DIR will do too"
    )
    parser.add_argument("--out", help="where to write; report in the results by default")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when a folder could not be read"
    )
    options = parser.parse_args(arguments)
    options.results = options.results.removeprefix("results=")
    return options


def _write(out: Path, root: Path, runs: list[RunRecord], skipped: list[Skipped]) -> None:
    boards, notes = group(runs)
    if told := note_of_gradients(boards):
        notes.append(told)
    look = styles(list({label for board in boards for label in board.entrants}))
    links = {str(run.folder): _address(root / run.folder, out) for run in runs}
    figures: dict[str, Any] = {}
    sections, tables = [], []
    pictures_left = MOST_PICTURES
    for at, board in enumerate(boards):
        found, pairs = standings(board)
        if told := too_many(pairs):
            notes.append(f"{board.name}: {told}")
        unit, rows = board_rows(board, found)
        tables.append((board, unit, rows))
        titles = {}
        pictures: list[tuple[str, str, str]] = []
        if at < MOST_DRAWN:
            drawn = {
                "Gap closed, by seed": gap_figure(found, look, links),
                "Learning curves": curve_figure(board, look),
                "Carbon against violations": pareto_figure(board, look, links),
            }
            for number, (title, figure) in enumerate(drawn.items()):
                if figure is not None:
                    figures[f"{board.anchor}-{number}"] = figure
                    titles[f"{board.anchor}-{number}"] = title
            draw_gap(out / "figures" / f"{board.anchor}-gap", board, found, look)
            curves = drawn["Learning curves"]
            draw_curves(out / "figures" / f"{board.anchor}-curves", board, curves)
            pictures = _strategies(board, root, links)[:pictures_left]
            pictures_left -= len(pictures)
        exploratory = any(s.exploratory for s in found)
        sections.append(Section(board, unit, rows, exploratory, titles, pictures))
    league_sections = []
    for at, league in enumerate(leagues(boards)):
        profile = profile_figure(league, look)
        if profile is not None:
            figures[f"league-{at}"] = profile
        draw_profile(out / "figures" / f"league-{at}-profile", league, look)
        league_sections.append(LeagueSection(league, None if profile is None else f"league-{at}"))
    content = Content(
        title="Low-carbon AIoT benchmark",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        leagues=league_sections,
        sections=sections,
        runs=runs,
        figures=figures,
        paper=paper_terms(boards),
        notes=notes,
        skipped=skipped,
        links=links,
    )
    lines = [*notes, *(f"{item.folder}: {item.reason}" for item in skipped)]
    write_text(out / "index.html", render(content))
    write_text(out / "results.md", markdown(tables, lines))
    write_csv(out / "runs.csv", csv_columns(runs))
    write_text(out / "notes.txt", "".join(f"{line}\n" for line in lines))


def _strategies(board: Board, root: Path, links: dict[str, str]) -> list[tuple[str, str, str]]:
    """The strategy of each entrant's first seed, where there is a picture of it."""
    found = []
    for entrant in board.entrants.values():
        if entrant.runs:
            run = entrant.runs[min(entrant.runs)]
            picture = embed(root / run.folder / "strategy.png")
            if picture is not None:
                title = f"{entrant.label}, seed {run.seed}"
                found.append((title, links[str(run.folder)], picture))
    return found


def _address(folder: Path, out: Path) -> str:
    """A relative address that means the folder and nothing else, whatever its name."""
    relative = os.path.relpath(folder, out)
    return quote(Path(relative).as_posix()) + "/"
