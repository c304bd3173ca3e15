"""The typed graph: every quantity as a hash-consed node.

A node has a dimension, an index, a level (when it is known) and an interval (what it can be).

Arrays are laid out with one axis for each set of the index and the batch as the **last** axis, so
that every operation runs along contiguous memory and reductions over a set add whole rows. A value
that is the same for the whole batch has a last axis of length 1.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.compiler import intervals, kernels
from envs.compiler.intervals import Interval
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS, Dimension

FloatArray = NDArray[np.float64]

MAX_NODES = 20_000
MAX_ELEMENTS = 1_000_000
MAX_TOTAL = 5_000_000


class Level(IntEnum):
    """When a value is known."""

    CONSTANT = 0
    """Before anything runs."""
    SCENARIO = 1
    """Once a scenario is sampled."""
    EXOGENOUS = 2
    """At each time, whatever was done before."""
    STATE = 3
    """At each time, before the decision."""
    DECISION = 4
    """After the decision."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of the graph. Identity is equality: equal nodes are one object."""

    number: int
    op: str
    arguments: tuple[Node, ...]
    attribute: Hashable
    index: tuple[str, ...]
    dimension: Dimension
    interval: Interval
    level: Level
    batched: bool
    layout: tuple[str, ...] = ()
    """The index to which the arguments are aligned before the operation."""
    boolean: bool = False
    value: FloatArray | None = field(default=None, repr=False)

    @property
    def origin(self) -> Node:
        """The node that holds this value: a change of dimension alone computes nothing."""
        return self.arguments[0].origin if self.op == "alias" else self

    @property
    def constant(self) -> bool:
        """Whether the value is known at compile time."""
        return self.value is not None


class Graph:
    """Builds nodes: infers index and level, bounds values, folds constants, shares equals."""

    def __init__(self, sets: Mapping[str, int]) -> None:
        """Start an empty graph over index sets, given with their sizes in canonical order."""
        self.sets = dict(sets)
        self._order = {name: position for position, name in enumerate(self.sets)}
        self._nodes: dict[Hashable, Node] = {}
        self._elements = 0

    def __len__(self) -> int:
        """Number of distinct nodes."""
        return len(self._nodes)

    @property
    def elements(self) -> int:
        """Values that were charged against the budgets: about the work of one step."""
        return self._elements

    def sizes(self, index: Sequence[str]) -> tuple[int, ...]:
        """Axis lengths of an index, without the batch."""
        return tuple(self.sets[name] for name in index)

    def joined(self, *indices: tuple[str, ...]) -> tuple[str, ...]:
        """The index over all given sets, in canonical order."""
        return tuple(
            sorted({name for index in indices for name in index}, key=self._order.__getitem__)
        )

    def charge(self, index: tuple[str, ...], times: int = 1) -> None:
        """Count a value over an index against the budgets, before anything of its size is made.

        An operation that goes over its values several times counts as often.

        Raises:
            Finding: ``budget``.
        """
        elements = math.prod(self.sizes(index))
        self._elements += elements * times
        if len(self._nodes) >= MAX_NODES or elements > MAX_ELEMENTS or self._elements > MAX_TOTAL:
            raise Finding(
                "budget",
                f"at most {MAX_NODES} operations, {MAX_ELEMENTS} elements each, {MAX_TOTAL} in all",
                f"{len(self._nodes)} operations, {elements} elements, {self._elements} in all",
                "use smaller sets or fewer equations",
            )

    def constant(
        self,
        value: Any,
        dimension: Dimension = DIMENSIONLESS,
        index: tuple[str, ...] = (),
        parameter: bool = False,
    ) -> Node:
        """A known value in base units, of shape ``sizes(index)``.

        A literal and the value of a parameter are kept apart: a literal 0 fits every dimension, a
        parameter that happens to be 0 has its own.
        """
        array = np.asarray(value, dtype=np.float64).reshape((*self.sizes(index), 1))
        origin = "parameter" if parameter else "literal"
        key = ("constant", array.tobytes(), dimension, index, origin)
        interval = float(array.min()), float(array.max())
        return self._node(
            key,
            "constant",
            (),
            origin,
            index,
            dimension,
            interval,
            Level.CONSTANT,
            False,
            value=array,
        )

    def source(
        self,
        kind: str,
        name: str,
        index: tuple[str, ...],
        dimension: Dimension,
        interval: Interval,
        level: Level,
        batched: bool = True,
    ) -> Node:
        """A value that enters from outside: parameter, process, time, state or decision."""
        interval = intervals.checked(interval, name)
        return self._node((kind, name), kind, (), name, index, dimension, interval, level, batched)

    def elementwise(
        self,
        op: str,
        *arguments: Node,
        dimension: Dimension,
        boolean: bool = False,
        interval: Interval | None = None,
    ) -> Node:
        """An operation on each element; arguments are aligned by the names of their sets.

        ``interval`` may state a range tighter than interval arithmetic finds.
        """
        index = self.joined(*(a.index for a in arguments))
        ranges = [a.interval for a in arguments]
        if interval is not None:
            pass
        elif op == "where":
            interval = min(ranges[1][0], ranges[2][0]), max(ranges[1][1], ranges[2][1])
        elif len(arguments) == 1:
            interval = intervals.UNARY[op](*ranges)
        else:
            interval = intervals.BINARY[op](*ranges)
        return self._operation(op, arguments, None, index, index, dimension, interval, boolean)

    def alias(self, node: Node, dimension: Dimension) -> Node:
        """The same numbers in another dimension, as by multiplication with a coherent unit."""
        if dimension == node.dimension:
            return node
        return self._node(
            ("alias", node.number, dimension),
            "alias",
            (node,),
            None,
            node.index,
            dimension,
            node.interval,
            node.level,
            node.batched,
            node.index,
            node.boolean,
            node.value,
        )

    def structured(
        self,
        op: str,
        *arguments: Node,
        attribute: Hashable,
        layout: tuple[str, ...],
        index: tuple[str, ...],
        dimension: Dimension,
        interval: Interval,
    ) -> Node:
        """An operation along an axis of its arguments, which are first aligned to ``layout``."""
        return self._operation(op, arguments, attribute, layout, index, dimension, interval, False)

    def axis(self, name: str, layout: tuple[str, ...]) -> int:
        """The axis of a set in arrays over ``layout``, counted from the end (the batch is -1)."""
        return layout.index(name) - len(layout) - 1

    def _operation(
        self,
        op: str,
        arguments: tuple[Node, ...],
        attribute: Hashable,
        layout: tuple[str, ...],
        index: tuple[str, ...],
        dimension: Dimension,
        interval: Interval,
        boolean: bool,
    ) -> Node:
        arguments = tuple(a.origin for a in arguments)
        key = (op, tuple(a.number for a in arguments), attribute, dimension)
        if key in self._nodes:
            return self._nodes[key]
        interval = intervals.checked(interval, op)
        value = None
        if all(a.constant for a in arguments):
            self.charge(index)
            views = [self.aligned(a, a.value, layout) for a in arguments]
            value = np.empty((*self.sizes(index), 1), dtype=bool if boolean else np.float64)
            with np.errstate(all="ignore"):
                kernels.NUMPY[op](*views, out=value, attribute=attribute)
            if not boolean:
                interval = intervals.checked((float(value.min()), float(value.max())), op)
        return self._node(
            key,
            op,
            arguments,
            attribute,
            index,
            dimension,
            interval,
            max((a.level for a in arguments), default=Level.CONSTANT),
            any(a.batched for a in arguments),
            layout,
            boolean,
            value,
        )

    def aligned(self, node: Node, array: Any, index: tuple[str, ...]) -> Any:
        """View an array of a node so that it broadcasts against arrays over ``index``.

        Leading axes beyond the node's own (a time axis) are kept in front.
        """
        if node.index == index:
            return array
        lead = array.shape[: array.ndim - len(node.index) - 1]
        return array.reshape((*lead, *self.axes(node, index), array.shape[-1]))

    def axes(self, node: Node, index: tuple[str, ...]) -> tuple[int, ...]:
        """The axis lengths, without the batch, with which a node broadcasts over ``index``."""
        return tuple(self.sets[name] if name in node.index else 1 for name in index)

    def _node(
        self,
        key: Hashable,
        op: str,
        arguments: tuple[Node, ...],
        attribute: Hashable,
        index: tuple[str, ...],
        dimension: Dimension,
        interval: Interval,
        level: Level,
        batched: bool,
        layout: tuple[str, ...] = (),
        boolean: bool = False,
        value: FloatArray | None = None,
    ) -> Node:
        if key in self._nodes:
            return self._nodes[key]
        self.charge(index)
        number = len(self._nodes)
        node = Node(
            number,
            op,
            arguments,
            attribute,
            index,
            dimension,
            interval,
            level,
            batched,
            layout,
            boolean,
            value,
        )
        self._nodes[key] = node
        return node
