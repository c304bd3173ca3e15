"""Scenarios: parameters and whole exogenous paths, drawn before the first step.

So that every agent meets the same held-out scenarios, an oracle can look ahead over the same path,
and the step is a pure function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from envs.compiler.graph import Level, Node
from envs.compiler.model import Compiled, ProcessPlan
from envs.compiler.tape import SOURCES, evaluate, needed
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
        paths: Processes by name, ``(steps, batch, *index)``; forecasts last ``horizon`` steps,
            others up to the longest lead further.
    """

    parameters: Mapping[str, Array]
    paths: Mapping[str, Array]


def sample_scenarios(problem: Problem, split: str, indices: NDArray[np.int64]) -> Scenarios:
    """Draw scenarios of a split by number, as the environments of that split meet them."""
    drawn = ScenarioSampler(problem.compiled(split), split).sample(
        np.asarray(indices, dtype=np.int64)
    )
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


@dataclass(frozen=True)
class _Known:
    """Registers by node number: fixed ``(*index, batch)``, and paths with a leading time axis."""

    fixed: dict[int, Array]
    timed: dict[int, Array]

    def over(self, start: int, stop: int) -> dict[int, Array]:
        """All registers, paths cut to a span of time."""
        return {**self.fixed, **{number: path[start:stop] for number, path in self.timed.items()}}


_CACHED_ELEMENTS = 32_768
"""Elements of an array of which a handful fit the processor's second-level cache."""


class ScenarioSampler:
    """Draws the scenarios of one split of a problem."""

    def __init__(self, compiled: Compiled, split: str) -> None:
        """Prepare the streams."""
        self._compiled = compiled
        meta = compiled.spec.meta
        self._keys = {
            name: stream_key(meta.name, meta.version, split, f"{kind}:{name}")
            for kind, plans in (("parameter", compiled.sampled), ("process", compiled.processes))
            for name in (plan.name for plan in plans)
        }
        # One draw serves all traces: their days go together.
        self._day_key = stream_key(meta.name, meta.version, split, "trace")
        self._split = split
        horizon = compiled.spec.time.horizon
        # What depends on the scenario alone is computed once, not again for every piece of time.
        self._fixed = [
            node
            for node in needed(root for plan in compiled.processes for root in plan.roots)
            if node.level == Level.SCENARIO and node.op not in SOURCES
        ]
        self._clock = clock_paths(
            compiled, max((p.steps for p in compiled.processes), default=horizon)
        )

    def sample(self, scenarios: NDArray[np.int64]) -> Drawn:
        """Draw scenarios by number, shape ``(batch,)``."""
        compiled, batch = self._compiled, len(scenarios)
        known = _Known({}, dict(self._clock))
        drawn = Drawn({}, {})
        for parameter in compiled.sampled:
            u = self._uniforms(
                parameter.name, scenarios, parameter.node, uniforms_needed(parameter.draw)
            )
            roots = parameter.draw.arguments
            values = {
                role: compiled.graph.aligned(roots[role], value, parameter.node.index)
                for role, value in self._arguments(roots, known, batch, None).items()
            }
            value = np.clip(transform(parameter.draw, u, values), *parameter.node.interval)
            known.fixed[parameter.node.number] = drawn.parameters[parameter.name] = value
        fixed = evaluate(compiled.graph, self._fixed, known.fixed, batch)
        known.fixed.update((n.number, value) for n, value in zip(self._fixed, fixed, strict=True))
        for plan in compiled.processes:
            path = self._path(plan, scenarios, known, drawn, batch)
            known.timed[plan.node.number] = drawn.paths[plan.name] = path
        return drawn

    def _uniforms(
        self, name: str, scenarios: NDArray[np.int64], node: Node, count: int, steps: int = 1
    ) -> Array:
        """Uniforms, ``(count, steps, *index, batch)``; without the steps axis for a parameter."""
        sizes = self._compiled.graph.sizes(node.index)
        total = steps * count * int(np.prod(sizes))
        flat = uniforms(self._keys[name], scenarios, total)
        shaped = flat.reshape((steps, count, *sizes, len(scenarios)))
        return np.moveaxis(shaped, 0, 1) if node.op == "process" else shaped[0]

    def _arguments(
        self, roots: Mapping[str, Node], known: _Known, batch: int, steps: int | None
    ) -> dict[str, Array]:
        given = known.fixed if steps is None else known.over(0, steps)
        values = evaluate(self._compiled.graph, list(roots.values()), given, batch, steps)
        return dict(zip(roots, values, strict=True))

    def _path(
        self,
        plan: ProcessPlan,
        scenarios: NDArray[np.int64],
        known: _Known,
        drawn: Drawn,
        batch: int,
    ) -> Array:
        """The path of one process, ``(steps, *index, batch)``."""
        if plan.kind == "forecast":
            path = self._forecast(plan, scenarios, known, drawn, batch)
        elif plan.kind == "window":
            path = self._window(plan, drawn)
        elif plan.kind == "expr":
            path = self._derived(plan, known, batch)
        elif plan.kind == "trace":
            path = self._recorded(plan, scenarios)
        else:
            path = self._drawn(plan, scenarios, known, batch)
            if plan.hold > 1:
                path = np.repeat(path, plan.hold, axis=0)[: plan.steps]
        return np.clip(path, *plan.node.interval, out=path)

    def _derived(self, plan: ProcessPlan, known: _Known, batch: int) -> Array:
        """A function of other paths, evaluated in pieces of time that fit the processor's cache."""
        graph, index = self._compiled.graph, plan.node.index
        assert plan.arguments is not None
        value = plan.arguments["value"]
        sizes = graph.sizes(index)
        path = np.empty((plan.steps, *sizes, batch if value.batched else 1))
        piece = max(1, _CACHED_ELEMENTS // (batch * int(np.prod(sizes))))
        for start in range(0, plan.steps, piece):
            stop = min(start + piece, plan.steps)
            (part,) = evaluate(graph, [value], known.over(start, stop), batch, stop - start)
            path[start:stop] = graph.aligned(value, part, index)
        return path

    def _recorded(self, plan: ProcessPlan, scenarios: NDArray[np.int64]) -> Array:
        """The recorded path from a day that is drawn among those of the split."""
        assert plan.recording is not None
        starts = plan.recording.starts[self._split]
        (u,) = uniforms(self._day_key, scenarios, 1)
        first = starts[(u * len(starts)).astype(np.int64)]
        rows = np.arange(plan.steps)[:, None] + first
        return np.moveaxis(plan.recording.values[rows], 1, -1)

    def _drawn(
        self, plan: ProcessPlan, scenarios: NDArray[np.int64], known: _Known, batch: int
    ) -> Array:
        count = -(-plan.steps // plan.hold)
        if plan.kind == "sample":
            assert plan.draw is not None
            u = self._uniforms(plan.name, scenarios, plan.node, uniforms_needed(plan.draw), count)
            arguments = self._over_time(plan, plan.draw.arguments, known, batch)
            return transform(plan.draw, u, arguments)
        u = self._uniforms(plan.name, scenarios, plan.node, 1, count)[0]
        if plan.kind == "markov":
            return _markov_path(plan, u)
        assert plan.arguments is not None
        arguments = self._over_time(plan, plan.arguments, known, batch)
        z = _autoregress(ndtri(u, out=u), arguments["correlation"])
        z *= arguments["std"]
        z += arguments["mean"]
        return z

    def _over_time(
        self, plan: ProcessPlan, roots: Mapping[str, Node], known: _Known, batch: int
    ) -> dict[str, Array]:
        """Arguments aligned to the process's index; if they change in time, as at each draw."""
        values = self._arguments(roots, known, batch, plan.steps)
        graph = self._compiled.graph
        aligned = {
            role: graph.aligned(roots[role], v, plan.node.index) for role, v in values.items()
        }
        rank = len(plan.node.index) + 1
        return {role: v[:: plan.hold] if v.ndim > rank else v for role, v in aligned.items()}

    def _window(self, plan: ProcessPlan, drawn: Drawn) -> Array:
        """Moving sums; before the episode there is nothing."""
        graph, index, steps = self._compiled.graph, plan.node.index, plan.steps
        of = next(p.node for p in self._compiled.processes if p.name == plan.of)
        sizes = graph.sizes(index)
        one = graph.aligned(of, drawn.paths[plan.of][:steps], index)
        total = np.cumsum(np.broadcast_to(one, (steps, *sizes, one.shape[-1])), axis=0)
        path = total.copy()
        assert plan.lengths is not None
        lengths = np.broadcast_to(plan.lengths, sizes)
        for length in np.unique(lengths[lengths < steps]):
            places = lengths == length
            path[length:, places] -= total[: steps - length, places]
        return path

    def _forecast(
        self,
        plan: ProcessPlan,
        scenarios: NDArray[np.int64],
        known: _Known,
        drawn: Drawn,
        batch: int,
    ) -> Array:
        """The truth ahead and an error; one noise path serves all leads, which move together."""
        graph, node, steps = self._compiled.graph, plan.node, plan.steps
        truth = drawn.paths[plan.of]
        of = next(p.node for p in self._compiled.processes if p.name == plan.of)
        assert plan.arguments is not None
        u = self._uniforms(plan.name, scenarios, of, 1, steps)[0]
        noise = graph.aligned(
            of, _autoregress(ndtri(u, out=u), np.float64(plan.correlation)), node.index
        )
        (error,) = evaluate(graph, [plan.arguments["error"]], known.fixed, batch)
        path: Array = np.empty((steps, *graph.sizes(node.index), batch))
        np.multiply(graph.aligned(plan.arguments["error"], error, node.index), noise, out=path)
        if plan.lead_set is None:
            path += truth[plan.leads[0] : plan.leads[0] + steps]
        else:
            by_lead = np.moveaxis(path, 1 + node.index.index(plan.lead_set), 0)
            for row, lead in zip(by_lead, plan.leads, strict=True):
                row += truth[lead : lead + steps]
        return path


def clock_paths(compiled: Compiled, steps: int) -> dict[int, Array]:
    """The built-in times that the problem uses over a path, ``(steps, 1)``, by node number."""
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
