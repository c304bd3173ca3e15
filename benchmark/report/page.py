"""The page: one HTML file that holds everything and asks the network for nothing."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from benchmark.report.boards import Board
from benchmark.report.reading import RunRecord, Skipped
from benchmark.report.standings import PAPER, League, PaperTerms
from benchmark.report.tables import HEADS
from benchmark.table import number, significant

MOST_PICTURES = 24
"""Strategy pictures that are embedded; every other is reached through its run's folder."""

MOST_PICTURE_BYTES = 400_000

PNG = b"\x89PNG\r\n\x1a\n"

MOST_NOTES = 200


@dataclass(frozen=True)
class Section:
    """A board as the page shows it.

    Attributes:
        board: The runs.
        unit: Of its grams.
        rows: Of its table.
        exploratory: Whether some entrant has too few seeds.
        figures: Names of its figures, to titles.
        pictures: Title, address of the run and PNG, for strategies.
    """

    board: Board
    unit: str
    rows: Sequence[Mapping[str, Any]]
    exploratory: bool
    figures: Mapping[str, str]
    pictures: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class LeagueSection:
    """A league as the page shows it."""

    league: League
    figure: str | None


@dataclass(frozen=True)
class Content:
    """Everything on the page.

    Attributes:
        title: Of the page.
        made: When, in words.
        leagues: Over problems.
        sections: A board each.
        runs: Rows of the table of runs.
        figures: plotly.js's data by name.
        paper: The paper's agents in its terms.
        notes: What was kept apart or set aside.
        skipped: Folders that were not read.
        links: From a run's folder to its address.
    """

    title: str
    made: str
    leagues: Sequence[LeagueSection]
    sections: Sequence[Section]
    runs: Sequence[RunRecord]
    figures: Mapping[str, Any]
    paper: Sequence[PaperTerms]
    notes: Sequence[str]
    skipped: Sequence[Skipped]
    links: Mapping[str, str]


def render(content: Content) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["count"] = lambda n, noun: f"{n:,} {noun}{'' if n == 1 else 's'}"
    environment.filters["number"] = number
    environment.filters["significant"] = significant
    return environment.get_template("page.html").render(
        content=content,
        heads=HEADS,
        paper=PAPER,
        most_notes=MOST_NOTES,
        style=Markup(_file("page.css")),
        script=Markup(_file("page.js")),
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),
        figures=_json(content.figures),
        runs=_json([_run_row(run, content.links) for run in content.runs]),
    )


def embed(path: Path) -> str | None:
    """A PNG as a ``data:`` address; None when it is none, or too large."""
    try:
        if path.is_symlink() or path.stat().st_size > MOST_PICTURE_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    if not data.startswith(PNG):
        return None
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _run_row(run: RunRecord, links: Mapping[str, str]) -> list[Any]:
    """As ``page.js`` reads it: the heads of its table stand there."""
    figures = run.figures
    shown = ("objective_g", "gap_closed", "score", "carbon_g", "violated_share")
    cost = ("env_steps", "gradient_steps", "train_seconds", "train_wh", "train_gco2")
    return [
        run.names["env"],
        run.names["protocol"] + ("" if run.frozen or run.names["protocol"] == "quick" else "*"),
        run.names["agent"],
        run.seed,
        *(_short(figures[name]) for name in shown),
        _short(run.variants.get("final.deterministic.ood")),
        *(_short(figures[name]) for name in cost),
        run.badge or "self-reported",
        links[str(run.folder)],
    ]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(_thin(value), separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _thin(value: Any) -> Any:
    """Numbers with the digits a screen can show."""
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, Mapping):
        return {key: _thin(part) for key, part in value.items()}
    return [_thin(part) for part in value] if isinstance(value, list) else value


def _file(name: str) -> str:
    return (resources.files("benchmark.report") / name).read_text(encoding="utf-8")
