"""Changing a spec as a designer would: new values for parameters and processes, checked alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs.spec.diagnostics import Diagnostic, SpecError, nearest, shorten
from envs.spec.schema import PROCESS_KINDS, Trace

Changes = Mapping[str, Mapping[str, Any]]
"""``{"parameters": {name: change}, "processes": {name: change}}``."""

_PARAMETER_KINDS = ("value", "expr", "sample")


def apply(document: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Return the document (sections as maps) with changes merged into its parameters and processes.

    A change is a map of keys to replace, or for short: a number or quantity for a parameter (its
    value, the same in every scenario), a number or quantity for a process (constant in time).

    Raises:
        SpecError: ``unknown-name`` or ``unknown-key`` when a change names nothing that exists.
    """
    changed = dict(document)
    found: list[Diagnostic] = []
    for section, items in changes.items():
        if section not in ("parameters", "processes"):
            hint = nearest(section, ("parameters", "processes"))
            found.append(
                Diagnostic(
                    "unknown-key", section, "parameters or processes", f"'{shorten(section)}'", hint
                )
            )
            continue
        merged = dict(changed.get(section) or {})
        for name, change in items.items():
            if name not in merged:
                path, actual = f"{section}.{shorten(name, 48)}", f"'{shorten(name)}'"
                kind = section.removesuffix("s").replace("processe", "process")
                expected = f"a {kind} of this spec"
                found.append(
                    Diagnostic("unknown-name", path, expected, actual, nearest(name, merged))
                )
                continue
            merged[name] = _merged(section, dict(merged[name]), change)
        changed[section] = merged
    if found:
        raise SpecError(found)
    return changed


def _merged(section: str, item: dict[str, Any], change: Any) -> dict[str, Any]:
    kinds = _PARAMETER_KINDS if section == "parameters" else PROCESS_KINDS
    if not isinstance(change, Mapping):
        if section == "parameters":
            change = {"value": change}
        else:
            quantity = change if isinstance(change, str) else f"{change} {item.get('unit', '1')}"
            change = {"expr": f"'{quantity}'"}
        # What is said outright is neither clipped nor drawn.
        item.pop("bounds", None)
    if "trace" in change:
        change = {**change, "trace": _trace(change["trace"])}
        # A recording is not clipped to what its generator was bounded by.
        item.pop("bounds", None)
    if any(kind in change for kind in kinds):
        item = {key: value for key, value in item.items() if key not in kinds}
        if section == "processes":
            item.pop("hold", None)
        elif "sample" not in change:
            item.pop("bounds", None)
    return {**item, **change}


def _trace(given: Any) -> Any:
    """A path alone, or a map of paths by label, is the file of a trace."""
    paths = isinstance(given, Mapping) and given and not set(given) & set(Trace.model_fields)
    return {"file": given} if isinstance(given, str) or paths else given


def granted(changes: Changes) -> frozenset[tuple[str, str]]:
    """Pairs of process and file that the changes name: the user's own, wherever they lie."""
    pairs: set[tuple[str, str]] = set()
    for name, change in changes.get("processes", {}).items():
        trace = _trace(change.get("trace")) if isinstance(change, Mapping) else None
        file = trace.get("file") if isinstance(trace, Mapping) else None
        files = file.values() if isinstance(file, Mapping) else [file]
        pairs |= {(name, one) for one in files if isinstance(one, str)}
    return frozenset(pairs)
