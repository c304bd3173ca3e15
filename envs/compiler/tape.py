"""Execution of a graph: NumPy with preallocated buffers, torch with gradients, one semantics.

A tape is compiled for the values that are wanted. It has registers: sources are loaded, then the
operations of a level are run, then registers are read. Both backends have the same three methods,
so that the simulation does not know which one it drives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from envs.compiler import kernels
from envs.compiler.graph import FloatArray, Graph, Level, Node

SOURCES = frozenset({"parameter", "process", "time", "state", "action", "constant"})

PHASES: dict[str, tuple[Level, ...]] = {
    "scenario": (Level.SCENARIO,),
    "arrival": (Level.EXOGENOUS, Level.STATE),
    "decision": (Level.DECISION,),
}
"""When operations run: once a scenario, at each new time, after each decision."""


class Tape(Protocol):
    """Registers and the operations between them."""

    def load(self, node: Node, value: Any) -> None:
        """Set a source."""

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""

    def get(self, node: Node) -> Any:
        """Read a register, of shape ``(*index, batch)`` (batch 1 where all share one value)."""


def needed(roots: Iterable[Node], given: Iterable[int] = ()) -> list[Node]:
    """All nodes that the roots depend on, arguments first, stopping at the given numbers."""
    known = set(given)
    found: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.number not in found and node.number not in known:
            found[node.number] = node
            stack.extend(node.arguments)
    # A node is made after its arguments, so its number is larger.
    return [found[number] for number in sorted(found)]


class NumpyTape:
    """A tape whose every operation writes into its own preallocated array."""

    def __init__(self, graph: Graph, roots: Sequence[Node], batch: int) -> None:
        """Allocate registers for everything the roots need, for a batch of scenarios."""
        self.registers: dict[int, Any] = {}
        self._programs: dict[str, list[Callable[[], None]]] = {phase: [] for phase in PHASES}
        phase_of = {level: phase for phase, levels in PHASES.items() for level in levels}
        for node in needed(roots):
            if node.value is not None:
                self.registers[node.number] = node.value
                continue
            shape = (*graph.sizes(node.index), batch if node.batched else 1)
            out = np.zeros(shape, dtype=bool if node.boolean else np.float64)
            self.registers[node.number] = out
            if node.op in SOURCES:
                continue
            views = [
                graph.aligned(a, self.registers[a.number], node.layout) for a in node.arguments
            ]
            ufunc = kernels.UFUNCS.get(node.op)
            operation: Callable[[], None] = (
                partial(ufunc, *views, out=out)
                if ufunc is not None
                else partial(kernels.NUMPY[node.op], *views, out=out, attribute=node.attribute)
            )
            self._programs[phase_of[node.level]].append(operation)

    def load(self, node: Node, value: Any) -> None:
        """Copy a value into a source; a node that nothing needs is passed over."""
        register = self.registers.get(node.number)
        if register is not None:
            np.copyto(register, value)

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""
        for operation in self._programs[phase]:
            operation()

    def get(self, node: Node) -> Any:
        """The register itself: it changes with the next run."""
        return self.registers[node.number]


class TorchTape:
    """A tape of tensors; gradients flow from any register back to the actions."""

    def __init__(
        self, graph: Graph, roots: Sequence[Node], batch: int, device: str, dtype: str
    ) -> None:
        """Prepare the operations; constants are moved to the device once."""
        import torch

        self._torch = torch
        self._graph = graph
        self.device = torch.device(device)
        self.dtype = getattr(torch, dtype)
        self._registers: dict[int, Any] = {}
        self._programs: dict[str, list[Node]] = {phase: [] for phase in PHASES}
        phase_of = {level: phase for phase, levels in PHASES.items() for level in levels}
        self._needed = needed(roots)
        for node in self._needed:
            if node.value is not None:
                self._registers[node.number] = self.tensor(node.value)
            elif node.op not in SOURCES:
                self._programs[phase_of[node.level]].append(node)

    def tensor(self, value: Any) -> Any:
        """A value as a tensor of this tape's type, on its device."""
        if isinstance(value, self._torch.Tensor):
            return value.to(self.device, self.dtype)
        array = np.asarray(value)
        tensor = self._torch.from_numpy(np.ascontiguousarray(array))
        return tensor.to(self.device, self._torch.bool if array.dtype == bool else self.dtype)

    def load(self, node: Node, value: Any) -> None:
        """Set a source."""
        shape = (*self._graph.sizes(node.index), -1)
        tensor = self.tensor(value)
        self._registers[node.number] = (
            tensor.reshape(shape) if tensor.ndim != len(shape) else tensor
        )

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""
        registers, torch, graph = self._registers, self._torch, self._graph
        for node in self._programs[phase]:
            views = [graph.aligned(a, registers[a.number], node.layout) for a in node.arguments]
            if node.op == "number":
                registers[node.number] = views[0].to(self.dtype)
            else:
                registers[node.number] = kernels.TORCH[node.op](
                    torch, *views, attribute=node.attribute
                )

    def get(self, node: Node) -> Any:
        """The tensor of a node."""
        return self._registers[node.number]


def evaluate(
    graph: Graph,
    roots: Sequence[Node],
    given: Mapping[int, FloatArray],
    batch: int,
    steps: int | None = None,
) -> list[FloatArray]:
    """Evaluate nodes once, over a whole path of ``steps`` or at one time.

    Args:
        graph: The graph of the nodes.
        roots: What is wanted.
        given: Known registers by node number, of shape ``(*index, batch)``; those that change in
            time have a leading axis of ``steps`` when ``steps`` is given.
        batch: Scenarios.
        steps: Length of the path, or None.

    Returns:
        One array for each root.
    """
    registers: dict[int, Any] = dict(given)
    for node in needed(roots, registers):
        if node.value is not None:
            registers[node.number] = node.value
            continue
        lead = (steps,) if steps is not None and node.level >= Level.EXOGENOUS else ()
        shape = (*lead, *graph.sizes(node.index), batch if node.batched else 1)
        out = np.empty(shape, dtype=bool if node.boolean else np.float64)
        views = [graph.aligned(a, registers[a.number], node.layout) for a in node.arguments]
        kernels.NUMPY[node.op](*views, out=out, attribute=node.attribute)
        registers[node.number] = out
    return [registers[root.number] for root in roots]
