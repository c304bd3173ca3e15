"""The figures that go into a paper: PNG and SVG, by matplotlib."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmark.pictures import STYLE
from benchmark.report.boards import Board
from benchmark.report.figures import Figure as Data
from benchmark.report.standings import THRESHOLDS, League, Standing
from benchmark.store import write_bytes

FORMATS = ("png", "svg")


def draw_gap(
    path: Path, board: Board, found: Sequence[Standing], look: Mapping[str, dict[str, str]]
) -> None:
    """Gap closed by seed, with intervals where there are seeds enough."""
    shown = [s for s in found if s.points]
    if not shown:
        return

    def draw(axes: Axes) -> None:
        for at, standing in enumerate(reversed(shown)):
            color = look[standing.entrant.label]["color"]
            axes.plot(standing.points, [at] * len(standing.points), "o", color=color, alpha=0.4)
            if standing.gap_closed is None:
                continue
            axes.plot(standing.gap_closed, at, "|", color=color, markersize=16, markeredgewidth=2)
            if standing.spread is not None and not standing.exploratory:
                axes.plot(standing.spread, [at, at], color=color, linewidth=2)
        names = [_plain(s.entrant.label) for s in reversed(shown)]
        marks = [" (exploratory)" if s.exploratory else "" for s in reversed(shown)]
        axes.set_yticks(range(len(shown)), [n + m for n, m in zip(names, marks, strict=True)])
        for level in (0, 1):
            axes.axvline(level, color="#9aa0a6", linestyle=(0, (4, 3)), linewidth=1, zorder=0)
        axes.set_xlabel("gap closed (0 best without learning, 1 reference)")
        axes.set_title(_plain(board.name), loc="left", fontweight="bold")

    _write(path, draw, height=1.3 + 0.35 * len(shown))


def draw_curves(path: Path, board: Board, data: Data | None) -> None:
    """Learning curves against steps, as the page has them."""
    if data is None:
        return

    def draw(axes: Axes) -> None:
        below = None
        for trace in data["data"]:
            line = trace["line"]
            if trace.get("fill"):
                axes.fill_between(
                    trace["x"],
                    below["y"] if below else trace["y"],
                    trace["y"],
                    color=line["color"],
                    alpha=0.18,
                    linewidth=0,
                )
            else:
                label = _plain(trace["name"]) if trace["showlegend"] else None
                width = line["width"]
                axes.plot(trace["x"], trace["y"], color=line["color"], linewidth=width, label=label)
            below = trace
        axes.set_yscale(data["layout"]["yaxis"]["type"])
        axes.set_xlabel("environment steps")
        axes.set_ylabel(data["layout"]["yaxis"]["title"]["text"])
        axes.set_title(_plain(board.name), loc="left", fontweight="bold")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))

    _write(path, draw, height=3.8)


def draw_profile(path: Path, league: League, look: Mapping[str, dict[str, str]]) -> None:
    """Performance profiles of a league."""
    if not league.profiles:
        return

    def draw(axes: Axes) -> None:
        for label, profile in league.profiles.items():
            color = look[label]["color"]
            axes.step(THRESHOLDS, profile, where="post", color=color, label=_plain(label))
        axes.set_xlabel("score (0 random, 1 reference)")
        axes.set_ylabel("share of runs above it")
        axes.set_ylim(-0.02, 1.02)
        mark = ", exploratory" if league.exploratory else ""
        title = f"{len(league.problems)} problems, {_plain(league.protocol)}{mark}"
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))

    _write(path, draw, height=3.8)


def _write(path: Path, draw: Callable[[Axes], None], height: float) -> None:
    """Draw once and write it in every format, the same bytes each time."""
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "report", "text.usetex": False}):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        draw(figure.subplots())
        for kind in FORMATS:
            buffer = io.BytesIO()
            undated = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(buffer, format=kind, metadata=undated)
            write_bytes(path.with_suffix(f".{kind}"), buffer.getvalue())
            figure.set_layout_engine("none")  # it stands: the next format need not find it again


def _plain(text: str) -> str:
    """Matplotlib reads mathematics between dollars: a name has none."""
    return text.replace("$", r"\$")
