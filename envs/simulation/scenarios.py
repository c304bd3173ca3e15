"""Scenarios: parameters and whole exogenous paths, drawn before the first step.

So that every agent meets the same held-out scenarios, an oracle can look ahead over the same path, and the step is a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from envs.compiler.graph import Node
from envs.compiler.model import Compiled, ProcessPlan
from envs.compiler.tape import evaluate
from envs.simulation.draws import transform, uniforms_needed
from envs.simulation.random import stream_key, uniforms

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scenarios:
    """A batch of scenarios, in base units, batch first.

    Attributes:
        parameters: Sampled parameters by name, ``(batch, *index)``.
        paths: Processes by name, ``(steps, batch, *index)``; forecasts last ``horizon`` steps, others up to the longest
            lead further.
    """

    parameters: Mapping[str, Array]
    paths: Mapping[str, Array]


def sample_scenarios(problem: Problem, split: str, indices: NDArray[np.int64]) -> Scenarios:
    """Draw scenarios of a split by number, as the environments of that split meet them."""
    drawn = ScenarioSampler(problem.compiled(split), split).sample(np.asarray(indices, dtype=np.int64))
    return Scenarios(
        {name: np.moveaxis(value, -1, 0) for name, value in drawn.parameters.items()},
        {name: np.moveaxis(value, -1, 1) for name, value in drawn.paths.items()},
    )


@dataclass(frozen=True)
class Drawn:
    """A batch of scenarios in the layout of the tape: batch last, time first."""

    parameters: dict[str, Array]
    paths: dict[str, Array]

    def slice(self, start: int, stop: int) -> Drawn:
        """Some of the scenarios."""

        def part(values: dict[str, Array]) -> dict[str, Array]:
            return {n: v[..., start:stop] if v.shape[-1] > 1 else v for n, v in values.items()}

        return Drawn(part(self.parameters), part(self.paths))


class ScenarioSampler:
    """Draws the scenarios of one split of a problem."""

    def __init__(self, compiled: Compiled, split: str) -> None:
        """Prepare the streams."""
        self._compiled = compiled
        meta = compiled.spec.meta
        self._keys = {
            name: stream_key(meta.name, meta.version, split, f"{kind}:{name}")
            for kind, plans in (("parameter", compiled.sampled), ("process", compiled.processes))
            for name in (plan.name for plan in plans)  # type: ignore[attr-defined]
        }
        self.steps = compiled.spec.time.horizon + compiled.lookahead
        self._clock = clock_paths(compiled, self.steps)

    def sample(self, scenarios: NDArray[np.int64]) -> Drawn:
        """Draw scenarios by number, shape ``(batch,)``."""
        compiled, batch = self._compiled, len(scenarios)
        registers: dict[int, Array] = {}
        for number, path in self._clock.items():
            registers[number] = path
        drawn = Drawn({}, {})
        for parameter in compiled.sampled:
            u = self._uniforms(parameter.name, scenarios, parameter.node, uniforms_needed(parameter.draw))
            roots = parameter.draw.arguments
            values = self._arguments(roots, registers, batch, None)
            value = transform(parameter.draw, u, values)
            value = np.clip(value, *parameter.node.interval)
            registers[parameter.node.number] = drawn.parameters[parameter.name] = value
        for plan in compiled.processes:
            path = self._path(plan, scenarios, registers, drawn, batch)
            registers[plan.node.number] = drawn.paths[plan.name] = path
        return drawn

    def _uniforms(self, name: str, scenarios: NDArray[np.int64], node: Node, count: int, steps: int = 1) -> Array:
        """Uniforms of shape ``(count, steps, *index, batch)``, without the steps axis when it is 1 and not a path."""
        sizes = self._compiled.graph.sizes(node.index)
        total = steps * count * int(np.prod(sizes))
        flat = uniforms(self._keys[name], scenarios, total)
        shaped = flat.reshape((steps, count, *sizes, len(scenarios)))
        return np.moveaxis(shaped, 0, 1) if node.op == "process" else shaped[0]

    def _arguments(
        self, roots: Mapping[str, Node], registers: dict[int, Array], batch: int, steps: int | None
    ) -> dict[str, Array]:
        values = evaluate(self._compiled.graph, list(roots.values()), registers, batch, steps)
        return dict(zip(roots, values, strict=True))

    def _path(
        self, plan: ProcessPlan, scenarios: NDArray[np.int64], registers: dict[int, Array], drawn: Drawn, batch: int
    ) -> Array:
        """The path of one process, ``(steps, *index, batch)``."""
        graph, node = self._compiled.graph, plan.node
        if plan.kind == "forecast":
            path = self._forecast(plan, scenarios, registers, drawn, batch)
        elif plan.kind == "expr":
            assert plan.arguments is not None
            value = plan.arguments["value"]
            (path,) = evaluate(graph, [value], registers, batch, self.steps)
            path = graph.aligned(value, path, node.index)
            shape = (self.steps, *graph.sizes(node.index), path.shape[-1])
            path = np.broadcast_to(path, shape)
        else:
            path = self._drawn(plan, scenarios, registers, batch)
            if plan.hold > 1:
                path = np.repeat(path, plan.hold, axis=0)[: self.steps]
        return np.clip(path, *node.interval)

    def _drawn(
        self, plan: ProcessPlan, scenarios: NDArray[np.int64], registers: dict[int, Array], batch: int
    ) -> Array:
        count = -(-self.steps // plan.hold)
        if plan.kind == "sample":
            assert plan.draw is not None
            u = self._uniforms(plan.name, scenarios, plan.node, uniforms_needed(plan.draw), count)
            arguments = self._over_time(plan, plan.draw.arguments, registers, batch)
            return transform(plan.draw, u, arguments)
        u = self._uniforms(plan.name, scenarios, plan.node, 1, count)[0]
        if plan.kind == "markov":
            return _markov_path(plan, u)
        assert plan.arguments is not None
        arguments = self._over_time(plan, plan.arguments, registers, batch)
        z = _autoregress(ndtri(u), arguments["correlation"])
        path: Array = arguments["mean"] + arguments["std"] * z
        return path

    def _over_time(
        self, plan: ProcessPlan, roots: Mapping[str, Node], registers: dict[int, Array], batch: int
    ) -> dict[str, Array]:
        """Arguments aligned to the process's index; those that change in time are taken when a draw is made."""
        values = self._arguments(roots, registers, batch, self.steps)
        graph = self._compiled.graph
        aligned = {role: graph.aligned(roots[role], value, plan.node.index) for role, value in values.items()}
        rank = len(plan.node.index) + 1
        return {role: v[:: plan.hold] if v.ndim > rank else v for role, v in aligned.items()}

    def _forecast(
        self, plan: ProcessPlan, scenarios: NDArray[np.int64], registers: dict[int, Array], drawn: Drawn, batch: int
    ) -> Array:
        graph, node, horizon = self._compiled.graph, plan.node, self._compiled.spec.time.horizon
        truth = drawn.paths[plan.of]
        of_index = next(p.node.index for p in self._compiled.processes if p.name == plan.of)
        if plan.lead_set is None:
            ahead = truth[plan.leads[0] : plan.leads[0] + horizon]
            ahead = ahead.reshape((horizon, *graph.sizes(of_index), truth.shape[-1]))
        else:
            axis = 1 + graph.joined(of_index, (plan.lead_set,)).index(plan.lead_set)
            ahead = np.stack([truth[k : k + horizon] for k in plan.leads], axis=axis)
        assert plan.arguments is not None
        (error,) = evaluate(graph, [plan.arguments["error"]], registers, batch)
        u = self._uniforms(plan.name, scenarios, node, 1, horizon)[0]
        noise = _autoregress(ndtri(u), np.float64(plan.correlation))
        path: Array = ahead + graph.aligned(plan.arguments["error"], error, node.index) * noise
        return path


def clock_paths(compiled: Compiled, steps: int) -> dict[int, Array]:
    """The built-in times over a path, ``(steps, 1)`` each, by node number of those the problem uses."""
    step = np.arange(steps, dtype=np.float64)
    hours, minutes = map(int, compiled.spec.time.start.split(":"))
    seconds = hours * 3600 + minutes * 60 + step * compiled.step_s
    horizon = compiled.spec.time.horizon
    paths = {
        "step_index": np.minimum(step, horizon - 1),
        "hour_of_day": np.mod(seconds, 86400.0),
        "day_index": np.floor(seconds / 86400.0),
        "time_remaining": np.maximum(horizon - step, 1.0) / horizon,
    }
    return {node.number: paths[name][:, None] for name, node in compiled.clock.items()}


def _autoregress(z: Array, correlation: Array | np.float64) -> Array:
    """Stationary AR(1) of unit variance from independent normals along the first axis, in place."""
    fresh = np.sqrt(1 - np.square(correlation))
    for t in range(1, len(z)):
        z[t] *= fresh
        z[t] += correlation * z[t - 1]
    return z


def _markov_path(plan: ProcessPlan, u: Array) -> Array:
    assert plan.transition is not None and plan.values is not None
    size = len(plan.values)
    balance = np.vstack([plan.transition.T - np.eye(size), np.ones(size)])
    stationary = np.linalg.lstsq(balance, np.append(np.zeros(size), 1.0), rcond=None)[0]
    cumulative = np.cumsum(plan.transition, axis=1)[:, :-1]
    state = np.searchsorted(np.cumsum(stationary)[:-1], u[0], side="right")
    path = np.empty_like(u)
    path[0] = plan.values[state]
    for t in range(1, len(u)):
        state = (u[t][..., None] >= cumulative[state]).sum(axis=-1)
        path[t] = plan.values[state]
    return path
