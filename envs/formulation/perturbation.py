"""The perturbation check: moving a parameter must move what it should.

A spec can compile, run and still ignore half of what it states: a figure that enters nothing, an
intensity with the wrong sign. So each parameter is moved, on the same scenarios and under the same
actions, and something must come out different.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.problem import Problem
from envs.simulation.vector import ProblemVectorEnv
from envs.spec.diagnostics import Diagnostic, SpecError, shorten
from envs.spec.units import parse_unit

STEPS = 4_096
"""Played for each moved parameter: at least 16 scenarios, more of short episodes."""
SEED = 20_240_406
FACTORS = (1.1, 0.5, 2.0)
"""A limit that is seldom reached moves nothing at first: halved or doubled it must."""
DIRTIER = 1.1

_INTENSITY = parse_unit("gCO2e/kWh").dimension
_DRAWN_IN_UNIT = {
    "normal": ("mean", "std"),
    "lognormal": ("median",),
    "exponential": ("mean",),
    "gamma": ("scale",),
    "poisson": ("mean",),
}

Array = NDArray[Any]


def perturbations(problem: Problem) -> Iterator[Diagnostic]:
    """Look for parameters without effect, and for carbon that falls when its intensity rises."""
    plan = _plan(problem)
    base = problem.spec.model_dump(exclude_none=True, exclude_defaults=True, exclude={"provenance"})
    played = list(_play(problem, plan))
    for name in problem.spec.parameters:
        if not _matters(base, name, plan, played):
            yield Diagnostic(
                "idle-parameter",
                f"parameters.{name}",
                "a parameter that something depends on",
                "the same carbon, penalties, observations, rules and metrics when it is halved or "
                "doubled",
                "use it where it belongs, or drop it; a limit never reached is wrong or needless",
            )
    yield from _intensities(problem, base, plan)


def _plan(problem: Problem) -> NDArray[np.float32]:
    """Actions: at random in half the scenarios, at a corner throughout in the others.

    Only who insists meets an empty store or a full queue.
    """
    rng = np.random.default_rng(SEED)
    scenarios = min(max(16, STEPS // problem.horizon), 512)
    shape = problem.horizon, scenarios, problem.compiled().action_size
    plan = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
    plan[:, ::2] = np.sign(plan[0, ::2])
    return plan


def _play(problem: Problem, plan: NDArray[np.float32]) -> Iterator[list[Array]]:
    """What one sees and pays at each step, and the totals of the episode."""
    env = ProblemVectorEnv(problem, plan.shape[1])
    observation, _ = env.reset(options={"scenarios": np.arange(plan.shape[1])})
    for actions in plan:
        rules = [env.heuristic_actions(name) for name in problem.heuristics]
        seen = observation
        observation, _, _, _, info = env.step(actions)
        totals = [info["totals"][key] for key in sorted(info.get("totals", ()))]
        yield [seen, info["carbon_g"], info["penalty_g"], *rules, *totals]


def _matters(
    base: dict[str, Any], name: str, plan: NDArray[np.float32], played: list[list[Array]]
) -> bool:
    for factor in FACTORS:
        try:
            moved = _with(base, "parameters", name, factor)
            if moved is None:
                return True  # categories cannot be scaled; the compiler saw that they are used
            problem = Problem(moved)
            for before, after in zip(played, _play(problem, plan), strict=True):
                if not all(map(np.array_equal, before, after)):
                    return True
        except (SpecError, ArithmeticError):
            return True  # what moves it out of bounds depends on it
    return False


def _intensities(
    problem: Problem, base: dict[str, Any], plan: NDArray[np.float32]
) -> Iterator[Diagnostic]:
    names = [
        (section, name)
        for section in ("processes", "parameters")
        for name, item in getattr(problem.spec, section).items()
        if parse_unit(item.unit).dimension == _INTENSITY and _is_intensity(name)
    ]
    moved = base
    for section, name in names:
        if section == "processes" or getattr(problem.spec.parameters[name], "expr", None) is None:
            moved = _with(moved, section, name, DIRTIER) or moved
    if moved is base:
        return
    try:
        dirtier = Problem(moved)
    except SpecError:
        return
    before, after = (_carbon(one, plan) for one in (problem, dirtier))
    if not after > before:
        shown = shorten(", ".join(name for _, name in names), 120)
        yield Diagnostic(
            "inverted-intensity",
            "objective.carbon",
            f"more carbon under the same actions when {shown} rises by a tenth",
            f"{before:.6g} gCO2e before, {after:.6g} gCO2e after",
            "check the signs: carbon is intensity times energy used, less what exports replace",
        )


def _is_intensity(name: str) -> bool:
    words = set(name.split("_"))
    return "intensity" in words or "ci" in words or {"carbon", "grid"} & words == {"carbon", "grid"}


def _carbon(problem: Problem, plan: NDArray[np.float32]) -> float:
    return float(sum(step[1].sum() for step in _play(problem, plan)))


def _with(base: dict[str, Any], section: str, name: str, factor: float) -> dict[str, Any] | None:
    """The document with one item scaled; None when it cannot be."""
    item = scaled(base[section][name], factor)
    if item is None:
        return None
    return {**base, section: {**base[section], name: item}}


def scaled(item: dict[str, Any], factor: float) -> dict[str, Any] | None:
    """A parameter or process with its values times a factor; None when it has none to scale.

    Elements of a list are moved unevenly, so that what depends on their order or ratio moves too.
    """
    item = dict(item)
    if "value" in item:
        value = item.pop("value")
        if isinstance(value, str):
            return {**item, "expr": f"'{value}' * {factor}"}
        array = np.array(value, dtype=float)
        uneven = np.linspace(1 + (factor - 1) / 2, factor, max(array.size, 2))[-array.size :]
        moved = (array if array.any() else array + 0.1) * uneven.reshape(array.shape)
        return {**item, "value": moved.tolist()}
    if "expr" in item:
        if not item.get("index"):
            return {**item, "expr": _times(item["expr"], factor)}
        weight = f"(1 + {factor - 1:.6g} / (1 + position({item['index'][-1]})))"
        return {**item, "expr": f"({item['expr']}) * {weight}"}
    if "ar1" in item:
        moments = {k: _times(item["ar1"][k], factor) for k in ("mean", "std") if k in item["ar1"]}
        return {**item, "ar1": {**item["ar1"], **moments}}
    if "markov" in item:
        values = [_times(value, factor) for value in item["markov"]["values"]]
        return {**item, "markov": {**item["markov"], "values": values}}
    if "sample" in item:
        ((kind, arguments),) = item["sample"].items()
        if kind == "uniform":
            return {**item, "sample": {kind: [_times(end, factor) for end in arguments]}}
        if kind == "choice":
            values = [_times(value, factor) for value in arguments["values"]]
            return {**item, "sample": {kind: {**arguments, "values": values}}}
        if kind in _DRAWN_IN_UNIT:
            changed = {
                key: _times(arguments[key], factor)
                for key in _DRAWN_IN_UNIT[kind]
                if key in arguments
            }
            return {**item, "sample": {kind: {**arguments, **changed}}}
    return None


def _times(value: Any, factor: float) -> Any:
    return f"({value}) * {factor}" if isinstance(value, str) else value * factor
