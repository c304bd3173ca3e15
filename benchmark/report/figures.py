"""Interactive figures, as the plain data that plotly.js draws. Colours and fonts are the page's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.grams import unit_for
from benchmark.references import RANDOM
from benchmark.report.boards import Board, Entrant
from benchmark.report.standings import THRESHOLDS, League, Standing

SINGLE = 12
"""Up to so many seeds are drawn one by one; more become a mean and a band."""

PALETTE = (
    "#1b9e77",
    "#d95f02",
    "#7570b3",
    "#e7298a",
    "#66a61e",
    "#c99400",
    "#a6761d",
    "#4a90d9",
)
"""ColorBrewer's Dark2, its grey replaced by a blue: told apart in light and dark."""

DASHES = ("solid", "dash", "dot")

Figure = dict[str, Any]


def styles(labels: Sequence[str]) -> dict[str, dict[str, str]]:
    """A colour for each agent, the same in every figure; dashes when the colours are spent."""
    return {
        label: {
            "color": PALETTE[i % len(PALETTE)],
            "dash": DASHES[i // len(PALETTE) % len(DASHES)],
        }
        for i, label in enumerate(sorted(labels))
    }


def gap_figure(
    standings: Sequence[Standing], look: Mapping[str, dict[str, str]], links: Mapping[str, str]
) -> Figure | None:
    """Gap closed of every seed, with its interval where there are seeds enough.

    Args:
        standings: Of a board, the best first.
        look: Colours by agent.
        links: From a run's folder to its address.
    """
    shown = [s for s in standings if s.points]
    if not shown:
        return None
    traces: list[Figure] = []
    for standing in reversed(shown):
        label, color = standing.entrant.label, look[standing.entrant.label]["color"]
        runs = [
            run for run in standing.entrant.runs.values() if run.figures["gap_closed"] is not None
        ]
        if len(runs) <= SINGLE:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [run.figures["gap_closed"] for run in runs],
                    "y": [label] * len(runs),
                    "text": [f"seed {run.seed}" for run in runs],
                    "customdata": [links[str(run.folder)] for run in runs],
                    "hovertemplate": "%{text}: %{x:.3f}<extra></extra>",
                    "marker": {"color": color, "size": 9, "opacity": 0.6},
                }
            )
        else:
            traces.append(
                {
                    "type": "box",
                    "orientation": "h",
                    "x": [float(q) for q in np.quantile(standing.points, QUANTILES)],
                    "y": [label] * len(QUANTILES),
                    "boxpoints": False,
                    "marker": {"color": color},
                    "hoverinfo": "skip",
                }
            )
        if standing.gap_closed is not None and standing.spread is not None:
            interval = not standing.exploratory
            error = {
                "type": "data",
                "symmetric": False,
                "array": [standing.spread[1] - standing.gap_closed],
                "arrayminus": [standing.gap_closed - standing.spread[0]],
                "thickness": 2,
                "width": 6,
            }
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [standing.gap_closed],
                    "y": [label],
                    "hovertemplate": "interquartile mean %{x:.3f}<extra></extra>",
                    "marker": {"color": color, "size": 13, "symbol": "line-ns-open"},
                    **({"error_x": error} if interval else {}),
                }
            )
    layout = {
        "xaxis": {"title": {"text": "gap closed (0 best without learning, 1 reference)"}},
        "yaxis": {"automargin": True},
        "showlegend": False,
        "height": 120 + 34 * len(shown),
        "shapes": [_vertical(0), _vertical(1)],
    }
    return {"data": traces, "layout": layout}


QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


def curve_figure(board: Board, look: Mapping[str, dict[str, str]]) -> Figure | None:
    """Validation J against steps; the page turns steps to seconds or to grams.

    Each trace has its three abscissae under ``abscissae``. Grams are the training's, taken in
    proportion to its seconds.
    """
    entrants = [e for e in board.entrants.values() if any(_has_curve(r) for r in e.runs.values())]
    if not entrants:
        return None
    unit, factor = unit_for(
        y for e in entrants for r in e.runs.values() for y in r.curve["objective_g"]
    )
    traces: list[Figure] = []
    for entrant in entrants:
        style = look[entrant.label]
        line = {"color": style["color"], "dash": style["dash"], "width": 2}
        curves = _single(entrant) if len(entrant.runs) <= SINGLE else _band(entrant)
        for i, curve in enumerate(curves):
            trace = {
                "type": "scatter",
                "mode": "lines+markers" if len(curve["steps"]) == 1 else "lines",
                "name": entrant.label,
                "legendgroup": entrant.label,
                "showlegend": i == 0,
                "x": curve["steps"],
                "y": [factor * y for y in curve["y"]],
                "abscissae": {k: curve[k] for k in ("steps", "seconds", "grams")},
                "line": line,
                "hovertemplate": f"%{{y:.4g}} {unit}<extra>{curve['name']}</extra>",
            }
            if curve["fill"]:
                trace |= {
                    "fill": "tonexty",
                    "fillcolor": style["color"] + "30",
                    "line": {"color": style["color"], "width": 0},
                    "hoverinfo": "skip",
                }
            traces.append(trace)
    values = np.array([y for trace in traces for y in trace["y"]])
    wide = bool(values.min() > 0 and values.max() > 4 * values.min())
    layout = {
        "xaxis": {"title": {"text": "environment steps"}, "rangemode": "tozero"},
        "yaxis": {
            "title": {"text": f"J on validation ({unit})"},
            "automargin": True,
            "type": "log" if wide else "linear",
        },
        "height": 380,
        "legend": {"orientation": "h", "y": -0.25},
    }
    return {"data": traces, "layout": layout}


def _single(entrant: Entrant) -> list[Figure]:
    found = []
    for run in entrant.runs.values():
        if not _has_curve(run):
            continue
        curve, seconds, grams = run.curve, run.figures["train_seconds"], run.figures["train_gco2"]
        rate = grams / seconds if grams is not None and seconds else None
        found.append(
            {
                "name": _plain(f"{entrant.label} seed {run.seed}"),
                "steps": list(curve["env_steps"]),
                "seconds": list(curve["seconds"]),
                "grams": None if rate is None else [rate * s for s in curve["seconds"]],
                "y": list(curve["objective_g"]),
                "fill": False,
            }
        )
    return found


def _band(entrant: Entrant) -> list[Figure]:
    """Mean, then lowest and highest tenth, at the points most runs have."""
    curves = _single(entrant)
    lengths = [len(curve["steps"]) for curve in curves]
    length = max(set(lengths), key=lengths.count)
    alike = [curve for curve in curves if len(curve["steps"]) == length]
    y = np.array([curve["y"] for curve in alike])
    grams = [curve["grams"] for curve in alike if curve["grams"] is not None]
    shared = {
        "name": _plain(f"{entrant.label}, mean of {len(alike)}"),
        "steps": np.mean([curve["steps"] for curve in alike], axis=0).tolist(),
        "seconds": np.mean([curve["seconds"] for curve in alike], axis=0).tolist(),
        "grams": np.mean(grams, axis=0).tolist() if grams else None,
    }
    low, high = np.quantile(y, [0.1, 0.9], axis=0)
    return [
        {**shared, "y": y.mean(axis=0).tolist(), "fill": False},
        {**shared, "y": low.tolist(), "fill": False, "edge": True},
        {**shared, "y": high.tolist(), "fill": True},
    ]


def pareto_figure(
    board: Board, look: Mapping[str, dict[str, str]], links: Mapping[str, str]
) -> Figure | None:
    """Carbon against the share of episodes with violations; the rows are there too."""
    points = [
        (entrant, run)
        for entrant in board.entrants.values()
        for run in entrant.runs.values()
        if run.figures["carbon_g"] is not None and run.figures["violated_share"] is not None
    ]
    rows = {
        name: row
        for name, row in board.standing["rows"].items()
        if row["carbon_g"] is not None and row["violated_share"] is not None and name != RANDOM
    }
    if not points:
        return None
    unit, factor = unit_for([float(run.figures["carbon_g"] or 0) for _, run in points])
    traces: list[Figure] = []
    front = []
    for entrant in board.entrants.values():
        own = [run for who, run in points if who is entrant]
        if not own:
            continue
        many = len(own) > SINGLE
        x = [100 * float(run.figures["violated_share"] or 0) for run in own]
        y = [factor * float(run.figures["carbon_g"] or 0) for run in own]
        front.append((float(np.mean(x)), float(np.mean(y))))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": entrant.label,
                "x": [float(np.mean(x))] if many else x,
                "y": [float(np.mean(y))] if many else y,
                "text": [f"mean of {len(own)}"] if many else [f"seed {run.seed}" for run in own],
                "customdata": [] if many else [links[str(run.folder)] for run in own],
                "hovertemplate": f"%{{text}}: %{{y:.4g}} {unit}, %{{x:.1f}} %<extra></extra>",
                "marker": {"color": look[entrant.label]["color"], "size": 10, "opacity": 0.75},
            }
        )
    at = {
        name: (100 * float(row["violated_share"]), factor * float(row["carbon_g"]))
        for name, row in rows.items()
    }
    stairs = pareto_front([*front, *at.values()])
    for name, point in at.items():
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": name,
                "showlegend": False,
                "x": [point[0]],
                "y": [point[1]],
                # Only those on the front are named: others lie on each other.
                "text": [_plain(name.removeprefix("heuristic.")) if point in stairs else ""],
                "textposition": "top right",
                "hovertemplate": f"{_plain(name)}: %{{y:.4g}} {unit}, %{{x:.1f}} %<extra></extra>",
                "marker": {"color": "#8a8f98", "symbol": "diamond", "size": 8},
            }
        )
    traces.insert(
        0,
        {
            "type": "scatter",
            "mode": "lines",
            "x": [x for x, _ in stairs],
            "y": [y for _, y in stairs],
            "line": {"color": "#8a8f98", "shape": "hv", "width": 1, "dash": "dot"},
            "showlegend": False,
            "hoverinfo": "skip",
        },
    )
    layout = {
        "xaxis": {"title": {"text": "episodes with violations (%)"}},
        "yaxis": {"title": {"text": f"carbon ({unit} per episode)"}, "automargin": True},
        "height": 380,
        "legend": {"orientation": "h", "y": -0.25},
    }
    return {"data": traces, "layout": layout}


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points no other is at most as high as in both, from left to right."""
    front: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not front or y < front[-1][1]:
            front.append((x, y))
    return front


def profile_figure(league: League, look: Mapping[str, dict[str, str]]) -> Figure | None:
    """Share of runs whose score is above each threshold."""
    if not league.profiles:
        return None
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": label,
            "x": THRESHOLDS.round(3).tolist(),
            "y": profile.round(5).tolist(),
            "line": {"shape": "hv", "width": 2, **look[label]},
            "hovertemplate": "%{y:.0%} of runs above %{x:.2f}<extra></extra>",
        }
        for label, profile in league.profiles.items()
    ]
    layout = {
        "xaxis": {"title": {"text": "score (0 random, 1 reference)"}},
        "yaxis": {"title": {"text": "share of runs above it"}, "range": [-0.02, 1.02]},
        "height": 380,
        "legend": {"orientation": "h", "y": -0.25},
    }
    return {"data": traces, "layout": layout}


def _has_curve(run: Any) -> bool:
    return len(run.curve["env_steps"]) > 0


def _plain(text: str) -> str:
    """Plotly reads some HTML and templates in labels: leave it none."""
    return text.translate({ord(c): None for c in "<>&%{}"})


def _vertical(x: float) -> Figure:
    line = {"color": "#8a8f98", "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}
