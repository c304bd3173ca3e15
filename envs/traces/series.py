"""A recorded series on an even clock, its gaps filled, cut to whole days at a problem's step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.spec.diagnostics import Finding
from envs.traces.files import MAX_ROWS

Array = NDArray[np.float64]

DAY_S = 86400
LONGEST_GAP_S = 6 * 3600
MAX_VALUES = 10_000_000


@dataclass(frozen=True)
class Series:
    """One column of a recording; row i holds over ``[first_s + i, first_s + i + 1) * interval_s``.

    Attributes:
        values: Mean over each interval, in the publisher's unit, shape ``(rows,)``.
        interval_s: Length of an interval in whole seconds.
        first_s: Beginning of the first one, in seconds from 1 January of its year.
        utc: Whether that clock is UTC, and not the local one.
        unit: The publisher's unit (``degC`` too); None when the file does not say.
    """

    values: Array
    interval_s: int
    first_s: int = 0
    utc: bool = False
    unit: str | None = None


def evenly(values: Array, times_s: NDArray[np.int64], interval_s: int | None) -> tuple[Array, int]:
    """Values on an even clock; what is missing is NaN.

    Args:
        values: One for each row.
        times_s: Beginning of each row's interval.
        interval_s: What the interval must be; None takes the shortest step between two rows.

    Returns:
        Values and interval.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    steps = np.diff(times_s)
    if len(steps) and steps.min() <= 0:
        row = int(np.argmin(steps > 0)) + 2
        raise Finding(
            "bad-trace", "rows in order of time", f"row {row} is not", "sort them; keep each once"
        )
    found = int(steps.min()) if len(steps) else 3600
    interval = found if interval_s is None else interval_s
    places, rest = np.divmod(times_s - times_s[0], interval)
    if rest.any():
        raise Finding(
            "bad-trace",
            f"rows every {interval} s",
            f"row {int(np.argmax(rest > 0)) + 1} lies between",
            "state the file's own interval",
        )
    rows = int(places[-1]) + 1
    _check_rows(rows)
    even = np.full(rows, np.nan)
    even[places] = values
    return even, interval


def filled(values: Array, interval_s: int) -> Array:
    """Values with short gaps bridged by straight lines.

    Raises:
        Finding: ``bad-trace`` when a gap is longer than six hours.
    """
    _check_rows(len(values))
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        raise Finding("bad-trace", "a column of numbers", "none in it", "name another column")
    edges = np.concatenate([[-1], known, [len(values)]])
    longest = int(np.diff(edges).max()) - 1
    if longest * interval_s > LONGEST_GAP_S:
        raise Finding(
            "bad-trace",
            "no gap longer than six hours",
            f"one of {longest * interval_s / 3600:g} h",
            "cut the file to a part without it, or name another column",
        )
    return np.interp(np.arange(len(values)), known, values[known])


def whole_days(
    series: Series, step_s: int, offset_s: int = 0, phase_s: int = 0
) -> tuple[Array, int]:
    """The series at a problem's step, in whole days of the problem's clock.

    A shorter step holds the value of its interval, a longer one averages: the mean is kept.

    Args:
        series: The recording.
        step_s: Whole seconds that divide a day.
        offset_s: The problem's clock minus the recording's.
        phase_s: How far into a step a day of the problem begins.

    Returns:
        Values of shape ``(days * steps a day,)``, the first from midnight plus ``phase_s``, and the
        number of the first day in the year (0 is 1 January).

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    first = series.first_s + offset_s
    skipped = -first % DAY_S
    tick = math.gcd(series.interval_s, step_s, skipped, phase_s)
    fine = series.interval_s // tick
    if len(series.values) * fine > MAX_VALUES:
        raise Finding(
            "budget",
            f"at most {MAX_VALUES} values at the problem's step",
            f"{len(series.values)} rows of {series.interval_s} s in pieces of {tick} s",
            "choose a step that divides the interval, or a shorter file",
        )
    ticks = np.repeat(series.values, fine)[skipped // tick :]
    days = len(ticks) // (DAY_S // tick)
    # The last steps of the last day end after it when the phase is not 0.
    ticks = np.append(ticks, np.full(phase_s // tick, series.values[-1]))[phase_s // tick :]
    ticks = ticks[: days * (DAY_S // tick)].reshape(-1, step_s // tick)
    return ticks.mean(axis=1), (first + skipped) // DAY_S


def _check_rows(rows: int) -> None:
    if rows > MAX_ROWS:
        raise Finding(
            "budget",
            f"at most {MAX_ROWS} rows",
            f"{rows}",
            "cut the file to the years that are needed",
        )
