"""States: where they start, what follows, and what they are worth at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envs.compiler import over_sets
from envs.compiler.graph import Level, Node
from envs.compiler.lowering import Lowering
from envs.compiler.model import StatePlan
from envs.compiler.tape import SOURCES, needed
from envs.spec import schema
from envs.spec.diagnostics import Finding
from envs.spec.units import parse_unit

if TYPE_CHECKING:
    from envs.compiler.scope import Scope

_GRAM = parse_unit("gCO2e")


def plan(scope: Scope, name: str, item: schema.State) -> StatePlan | None:
    """Lower one state; None when it was refused, with the findings in the scope."""
    path, unit, node = f"states.{name}", scope.units[name], scope.nodes[name]
    with scope.place(f"{path}.init"):
        init = scope.quantifier(node.index, Level.SCENARIO)(item.init, unit)
        init = over_sets.repeated(scope.graph, init, node.index)
        _within(init, node, "the initial value")
        with scope.place(f"{path}.next"):
            following = scope.fitting(scope.lowering().text(item.next), unit)
            if not set(following.index) <= set(node.index):
                raise Finding(
                    "index-mismatch",
                    f"index {list(node.index)}",
                    f"{list(following.index)}",
                    "reduce it",
                )
            following = over_sets.repeated(scope.graph, following, node.index)
            _within(following, node, "the next value")
            with scope.place(f"{path}.terminal"):
                return StatePlan(
                    name, node, init, following, *_terminal(scope, name, item, following)
                )
    return None


def _within(value: Node, state: Node, what: str) -> None:
    (low, high), (a, b) = state.interval, value.interval
    slack = 1e-9 * max(abs(low), abs(high), 1e-30)
    if a < low - slack or b > high + slack:
        raise Finding(
            "leaves-bounds",
            f"{what} between {low:.6g} and {high:.6g} (in base units)",
            f"one that may be {a:.6g} … {b:.6g}",
            "end it with clip(…, low, high), and let the physics respect the bounds first",
        )


def _terminal(
    scope: Scope, name: str, item: schema.State, following: Node
) -> tuple[Node | None, Node | None, Node | None]:
    """Grams at the end; those of the potential before and after a step."""
    if item.terminal is None:
        return None, None, None

    def at(state: Node) -> Lowering:
        return scope.lowering(lambda other: state if other == name else scope.resolve(other))

    def grams(text: str, state: Node) -> Node:
        node = scope.fitting(at(state).text(text), _GRAM)
        return over_sets.total(scope.graph, node, *node.index)

    cost, potential = item.terminal.cost, item.terminal.potential
    now = scope.nodes[name]
    then = scope.graph.source(
        "state", f"final {name}", now.index, now.dimension, now.interval, Level.STATE
    )
    scope.at_most(grams(cost, now), Level.STATE)
    _only_depends_on(grams(cost, then), then, {"process", "time", "parameter"})
    if potential is None:
        return grams(cost, following), None, None
    _only_depends_on(grams(potential, then), then, {"parameter"})
    return grams(cost, following), grams(potential, now), grams(potential, following)


def _only_depends_on(value: Node, state: Node, others: set[str]) -> None:
    """Require that a value is a function of one state and of sources of some kinds.

    Another state, or an equation over this one, would enter with the value before the last step; a
    potential that changes with time would not cancel over an episode.

    Raises:
        Finding: ``not-known-yet``.
    """
    for node in needed([value]):
        if node.op in SOURCES - {"constant"} - others and node is not state:
            raise Finding(
                "not-known-yet",
                f"a function of the state itself and of {' or '.join(sorted(others))}",
                f"one that depends on {node.op} '{node.attribute}'",
                "write it out over the state itself",
            )
