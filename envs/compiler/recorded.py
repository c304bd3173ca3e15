"""Plans for traces: which file and column each element follows, and where episodes start in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import ValidationError

from envs.compiler.model import ProcessPlan, Recording
from envs.spec import schema
from envs.spec.diagnostics import Diagnostic, Finding, SpecError, shorten
from envs.spec.units import Unit, parse_quantity, parse_unit
from envs.traces import Access, read_series, whole_days
from envs.traces.days import RUNS, starting_days
from envs.traces.series import DAY_S, MAX_VALUES, Series

if TYPE_CHECKING:
    from envs.compiler.scope import Scope

_ONE, _SECOND, _KELVIN = parse_unit("1"), parse_unit("s"), parse_unit("K")
_LARGEST_OFFSET_S = 14 * 3600
_T = TypeVar("_T")


def sealed(spec: schema.Spec, access: Access) -> schema.Spec:
    """The spec with the digest of each trace's file and its clock filled in.

    Raises:
        SpecError: ``bad-trace`` and others, for the files that cannot be read.
    """
    found: list[Diagnostic] = []

    def seal(name: str, trace: schema.Trace, path: str) -> schema.Trace:
        offset = trace.utc_offset if trace.utc_offset is not None else spec.time.utc_offset
        update: dict[str, Any] = {"utc_offset": offset}
        try:
            update["sha256"] = _digests(name, trace, access)
        except Finding as finding:
            found.append(finding.at(path))
        return trace.model_copy(update=update)

    processes = {
        name: item.model_copy(update={"trace": seal(name, item.trace, f"processes.{name}.trace")})
        for name, item in spec.processes.items()
        if item.trace is not None
    }
    splits: dict[Any, schema.Split] = {}
    for split, changed in spec.splits.items():
        shifted = dict(changed.processes)
        for name, change in changed.processes.items():
            try:
                trace = schema.Trace.model_validate(change.get("trace"))
            except ValidationError:
                continue  # No trace, or one that is refused where the split is compiled.
            path = f"splits.{split}.processes.{name}.trace"
            plain = seal(name, trace, path).model_dump(exclude_none=True)
            shifted[name] = {**change, "trace": plain}
        splits[split] = changed.model_copy(update={"processes": shifted})
    if found:
        raise SpecError(found)
    if not processes and splits == spec.splits:
        return spec
    update = {"processes": {**spec.processes, **processes}, "splits": splits}
    return spec.model_copy(update=update)


def _digests(name: str, trace: schema.Trace, access: Access) -> Any:
    def digest(file: str, stated: str | None) -> str:
        actual = hashlib.sha256(access.read(name, file)).hexdigest()
        if stated not in (None, actual):
            raise Finding(
                "bad-trace",
                "the file whose sha256 is stated",
                f"'{shorten(file)}', which is another",
                "fetch that file, or leave sha256 out to use this one",
            )
        return actual

    stated = trace.sha256
    if isinstance(trace.file, dict):
        by_label = stated if isinstance(stated, dict) else dict.fromkeys(trace.file, stated)
        return {label: digest(file, by_label.get(label)) for label, file in trace.file.items()}
    if isinstance(stated, dict):
        raise Finding("bad-trace", "one sha256, of the one file", "a map", "state it alone")
    return digest(trace.file, stated)


def plan(
    scope: Scope, name: str, item: schema.Trace, unit: Unit, index: tuple[str, ...]
) -> Recording:
    """Read the files of a trace and bring them to the problem's step.

    Raises:
        Finding: Whatever is wrong with it.
    """
    step_s = round(scope.step_s)
    if abs(scope.step_s - step_s) > 1e-9 or DAY_S % max(step_s, 1):
        raise Finding(
            "bad-trace",
            "a time.step of whole seconds that divides a day",
            f"{scope.step_s:g} s",
            "use for instance 5 min, 15 min or 1 h",
        )
    hours, minutes = map(int, scope.spec.time.start.split(":"))
    start_s = hours * 3600 + minutes * 60
    interval_s = None if item.interval is None else _whole(item.interval, "interval", 1, DAY_S)
    offset = item.utc_offset or 0
    offset_s = _whole(offset, "utc_offset", -_LARGEST_OFFSET_S, _LARGEST_OFFSET_S)

    def element(file: str, column: str | None) -> tuple[np.ndarray, int]:
        series = read_series(scope.access.read(name, file), column, interval_s)
        rows, day = whole_days(
            series, step_s, offset_s if series.utc else 0, phase_s=start_s % step_s
        )
        return _in_base_units(rows, series, unit), day

    columns = list(_elements(scope, index, item, element))
    first = max(day for _, day in columns)
    per_day = DAY_S // step_s
    cut = [rows[(first - day) * per_day :] for rows, day in columns]
    length = min(len(rows) for rows in cut)
    sizes = scope.graph.sizes(index)
    if length == 0 or length * int(np.prod(sizes)) > MAX_VALUES:
        raise Finding(
            "bad-trace" if length == 0 else "budget",
            f"days in common, and at most {MAX_VALUES} values",
            f"{length // per_day} days",
            "choose recordings of the same time of the year",
        )
    values = np.stack([rows[:length] for rows in cut], axis=-1).reshape((length, *sizes))
    return Recording(values, first, per_day, start_s // step_s)


def with_starts(plans: list[ProcessPlan]) -> list[ProcessPlan]:
    """Lay all recordings of a problem side by side by day of the year, and deal out their days.

    Raises:
        SpecError: ``bad-trace``: they are too short for what an episode needs.
    """
    known = [(p, p.recording) for p in plans if p.recording is not None]
    if not known:
        return plans
    needed = max(-(-(r.start_step + p.steps) // r.steps_per_day) for p, r in known)
    first = max(r.first_day for _, r in known)
    last = min(r.first_day + len(r.values) // r.steps_per_day for _, r in known)
    if last - first < len(RUNS) * needed:
        shortest = min(known, key=lambda pair: len(pair[1].values) / pair[1].steps_per_day)[0]
        finding = Finding(
            "bad-trace",
            f"at least {len(RUNS) * needed} whole days for disjoint splits: {len(RUNS)} times the "
            f"{needed} that an episode takes with what it looks ahead",
            f"{max(last - first, 0)} days that the recordings of this problem have in common",
            "use longer files, or shorten the horizon or the leads of forecasts",
        )
        raise SpecError([finding.at(f"processes.{shortest.name}.trace")])
    days = starting_days(last - first, needed)

    def placed(recording: Recording) -> Recording:
        starts = {
            split: (first - recording.first_day + day) * recording.steps_per_day
            + recording.start_step
            for split, day in days.items()
        }
        return replace(recording, starts=starts)

    return [replace(p, recording=placed(p.recording)) if p.recording else p for p in plans]


def _elements(
    scope: Scope,
    index: tuple[str, ...],
    item: schema.Trace,
    read: Callable[[str, str | None], _T],
) -> Iterator[_T]:
    """Read each element of the index: by label, or the same for all."""
    by_label = [part for part in (item.file, item.column) if isinstance(part, dict)]
    if not by_label:
        assert isinstance(item.file, str) and not isinstance(item.column, dict)
        for_all = read(item.file, item.column)
        yield from [for_all] * int(np.prod(scope.graph.sizes(index)))
        return
    if len(index) != 1:
        raise Finding(
            "bad-trace",
            "one file, since there is not one set to name labels of",
            f"files by label, over {list(index)}",
            "give one file, or index the process by one set",
        )
    labels = scope.labels[index[0]]
    for part in by_label:
        if set(part) != set(labels):
            missing = [label for label in labels if label not in part]
            raise Finding(
                "bad-trace",
                f"one for each of {shorten(', '.join(labels), 200)}",
                f"none for '{shorten(missing[0])}'" if missing else "one for another label",
                "name every label once",
            )
    for label in labels:
        yield read(_of(item.file, label) or "", _of(item.column, label))


def _of(given: str | Mapping[str, str] | None, label: str) -> str | None:
    return given[label] if isinstance(given, Mapping) else given


def _whole(duration: schema.ExpressionOrNumber, what: str, low: int, high: int) -> int:
    """Whole seconds of a duration."""
    seconds = duration
    if isinstance(seconds, str):
        number, unit = parse_quantity(seconds.strip().strip("'"))
        if unit.dimension != _SECOND.dimension:
            raise Finding("unit-mismatch", f"{what}: a time", f"'{shorten(seconds)}'", "use h")
        seconds = number * unit.factor
    if not low <= seconds <= high or abs(seconds - round(seconds)) > 1e-6:
        raise Finding(
            "bad-value",
            f"{what}: whole seconds from {low} to {high}",
            f"{seconds:g} s",
            "write for instance 1 h",
        )
    return round(seconds)


def _in_base_units(values: np.ndarray, series: Series, unit: Unit) -> np.ndarray:
    """Values of a recording in base units; a temperature is in K, or a plain number of degrees C.

    Raises:
        Finding: ``unit-mismatch``.
    """
    if series.unit is None:
        return values * unit.factor
    if series.unit == "degC":
        if unit.dimension == _KELVIN.dimension:
            return values + 273.15
        if unit.dimension == _ONE.dimension and unit.factor == 1:
            return values
        raise Finding("unit-mismatch", "K, or 1 for degrees C", unit.text, "mend the unit")
    given = parse_unit(series.unit)
    if given.dimension != unit.dimension:
        raise Finding(
            "unit-mismatch",
            f"{unit.text}, that is {unit.dimension}",
            f"a column in {series.unit}",
            "name a column of that dimension, or mend the process's unit",
        )
    return values * given.factor
