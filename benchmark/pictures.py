"""Two pictures of a run: how it learnt, and what it decides under which conditions."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter
from numpy.typing import NDArray

from benchmark.grams import unit_for
from benchmark.monitor import LearningCurve
from benchmark.references import CONSTANT, RANDOM, Optimum, Row
from benchmark.scoring import best
from benchmark.store import write_bytes
from benchmark.strategy import (
    CARBON,
    DECISIONS,
    StrategyRecorder,
    bin_by,
    choose_conditions,
    pair,
)

AGENT, RIVAL, OPTIMUM, INK = "#0b7a4b", "#c8642b", "#33508f", "#3a3f44"
STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.edgecolor": "#9aa0a6",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e8ea",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.dpi": 150,
}
WIDE = 30.0
"""A positive quantity whose 5th and 95th percentile lie so far apart has a log axis."""


def draw_learning_curve(
    path: Path,
    title: str,
    curve: LearningCurve,
    rows: Mapping[str, Row],
    optimum: Optimum | None,
) -> None:
    """Validation J against steps, between the rows on the same scenarios.

    The optimum is known on the test scenarios only, and said to be.
    """
    steps = np.array([row["env_steps"] for row in curve.rows], dtype=float)
    objective = np.array([row["objective_g"] for row in curve.rows], dtype=float)
    levels = _levels(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.subplots()
        marks = [(name, value, INK) for name, value in levels.items()]
        if optimum is not None and optimum.method is not None:
            value = float(np.mean(optimum.objective_g[optimum.method]))
            marks.append((f"{optimum.method.replace('_', ' ')} (test)", value, OPTIMUM))
        unit, factor = unit_for([*objective, *(value for _, value, _ in marks)])
        objective = factor * objective
        marks = [(name, factor * value, color) for name, value, color in marks]
        shown = np.concatenate((objective, [value for _, value, _ in marks]))
        if np.all(shown > 0) and shown.max() > 4 * shown.min():
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
        for _, value, color in marks:
            axes.axhline(value, color=color, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
        axes.plot(steps, objective, color=AGENT, marker="o", markersize=3.5, linewidth=2, zorder=3)
        axes.set_xlabel("environment steps")
        axes.set_ylabel(f"J on validation scenarios ({unit} per episode)")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlim(left=0, right=max(steps.max(), 1) * 1.01)
        _name_lines(axes, marks)
        _save(figure, path)


def draw_strategy(
    path: Path,
    title: str,
    recorder: StrategyRecorder,
    rival: tuple[str, StrategyRecorder] | None,
    unit_of: Callable[[str], str | None],
) -> None:
    """Decisions and carbon against the channel, the grid and the load.

    Args:
        path: The PNG.
        title: Of the run.
        recorder: What the agent did on the test scenarios.
        rival: A heuristic's name, and what it did there.
        unit_of: Unit of a named quantity, where it is known.
    """
    decisions = recorder.decisions[:DECISIONS]
    conditions = choose_conditions(recorder, decisions, unit_of)
    if not conditions:
        return
    quantities = [*decisions, CARBON]
    mass, factor = unit_for([float(np.mean(recorder.values(CARBON)))])
    shape = (len(quantities), len(conditions))
    with matplotlib.rc_context(STYLE):
        size = (3.1 * shape[1] + 0.9, 2.0 * shape[0] + 0.9)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(*shape, squeeze=False, sharex="col", sharey="row")
        for i, quantity in enumerate(quantities):
            for j, condition in enumerate(conditions):
                axes = grid[i, j]
                per_unit = factor if quantity == CARBON else 1.0
                policies = [(title, recorder, AGENT, "-")]
                if rival is not None:
                    policies.insert(0, (*rival, RIVAL, "--"))
                for name, policy, color, line in policies:
                    values = per_unit * policy.values(quantity)
                    curve = bin_by(*pair(policy.values(condition), values))
                    axes.fill_between(
                        curve.at, curve.low, curve.high, color=color, alpha=0.13, linewidth=0
                    )
                    axes.plot(curve.at, curve.mean, line, color=color, linewidth=1.8, label=name)
            label = f"carbon ({mass} per step)" if quantity == CARBON else _label(quantity, unit_of)
            grid[i, 0].set_ylabel(label)
            if _is_wide(recorder.values(quantity)):
                grid[i, 0].set_yscale("log")
                grid[i, 0].yaxis.set_minor_formatter(NullFormatter())
        for j, condition in enumerate(conditions):
            scaled = recorder.scaled(condition)
            name = f"{condition} (scaled)" if scaled else _label(condition, unit_of)
            grid[-1, j].set_xlabel(name)
            if _is_wide(recorder.values(condition)):
                grid[-1, j].set_xscale("log")
                grid[-1, j].xaxis.set_minor_formatter(NullFormatter())
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside upper right", ncols=2)
        figure.suptitle("Strategy under different conditions", x=0.01, ha="left", weight="bold")
        _save(figure, path)


def _levels(rows: Mapping[str, Row]) -> dict[str, float]:
    """Random, constant and the best heuristic, on the validation scenarios."""
    heuristics = {name: row.test for name, row in rows.items() if name not in (RANDOM, CONSTANT)}
    names = [RANDOM, CONSTANT, best(heuristics)]
    return {name: rows[name].validation_g for name in names if name is not None and name in rows}


def _label(name: str, unit_of: Callable[[str], str | None]) -> str:
    unit = unit_of(name)
    words = name.replace("_", " ")
    return words if unit in (None, "1") else f"{words} ({unit})"


def _is_wide(values: NDArray[np.float64]) -> bool:
    low, high = np.quantile(values, [0.05, 0.95])
    return bool(low > 0 and high > WIDE * low)


def _name_lines(axes: Axes, marks: Sequence[tuple[str, float, str]]) -> None:
    """Write each level's name at the right, moved apart where they would lie on each other."""
    transform = axes.transData
    low, high = axes.get_ylim()
    span = transform.transform((0, high))[1] - transform.transform((0, low))[1]
    last = -np.inf
    for name, value, color in sorted(marks, key=lambda mark: mark[1]):
        at = (transform.transform((0, value))[1] - transform.transform((0, low))[1]) / span
        at = max(at, last + 0.05)
        last = at
        axes.text(1.01, at, name, transform=axes.transAxes, color=color, va="center", fontsize=8.5)


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes(path, buffer.getvalue())
