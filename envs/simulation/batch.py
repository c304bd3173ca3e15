"""The native simulation: a batch of scenarios that advance in lock step.

A scenario is drawn first, then a step is a pure function of state, decision and the exogenous
values of that time. All episodes of a problem have the same length, so one clock serves the whole
batch. Arrays are batch-last in here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.compiler.graph import Node
from envs.compiler.model import Compiled
from envs.compiler.tape import SOURCES, NumpyTape, Tape, TorchTape, evaluate, needed
from envs.simulation.account import VIOLATIONS, Account
from envs.simulation.nonfinite import NonFiniteError, divergent_action, named_after
from envs.simulation.scenarios import Drawn, ScenarioSampler, clock_paths

AHEAD_STEPS = 8192
"""Short episodes are drawn in blocks of this many steps: sampling has a fixed overhead."""


@dataclass(frozen=True)
class State:
    """Everything that distinguishes a moment of a simulation; `totals` as in `Account`."""

    time: int
    scenarios: NDArray[np.int64]
    drawn: Drawn
    values: tuple[Any, ...]
    totals: Any
    next_scenario: int
    ended: bool


class BatchSimulation:
    """Simulates ``batch`` scenarios of one split.

    After `reset` and `step`, `observation` is ``(batch, observation_size)``; after `step`,
    `carbon_g`, `penalty_g`, `energy_j` are ``(batch,)`` and `cost` is ``(constraints, batch)``.
    With the torch backend they are tensors with gradients. They are not written to again.
    """

    def __init__(
        self,
        compiled: Compiled,
        batch: int,
        split: str = "train",
        seed: int = 0,
        backend: str = "numpy",
        device: str = "cpu",
        dtype: str = "float64",
    ) -> None:
        """Compile the tape for this batch size.

        Args:
            compiled: The problem in this split.
            batch: Scenarios simulated together.
            split: Which stream of scenarios is met.
            seed: Where in the stream `reset` starts: seeds meet different scenarios.
            backend: ``numpy`` or ``torch``.
            device: Of the torch backend.
            dtype: Of the torch backend; agreement with NumPy is promised in ``float64``.
        """
        self._made_with = (compiled, batch, split, seed, backend, device, dtype)
        self.compiled, self.batch, self.split = compiled, batch, split
        self.horizon = compiled.spec.time.horizon
        self._sampler = ScenarioSampler(compiled, split)
        self._clock = clock_paths(compiled, self.horizon)
        self._wanted, self._shown = self._roots(), [o.node for o in compiled.observations]
        self.torch = backend == "torch"
        self._tape: Tape = (
            TorchTape(compiled.graph, self._wanted, batch, device, dtype)
            if self.torch
            else NumpyTape(compiled.graph, self._wanted, batch)
        )
        self._raw = np.zeros((compiled.action_size, batch))
        self._parts = self._raw_parts(self._raw)
        self._next_is_source = any(s.next.origin.op in SOURCES for s in compiled.states)
        self._seen = self._tape.rows(self._shown)
        self._account = Account(compiled, self._tape, batch)
        self._drawn_ahead: tuple[int, Drawn] | None = None
        self.seed(seed)
        self.time = 0
        self.ended = False
        self.scenarios = np.zeros(batch, dtype=np.int64)
        self.totals = self._own(self._account.opened())

    def __getstate__(self) -> tuple[Any, ...]:
        """For copies and pickles: registers view each other, which their copies would not."""
        moment = self.clone_state() if hasattr(self, "drawn") else None
        return self._made_with, self._next_scenario, moment

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Make the simulation anew and return to the moment."""
        made_with, next_scenario, moment = state
        BatchSimulation.__init__(self, *made_with)
        self._next_scenario = next_scenario
        if moment is not None:
            self.set_state(moment)

    def _roots(self) -> list[Node]:
        c = self.compiled
        roots = [
            c.carbon,
            c.penalty,
            *(p.violation for p in c.constraints),
            *(m.node for m in c.metrics),
        ]
        roots += (
            [o.node for o in c.observations]
            + [s.next for s in c.states]
            + [d.node for d in c.decisions]
        )
        roots += [node for node in (c.terminal_during, c.terminal_last) if node is not None]
        roots += [s.init for s in c.states] + list(c.clock.values())
        # Sources have registers even when no step needs them, so that every named quantity can be
        # looked at.
        return roots + [node for node, _ in c.named.values() if node.op in SOURCES]

    def seed(self, seed: int) -> None:
        """Start at the scenarios of a seed; each seed has room for 2^32 of them."""
        self._next_scenario = (seed % 2**30) << 32
        self._drawn_ahead = None

    def reset(self, scenarios: NDArray[np.int64] | None = None) -> None:
        """Begin episodes: of the given scenario numbers, or of the next ones of the stream."""
        if scenarios is None:
            self.scenarios = np.arange(
                self._next_scenario, self._next_scenario + self.batch, dtype=np.int64
            )
            self.drawn = self._next_drawn()
        else:
            self.scenarios = np.asarray(scenarios, dtype=np.int64).copy()
            if self.scenarios.shape != (self.batch,) or self.scenarios.min() < 0:
                raise ValueError(
                    f"expected {self.batch} scenario numbers >= 0; "
                    f"found shape {self.scenarios.shape}"
                )
            self.drawn = self._sampler.sample(self.scenarios)
        self._begin(0)
        for state in self.compiled.states:
            self._tape.load(state.node, self._tape.get(state.init))
        self.totals = self._own(self._account.opened())
        self.ended = False
        self._arrive()

    def _next_drawn(self) -> Drawn:
        """The next scenarios of the stream, drawn in blocks when episodes are short."""
        start = self._next_scenario
        self._next_scenario += self.batch
        ahead = max(1, AHEAD_STEPS // (self.horizon * self.batch)) * self.batch
        if ahead == self.batch:
            return self._sampler.sample(self.scenarios)
        if self._drawn_ahead is None or not 0 <= start - self._drawn_ahead[0] <= ahead - self.batch:
            self._drawn_ahead = (
                start,
                self._sampler.sample(np.arange(start, start + ahead, dtype=np.int64)),
            )
        first, block = self._drawn_ahead
        return block.slice(start - first, start - first + self.batch)

    def _begin(self, time: int) -> None:
        self.time = time
        self.drawn = Drawn(
            {name: self._own(value) for name, value in self.drawn.parameters.items()},
            {name: self._own(value) for name, value in self.drawn.paths.items()},
        )
        for parameter in self.compiled.sampled:
            self._tape.load(parameter.node, self.drawn.parameters[parameter.name])
        self._paths = [(p.node, self.drawn.paths[p.name]) for p in self.compiled.processes]
        self._paths += [(n, self._clock[n.number]) for n in self.compiled.clock.values()]
        self._tape.run("scenario")

    def _arrive(self) -> None:
        """Meet this time's exogenous values and compute everything known before the decision."""
        self._tape.load_moment(self._paths, self.time)
        self._tape.run("arrival")
        seen = self._seen()
        self._check_finite(seen, self._shown)
        self.observation = seen.T

    def decide(self, actions: Any) -> None:
        """Apply decisions without moving on: everything of this step can then be looked at."""
        if self.torch:
            raw = self._tape.tensor(actions).clip(-1.0, 1.0).T  # type: ignore[attr-defined]
        else:
            self._raw[...] = np.asarray(actions).T
            raw = self._raw.clip(-1.0, 1.0, out=self._raw)
        if not self._finite(raw):
            raise divergent_action(self.compiled, to_numpy(raw), self.time)
        parts = self._raw_parts(raw) if self.torch else self._parts
        for node, part in parts:
            self._tape.load(node, part)
        self._tape.run("decision")

    def _raw_parts(self, raw: Any) -> list[tuple[Node, Any]]:
        """The components of each decision, as views of all of them ``(action_size, batch)``."""
        return [
            (d.raw, raw[d.offset : d.offset + d.count].reshape(d.shape(self.batch)))
            for d in self.compiled.decisions
        ]

    def step(self, actions: Any) -> bool:
        """Act: ``(batch, action_size)`` in [-1, 1], clipped to it.

        Returns:
            Whether the episodes ended. The clock then stands still at the last step, the states are
            the final ones.

        Raises:
            NonFiniteError: A quantity overflowed or became undefined.
        """
        self.decide(actions)
        self.ended = done = self.time + 1 == self.horizon
        step = self._account.settle(done)
        self._check_finite(step[:VIOLATIONS], self._wanted)
        self.carbon_g, self.penalty_g, self.energy_j = step[:VIOLATIONS]
        self.cost = step[VIOLATIONS : VIOLATIONS + self._account.constraints]
        self.totals = self._account.added(self.totals, step)
        following = [self._tape.get(s.next) for s in self.compiled.states]
        if self._next_is_source:
            following = [value + 0.0 for value in following]
        for state, value in zip(self.compiled.states, following, strict=True):
            self._tape.load(state.node, value)
        if not done:
            self.time += 1
        self._arrive()
        return done

    def episode(self) -> dict[str, Any]:
        """Totals of the episode so far, ``(batch,)`` each, metrics in their declared unit."""
        return self._account.episode(self.totals, self.time + self.ended)

    def values(self, nodes: list[Node]) -> list[Any]:
        """Any nodes at this moment, ``(*index, batch)`` in base units, computed now if need be."""
        registers = self._tape.registers
        if self.torch:
            registers = {number: to_numpy(register) for number, register in registers.items()}
        return evaluate(self.compiled.graph, nodes, registers, self.batch)

    def clone_state(self) -> State:
        """A copy of this moment that later steps do not change."""
        values = tuple(self._tape.get(s.node) + 0.0 for s in self.compiled.states)
        return State(
            self.time,
            self.scenarios.copy(),
            self.drawn,
            values,
            self.totals,
            self._next_scenario,
            self.ended,
        )

    def set_state(self, state: State) -> None:
        """Return to a moment of this or an equal simulation."""
        self.scenarios, self.drawn = state.scenarios.copy(), state.drawn
        self.totals = self._own(state.totals)
        self._next_scenario, self.ended = state.next_scenario, state.ended
        self._begin(state.time)
        for plan, value in zip(self.compiled.states, state.values, strict=True):
            self._tape.load(plan.node, self._own(value))
        self._arrive()

    def cut(self) -> None:
        """Let gradients of what follows lead back to this moment and no further."""
        state = self.clone_state()
        values = tuple(value.detach() for value in state.values)
        self.set_state(replace(state, values=values, totals=state.totals.detach()))

    def _own(self, value: Any) -> Any:
        """A value in the type of this backend: clones may come from the other one."""
        return self._tape.tensor(value) if isinstance(self._tape, TorchTape) else to_numpy(value)

    def _finite(self, rows: Any) -> bool:
        """Whether all of it is finite; a gradient search looks at what it found itself."""
        if self.torch and rows.requires_grad:
            return True
        return math.isfinite(float(rows.sum() if self.torch else np.add.reduce(rows, None)))

    def _check_finite(self, rows: Any, roots: list[Node]) -> None:
        """Refuse rows that are not all finite, naming the first of what the roots are made of."""
        if self._finite(rows):
            return
        nodes = needed(roots)
        for node, value in zip(nodes, self.values(nodes), strict=True):
            if not node.boolean and not np.isfinite(value).all():
                name = named_after(self.compiled, self._wanted, node)
                bad = int(np.argmax(~np.isfinite(value).reshape(-1, value.shape[-1]).all(axis=0)))
                raise NonFiniteError(
                    f"{self.compiled.spec.meta.name}: {name} is not finite at step {self.time} of "
                    f"scenario {self.scenarios[bad]} of split '{self.split}'. "
                    "Bound what it is made of with clip(x, low, high)."
                )


def to_numpy(value: Any) -> NDArray[Any]:
    """The array of a register of either backend; an array stays itself."""
    if isinstance(value, np.ndarray):
        return value
    array: NDArray[Any] = value.detach().cpu().numpy()
    return array
