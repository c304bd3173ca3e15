"""Charging sessions of the Adaptive Charging Network, one row each, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from envs.spec.diagnostics import Finding
from envs.traces.files import MAX_ROWS, read_file, table_rows
from envs.traces.series import Series

Array = NDArray[np.float64]

COLUMNS = {"connected": "1", "arrivals": "1/h", "energy": "kW"}
_INTERVAL_S = 900
_LONGEST_STAY = timedelta(days=14)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Sessions:
    """Sessions in order of arrival, in local time; arrays of shape ``(session,)``.

    Attributes:
        first_day: Midnight before the first arrival.
        arrival_s: Seconds from there.
        stay_s: From arrival to departure.
        delivered_kwh: Energy delivered.
        requested_kwh: Energy that the driver asked for; NaN where nobody said.
    """

    first_day: datetime
    arrival_s: NDArray[np.int64]
    stay_s: NDArray[np.int64]
    delivered_kwh: Array
    requested_kwh: Array

    @property
    def arrival_h(self) -> Array:
        """Hour of the day of each arrival."""
        return self.arrival_s % 86400 / 3600

    @property
    def stay_h(self) -> Array:
        """Hours from arrival to departure."""
        return self.stay_s / 3600

    @property
    def day(self) -> NDArray[np.int64]:
        """Day of each arrival, counted from the first."""
        return self.arrival_s // 86400

    @property
    def weekend(self) -> NDArray[np.bool_]:
        """Whether each arrival is on a Saturday or Sunday."""
        return (self.first_day.weekday() + self.day) % 7 >= 5


def read_sessions(path: Path) -> Sessions:
    """Read a session file, CSV or the network's own JSON, packed too.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    data = read_file(path)
    if data.lstrip()[:1] == b"{":
        return from_json(data)
    rows = table_rows(data)
    return from_rows(next(rows, []), rows)


def from_rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Sessions:
    """Sessions from the heading and rows of a table.

    Raises:
        Finding: ``bad-trace``.
    """
    names = [name.strip().casefold() for name in head]
    places = {}
    for what in ("arrival", "departure", "delivered_energy", "requested_energy"):
        found = [i for i, name in enumerate(names) if name.split(" ")[0] == what]
        if not found:
            raise Finding(
                "bad-trace", f"a column '{what}'", "a file without", "fetch the sessions again"
            )
        places[what] = found[0]

    def session(row: Sequence[str]) -> _Session:
        arrival = datetime.fromisoformat(row[places["arrival"]].strip())
        stay = datetime.fromisoformat(row[places["departure"]].strip()) - arrival
        asked = row[places["requested_energy"]].strip()
        energy = float(row[places["delivered_energy"]])
        return _Session(arrival.replace(tzinfo=None), stay, energy, float(asked or "nan"))

    return _collected(session, rows)


def from_json(data: bytes) -> Sessions:
    """Sessions from what the network's interface and web page give.

    Raises:
        Finding: ``bad-trace``.
    """
    try:
        items = json.loads(data)["_items"]
    except (ValueError, KeyError, TypeError, RecursionError):
        items = None
    if not isinstance(items, list) or len(items) > MAX_ROWS:
        raise Finding(
            "bad-trace", f"up to {MAX_ROWS} sessions in _items", "another file", "fetch it again"
        )

    def session(item: Any) -> _Session:
        begin, end = (parsedate_to_datetime(item[k]) for k in ("connectionTime", "disconnectTime"))
        # Times are in GMT; behaviour follows the clock on the wall.
        local = begin.astimezone(ZoneInfo(item["timezone"])).replace(tzinfo=None)
        asked = (item.get("userInputs") or [{}])[-1].get("kWhRequested")
        energy = float(item["kWhDelivered"])
        return _Session(local, end - begin, energy, float("nan" if asked is None else asked))

    return _collected(session, items)


class _Session(NamedTuple):
    arrival: datetime
    stay: timedelta
    delivered_kwh: float
    requested_kwh: float


def _collected(read: Callable[[_T], _Session], rows: Iterable[_T]) -> Sessions:
    """Sessions in order of arrival.

    Raises:
        Finding: ``bad-trace``, with the number of the first row that is none.
    """
    found: list[_Session] = []
    for count, row in enumerate(rows):
        try:
            session = read(row)
        except (ValueError, LookupError, TypeError, AttributeError, OSError, OverflowError):
            raise Finding(
                "bad-trace",
                "arrival, departure and energy in each row",
                f"none in row {count + 1}",
                "mend that row or drop it",
            ) from None
        if not timedelta() < session.stay <= _LONGEST_STAY or not 0 <= session.delivered_kwh < 1e6:
            raise Finding(
                "bad-trace",
                "a stay of up to two weeks and energy of at least 0",
                f"another in row {count + 1}",
                "mend that row or drop it",
            )
        found.append(session)
    if not found:
        raise Finding("bad-trace", "sessions", "none", "mend the file")
    found.sort(key=lambda session: session.arrival)
    first = found[0].arrival.replace(hour=0, minute=0, second=0, microsecond=0)
    return Sessions(
        first,
        np.array([int((session.arrival - first).total_seconds()) for session in found]),
        np.array([int(session.stay.total_seconds()) for session in found]),
        np.array([session.delivered_kwh for session in found]),
        np.array([session.requested_kwh for session in found]),
    )


def rates(sessions: Sessions, column: str | None, interval_s: int | None = None) -> Series:
    """What sessions come to in each interval: a series that a trace can follow.

    Args:
        sessions: The sessions.
        column: ``connected`` (vehicles plugged in, mean), ``arrivals`` (per hour) or ``energy``
            (kW: what the arriving vehicles will take, over the interval in which they arrive).
        interval_s: A quarter of an hour by default.

    Raises:
        Finding: ``bad-trace`` or ``budget``.
    """
    if column not in COLUMNS:
        expected = f"a column: {', '.join(COLUMNS)}"
        actual = "none named" if column is None else "another one"
        raise Finding("bad-trace", expected, actual, "name one that sessions come to")
    interval = interval_s or _INTERVAL_S
    # To the end of the last day, so that days without departures count too.
    end = int(sessions.arrival_s[-1] // 86400 + 1) * 86400
    count = -(-end // interval)
    if count > MAX_ROWS:
        raise Finding("budget", f"at most {MAX_ROWS} intervals", f"{count}", "cut the file")
    edges: Array = np.arange(count + 1, dtype=np.float64) * interval
    if column == "connected":
        # Vehicle-seconds up to each edge: the integral of those that came minus those that left.
        came = _integral(sessions.arrival_s, edges)
        left = _integral(sessions.arrival_s + sessions.stay_s, edges)
        values = np.diff(came - left) / interval
    else:
        weights = sessions.delivered_kwh if column == "energy" else None
        values = np.histogram(sessions.arrival_s, edges, weights=weights)[0] * 3600 / interval
    begin = (sessions.first_day - datetime(sessions.first_day.year, 1, 1)).days * 86400
    return Series(values, interval, begin, utc=False, unit=COLUMNS[column])


def _integral(moments: NDArray[np.int64], edges: Array) -> Array:
    """The integral of the number of moments that have passed, at each edge."""
    ordered = np.sort(moments).astype(np.float64)
    passed = np.searchsorted(ordered, edges, side="right")
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    return np.asarray(passed * edges - total[passed])
