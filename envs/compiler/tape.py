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


_PHASE = {level: phase for phase, levels in PHASES.items() for level in levels}
_PHASE[Level.CONSTANT] = "scenario"


class Tape(Protocol):
    """Registers and the operations between them, registers by node number."""

    registers: dict[int, Any]

    def load(self, node: Node, value: Any) -> None:
        """Set a source."""

    def load_moment(self, paths: Sequence[tuple[Node, Any]], time: int) -> None:
        """Set sources to their values at a time, from paths with a leading time axis."""

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""

    def get(self, node: Node) -> Any:
        """Read a register, of shape ``(*index, batch)`` (batch 1 where all share one value)."""

    def rows(self, nodes: Sequence[Node]) -> Callable[[], Any]:
        """A reader of several registers, one below the other: a new array ``(rows, batch)``."""


def needed(roots: Iterable[Node], given: Iterable[int] = ()) -> list[Node]:
    """All nodes that the roots depend on, arguments first, stopping at the given numbers."""
    known = set(given)
    found: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop().origin
        if node.number not in found and node.number not in known:
            found[node.number] = node
            stack.extend(node.arguments)
    # A node is made after its arguments, so its number is larger.
    return [found[number] for number in sorted(found)]


class NumpyTape:
    """A tape whose operations write into preallocated arrays.

    Arrays of intermediate values are used again once nobody reads them, so that a step stays in the
    processor's cache.

    Attributes:
        registers: What can be read at any time, by node number: sources, constants, roots and what
            outlives its phase.
    """

    def __init__(self, graph: Graph, roots: Sequence[Node], batch: int) -> None:
        """Allocate registers for everything the roots need, for a batch of scenarios."""
        self.registers: dict[int, Any] = {}
        self._batch = batch
        self._programs: dict[str, list[Callable[[], None]]] = {phase: [] for phase in PHASES}
        nodes = needed(roots)
        lasting = _lasting(nodes, roots)
        last_reader = {a.number: node.number for node in nodes for a in node.arguments}
        arrays: dict[int, Any] = {}
        spare: dict[Any, list[Any]] = {}
        # A node's arguments have smaller numbers, and an array is only used again within its phase.
        for node in nodes:
            if node.value is not None:
                self.registers[node.number] = arrays[node.number] = node.value
                continue
            kind = _kind(graph, node, batch)
            keeps = node.number in lasting
            free = [] if keeps else spare.get(kind, [])
            out = free.pop() if free else np.zeros(kind[1], dtype=bool if node.boolean else float)
            arrays[node.number] = out
            if keeps:
                self.registers[node.number] = out
            if node.op in SOURCES:
                continue
            views = [graph.aligned(a, arrays[a.number], node.layout) for a in node.arguments]
            self._programs[kind[0]].append(_operation(node, views, out))
            for a in set(node.arguments):
                if last_reader[a.number] == node.number and a.number not in self.registers:
                    spare.setdefault(_kind(graph, a, batch), []).append(arrays[a.number])

    def load(self, node: Node, value: Any) -> None:
        """Copy a value into a source; a node that nothing needs is passed over."""
        register = self.registers.get(node.number)
        if register is not None:
            register[...] = value

    def load_moment(self, paths: Sequence[tuple[Node, Any]], time: int) -> None:
        """Copy the values of a time into their sources, which all have registers."""
        registers = self.registers
        for node, path in paths:
            registers[node.number][...] = path[time]

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""
        for operation in self._programs[phase]:
            operation()

    def get(self, node: Node) -> Any:
        """The register itself: it changes with the next run."""
        return self.registers[node.origin.number]

    def rows(self, nodes: Sequence[Node]) -> Callable[[], Any]:
        """See `Tape.rows`."""
        views = []
        for register in map(self.get, nodes):
            flat = register.reshape(-1, register.shape[-1])
            views.append(np.broadcast_to(flat, (len(flat), self._batch)))
        return partial(np.concatenate, views)


def _kind(graph: Graph, node: Node, batch: int) -> tuple[str, tuple[int, ...], bool]:
    """What an array must have in common with another to stand in for it: phase, shape, type."""
    return (
        _PHASE[node.level],
        (*graph.sizes(node.index), batch if node.batched else 1),
        node.boolean,
    )


def _lasting(nodes: list[Node], roots: Sequence[Node]) -> set[int]:
    """Numbers of the nodes that are wanted, come from outside, or are read in a later phase."""
    lasting = {node.number for node in nodes if node.op in SOURCES}
    lasting |= {root.origin.number for root in roots}
    for node in nodes:
        lasting |= {a.number for a in node.arguments if _PHASE[a.level] != _PHASE[node.level]}
    return lasting


_OUTPUT_BY_NAME = (np.maximum, np.minimum)
"""NumPy will take a third argument of these for a third operand."""


def _operation(node: Node, views: list[Any], out: Any) -> Callable[[], None]:
    ufunc = kernels.UFUNCS.get(node.op)
    if ufunc is not None:
        # Of a small array the call is what costs: NumPy is quicker with a scalar than with an array
        # of one element to broadcast, and with a positional output than with a named one.
        views = [view.reshape(()) if view.size == 1 else view for view in views]
        if ufunc in _OUTPUT_BY_NAME:
            return partial(ufunc, *views, out=out)
        return partial(ufunc, *views, out)
    return partial(kernels.NUMPY[node.op], *views, out=out, attribute=node.attribute)


class TorchTape:
    """A tape of tensors; gradients flow from any register back to the actions."""

    def __init__(
        self, graph: Graph, roots: Sequence[Node], batch: int, device: str, dtype: str
    ) -> None:
        """Prepare the operations; constants are moved to the device once."""
        import torch

        self._torch = torch
        self._graph = graph
        self._batch = batch
        self.device = torch.device(device)
        self.dtype = getattr(torch, dtype)
        self.registers: dict[int, Any] = {}
        self._programs: dict[str, list[tuple[int, Any, Any, Any]]] = {p: [] for p in PHASES}
        for node in needed(roots):
            if node.value is not None:
                self.registers[node.number] = self.tensor(node.value)
            elif node.op not in SOURCES:
                kernel = self._number if node.op == "number" else kernels.TORCH[node.op]
                arguments = [(a.number, self._shape(a, node.layout)) for a in node.arguments]
                operation = node.number, kernel, arguments, node.attribute
                self._programs[_PHASE[node.level]].append(operation)

    def _shape(self, node: Node, layout: tuple[str, ...]) -> tuple[int, ...] | None:
        """The shape in which a register broadcasts over a layout; None for the one it has."""
        return None if node.index == layout else (*self._graph.axes(node, layout), -1)

    def _number(self, torch: Any, truth: Any, attribute: Any = None) -> Any:
        return truth.to(self.dtype)

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
        self.registers[node.number] = tensor.reshape(shape) if tensor.ndim != len(shape) else tensor

    def load_moment(self, paths: Sequence[tuple[Node, Any]], time: int) -> None:
        """Set sources to their values at a time."""
        for node, path in paths:
            self.load(node, path[time])

    def run(self, phase: str) -> None:
        """Run the operations of a phase."""
        registers, torch = self.registers, self._torch
        for number, kernel, arguments, attribute in self._programs[phase]:
            views = [
                registers[n] if shape is None else registers[n].reshape(shape)
                for n, shape in arguments
            ]
            registers[number] = kernel(torch, *views, attribute=attribute)

    def get(self, node: Node) -> Any:
        """The tensor of a node."""
        return self.registers[node.origin.number]

    def rows(self, nodes: Sequence[Node]) -> Callable[[], Any]:
        """See `Tape.rows`; gradients flow through."""

        def read() -> Any:
            registers = map(self.get, nodes)
            return self._torch.cat(
                [r.expand(*r.shape[:-1], self._batch).reshape(-1, self._batch) for r in registers]
            )

        return read


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
    return [registers[root.origin.number] for root in roots]
