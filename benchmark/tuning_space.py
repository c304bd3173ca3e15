"""The space an agent's values are searched in, as ``conf/tune`` has it."""

import copy
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from benchmark.errors import BenchmarkError
from benchmark.options import option_names

Number = int | float


@dataclass(frozen=True)
class Dimension:
    """One value that is searched.

    Attributes:
        name: Key of the agent's config, with the place in a list where it has one:
            ``exploration[1]``.
        low: Smallest value.
        high: Largest value.
        log: Whether it is searched on a logarithmic scale.
    """

    name: str
    low: Number
    high: Number
    log: bool

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried: both bounds are written without a point."""
        return isinstance(self.low, int) and isinstance(self.high, int)


def shipped_space(agent: str) -> dict[str, Any]:
    """The values of ``conf/tune/AGENT.yaml``.

    Raises:
        BenchmarkError: The suite has no space for such an agent.
    """
    known = option_names("tune")
    if agent not in known:
        raise BenchmarkError(
            f"there is no space to search for agent={agent}; known: {', '.join(known)}; one of "
            "your own: --config-dir FOLDER tune=NAME, in FOLDER/tune/NAME.yaml"
        )
    text = (resources.files("conf") / "tune" / f"{agent}.yaml").read_text()
    values: dict[str, Any] = yaml.safe_load(text)
    return values


def read_space(values: Mapping[str, Any], agent: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Check a space against the agent it is for.

    Args:
        values: ``{name: {log: [low, high]}}`` or ``{linear: …}``.
        agent: The agent's values; each must lie in its interval, because they are the first trial.

    Raises:
        BenchmarkError: A dimension is malformed, or the agent has no such value within it.
    """
    if not values:
        raise BenchmarkError("tune.space is empty: there is nothing to search")
    return tuple(_dimension(name, entry, agent) for name, entry in values.items())


def shipped_point(space: tuple[Dimension, ...], agent: Mapping[str, Any]) -> dict[str, Number]:
    """Where in the space the agent's own values lie."""
    return {dimension.name: _get(agent, dimension.name) for dimension in space}


def placed(agent: Mapping[str, Any], point: Mapping[str, Number]) -> dict[str, Any]:
    """The agent's values with a point of the space in their place."""
    values = copy.deepcopy(dict(agent))
    for name, value in point.items():
        key, index = _split(name)
        if index is None:
            values[key] = value
        else:
            values[key][index] = value
    return values


def _dimension(name: str, entry: Any, agent: Mapping[str, Any]) -> Dimension:
    place = f"tune.space.{name}"
    scale, bounds = next(iter(entry.items())) if _single(entry) else (None, None)
    if scale not in ("log", "linear") or not isinstance(bounds, list) or len(bounds) != 2:
        raise BenchmarkError(
            f"{place}: expected {{log: [low, high]}} or {{linear: [low, high]}}, found {entry!r}"
        )
    low, high = bounds
    lowest = 0 if scale == "log" else -math.inf
    if not (_number(low) and _number(high) and lowest < low < high < math.inf):
        kind = "numbers above 0" if scale == "log" else "numbers"
        raise BenchmarkError(f"{place}: expected two {kind}, the first the lesser, found {bounds}")
    dimension = Dimension(name, low, high, scale == "log")
    value = _get(agent, name)
    if not _number(value) or not low <= value <= high:
        raise BenchmarkError(
            f"{place}: the agent's own value {value!r} is the first trial, and must lie in {bounds}"
        )
    return dimension


def _single(entry: Any) -> bool:
    return isinstance(entry, Mapping) and len(entry) == 1


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _split(name: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\w+)(?:\[(\d+)\])?", name)
    if match is None:
        raise BenchmarkError(f"tune.space.{name}: expected a name, or name[number]")
    return match[1], None if match[2] is None else int(match[2])


def _get(agent: Mapping[str, Any], name: str) -> Any:
    key, index = _split(name)
    try:
        return agent[key] if index is None else agent[key][index]
    except (KeyError, IndexError, TypeError) as error:
        raise BenchmarkError(f"tune.space.{name}: the agent has no such value") from error
