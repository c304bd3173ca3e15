"""What a compiled problem consists of: plans that the simulation executes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from envs.compiler.graph import Graph, Node
from envs.spec.schema import Spec
from envs.spec.units import Unit


@dataclass(frozen=True)
class Draw:
    """A probability distribution whose arguments are nodes.

    Attributes:
        kind: Which distribution.
        arguments: Nodes by role, in base units (or dimensionless).
        table: Values and cumulative probabilities of a discrete choice, values in base units.
        factor: Base units per declared unit, for distributions of whole numbers.
    """

    kind: str
    arguments: Mapping[str, Node]
    factor: float
    table: tuple[tuple[float, ...], tuple[float, ...]] | None = None


@dataclass(frozen=True)
class SampledParameter:
    """A parameter drawn once per scenario."""

    name: str
    node: Node
    draw: Draw


@dataclass(frozen=True)
class Recording:
    """Recorded series of a process in whole days, and where in them episodes may start.

    Attributes:
        values: In base units, ``(days * steps a day, *index)``.
        first_day: Number of the first day in the year, by which recordings are laid side by side.
        steps_per_day: Rows of a day.
        start_step: Rows from the beginning of a day to the first step of an episode.
        starts: First rows of episodes, by split.
    """

    values: NDArray[np.float64]
    first_day: int
    steps_per_day: int
    start_step: int
    starts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


@dataclass(frozen=True)
class ProcessPlan:
    """How the path of a process comes about.

    Attributes:
        name: Its name.
        node: Its source node.
        kind: ``sample``, ``ar1``, ``markov``, ``expr``, ``trace``, ``forecast`` or ``window``.
        hold: Steps for which a drawn value is held.
        steps: Length of the path: the horizon, and further where a forecast looks ahead on it.
        draw: For ``sample``.
        arguments: For ``ar1`` (mean, std, correlation), ``expr`` (value) and ``forecast`` (error).
        of: For ``forecast`` and ``window``, the name of the process.
        leads: For ``forecast``, whole steps ahead; for ``window``, none.
        lead_set: For ``forecast``, the set the leads run over, if any.
        correlation: For ``forecast``, of the error from step to step.
        lengths: For ``window``, whole steps summed, broadcastable over the index.
        values: For ``markov``.
        transition: For ``markov``, the matrix.
        recording: For ``trace``.
    """

    name: str
    node: Node
    kind: str
    hold: int = 1
    steps: int = 0
    draw: Draw | None = None
    arguments: Mapping[str, Node] | None = None
    of: str = ""
    leads: tuple[int, ...] = ()
    lead_set: str | None = None
    correlation: float = 0.0
    lengths: NDArray[np.int64] | None = None
    values: NDArray[np.float64] | None = None
    transition: NDArray[np.float64] | None = None
    recording: Recording | None = None

    @property
    def roots(self) -> tuple[Node, ...]:
        """All nodes that the path depends on."""
        drawn = self.draw.arguments.values() if self.draw else ()
        return (*(self.arguments or {}).values(), *drawn)


@dataclass(frozen=True)
class StatePlan:
    """A state, its initial and next value, and what its final value costs (g, scalars)."""

    name: str
    node: Node
    init: Node
    next: Node
    terminal_cost: Node | None
    potential_now: Node | None
    potential_next: Node | None


@dataclass(frozen=True)
class DecisionPlan:
    """A decision, its place in the action vector and its map from [-1, 1].

    Attributes:
        name: Its name.
        raw: Source node of the components of the action in [-1, 1].
        node: The physical quantity.
        kind: ``box``, ``log``, ``integer`` or ``simplex``.
        low: Lower bound in base units.
        high: Upper bound in base units.
        scale: Largest logit of a simplex; of a whole number, one of its units in base units.
        simplex_axis: Axis of the simplex within the index.
        offset: First component in the action vector.
        count: Number of components.
        sizes: Axis lengths of the index.
    """

    name: str
    raw: Node
    node: Node
    kind: str
    low: float
    high: float
    scale: float
    simplex_axis: int
    offset: int
    count: int
    sizes: tuple[int, ...]

    def shape(self, batch: int) -> tuple[int, ...]:
        """Shape of the components for a batch."""
        return (*self.sizes, batch)


@dataclass(frozen=True)
class ConstraintPlan:
    """A constraint: total violation (in the declared unit) and its price in grams."""

    name: str
    unit: Unit
    violation: Node
    penalty_g: float


@dataclass(frozen=True)
class MetricPlan:
    """A reported scalar."""

    name: str
    unit: Unit
    node: Node
    reduce: str


@dataclass(frozen=True)
class ObservationPlan:
    """An entry of the observation: scaled node, its place, and what it shows."""

    name: str
    unit: Unit
    node: Node
    shown: Node
    offset: int
    count: int


@dataclass(frozen=True)
class Compiled:
    """A whole problem in one split, ready to be simulated.

    ``penalty`` is the price of all constraint violations of a step in grams; ``terminal_during``
    and ``terminal_last`` are what the terminal costs of states add to it before and at the last
    step.
    """

    spec: Spec
    digest: str
    graph: Graph
    labels: Mapping[str, list[str]]
    step_s: float
    sampled: tuple[SampledParameter, ...]
    processes: tuple[ProcessPlan, ...]
    states: tuple[StatePlan, ...]
    decisions: tuple[DecisionPlan, ...]
    carbon: Node
    penalty: Node
    terminal_during: Node | None
    terminal_last: Node | None
    constraints: tuple[ConstraintPlan, ...]
    metrics: tuple[MetricPlan, ...]
    observations: tuple[ObservationPlan, ...]
    heuristics: Mapping[str, Mapping[str, Node]]
    named: Mapping[str, tuple[Node, Unit]]
    clock: Mapping[str, Node]

    @property
    def action_size(self) -> int:
        """Components of the action vector."""
        return sum(d.count for d in self.decisions)

    @property
    def observation_size(self) -> int:
        """Components of the observation vector."""
        return sum(o.count for o in self.observations)
