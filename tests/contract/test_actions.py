"""What acting means: a box for every agent, physical quantities inside, and clear refusals."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

import envs
from envs.compiler.graph import Node
from envs.compiler.model import DecisionPlan
from envs.compiler.tape import needed
from envs.simulation.nonfinite import NonFiniteError
from tests.contract.play import Array, random_actions

BATCH = 16


def _physical(env: envs.ProblemVectorEnv) -> dict[str, Array]:
    """Decisions of the step just taken in base units, ``(batch, *index)``."""
    named = env.simulation.compiled.named
    values = env.quantities([d.name for d in env.simulation.compiled.decisions])
    return {name: value * named[name][1].factor for name, value in values.items()}


def _attainable(plan: DecisionPlan, wanted: Array) -> Array:
    """What the decision can be that is nearest to what is wanted, ``(batch, *index)``."""
    if plan.kind != "simplex":
        bounded = np.clip(wanted, plan.low, plan.high)
        return np.rint(bounded) if plan.kind == "integer" else bounded
    axis = plan.simplex_axis + 1
    logits = np.log(np.maximum(wanted, 1e-12))
    floor = logits.max(axis=axis, keepdims=True) - 2 * plan.scale
    raised = np.exp(np.maximum(logits, floor))
    return raised / raised.sum(axis=axis, keepdims=True)


def test_heuristics_act_in_the_box_and_get_what_they_ask_for(problem: envs.Problem) -> None:
    for name in problem.heuristics:
        env = envs.make_vector(problem, BATCH)
        env.reset(seed=0)
        for _ in range(min(problem.horizon, 50)):
            wanted = env.simulation.values(list(env.simulation.compiled.heuristics[name].values()))
            nodes = env.simulation.compiled.heuristics[name].values()
            actions = env.heuristic_actions(name)
            assert actions.dtype == np.float32
            assert env.action_space.contains(actions)
            env.step(actions)
            found = _physical(env)
            for plan, node, value in zip(
                env.simulation.compiled.decisions, nodes, wanted, strict=True
            ):
                graph = env.simulation.compiled.graph
                wide = np.broadcast_to(
                    graph.aligned(node, value, plan.node.index),
                    (*graph.sizes(plan.node.index), BATCH),
                )
                expected = _attainable(plan, np.moveaxis(wide, -1, 0))
                span = (
                    plan.high - plan.low if plan.kind != "log" else math.log(plan.high / plan.low)
                )
                np.testing.assert_allclose(
                    found[plan.name],
                    expected,
                    rtol=1e-6 * max(1.0, span),
                    atol=1e-6 * span if plan.kind != "log" else 0.0,
                    err_msg=f"{name}: {plan.name}",
                )


def test_an_unknown_heuristic_is_refused_with_the_nearest(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, 1)
    env.reset(seed=0)
    for name in problem.heuristics:
        with pytest.raises(ValueError, match=f"'{name}'"):
            env.heuristic_actions(name + "x")


def test_the_corners_of_the_box_are_the_bounds_of_the_decisions(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, 2)
    env.reset(seed=0)
    actions = np.ones(env.action_space.shape, dtype=np.float32)
    actions[0] = -1
    env.step(actions)
    for plan in problem.compiled().decisions:
        low, high = _physical(env)[plan.name].reshape(2, -1)
        if plan.kind == "simplex":
            np.testing.assert_allclose(low, high, rtol=1e-9)
        else:
            np.testing.assert_allclose(low, plan.low, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(high, plan.high, rtol=1e-9, atol=1e-9)


def test_shares_are_positive_and_sum_to_one(problem: envs.Problem) -> None:
    env = envs.make_vector(problem, BATCH)
    env.reset(seed=0)
    env.step(random_actions(problem, BATCH)[0])
    for plan in problem.compiled().decisions:
        if plan.kind == "simplex":
            shares = _physical(env)[plan.name]
            assert (shares > 0).all()
            np.testing.assert_allclose(shares.sum(axis=plan.simplex_axis + 1), 1, rtol=1e-12)


def test_actions_beyond_the_box_are_clipped_to_it(problem: envs.Problem) -> None:
    inside, outside = (envs.make_vector(problem, BATCH) for _ in range(2))
    inside.reset(seed=0)
    outside.reset(seed=0)
    actions = 4 * random_actions(problem, BATCH)[0]
    actions[0, 0], actions[1, 0] = np.inf, -np.inf
    kept = actions.copy()
    one, other = inside.step(np.clip(actions, -1, 1)), outside.step(actions)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(actions, kept)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_an_action_that_is_not_a_number_is_refused_by_name(
    problem: envs.Problem, backend: str
) -> None:
    for plan in problem.compiled().decisions:
        env = envs.make_vector(problem, 3, backend=backend)
        env.reset(seed=0)
        actions = np.zeros(env.action_space.shape, dtype=np.float32)
        actions[2, plan.offset] = np.nan
        with pytest.raises(NonFiniteError, match=f"action for '{plan.name}'.*environment 2"):
            env.step(actions)
    single = envs.make(problem)
    single.reset(seed=0)
    with pytest.raises(NonFiniteError, match="not a number"):
        single.step(np.full(single.action_space.shape, np.nan))


def test_a_step_that_was_refused_has_not_happened(problem: envs.Problem) -> None:
    env, spared = envs.make_vector(problem, 2), envs.make_vector(problem, 2)
    env.reset(seed=0)
    spared.reset(seed=0)
    actions = np.zeros(env.action_space.shape, dtype=np.float32)
    with pytest.raises(NonFiniteError):
        env.step(np.full_like(actions, np.nan))
    np.testing.assert_array_equal(env.step(actions)[1], spared.step(actions)[1])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_heuristics_and_quantities_can_be_asked_of_every_backend(
    problem: envs.Problem, backend: str
) -> None:
    one, other = envs.make_vector(problem, 2), envs.make_vector(problem, 2, backend=backend)
    for env in (one, other):
        env.reset(seed=0)
    for name in problem.heuristics:
        np.testing.assert_allclose(
            other.heuristic_actions(name), one.heuristic_actions(name), atol=1e-6
        )
    actions = random_actions(problem, 2)[0]
    names = [*problem.spec.decisions, *problem.spec.processes, *problem.spec.equations]
    for env in (one, other):
        env.step(actions)
    values, same = one.quantities(names), other.quantities(names)
    for name in names:
        np.testing.assert_allclose(same[name], values[name], rtol=1e-9, err_msg=name)


def test_a_heuristic_knows_no_more_than_an_agent_sees(problem: envs.Problem) -> None:
    """Or it would be no fair rival: what it is made of enters the observation too."""

    def sources(nodes: Iterable[Node]) -> set[str]:
        kinds = ("process", "state", "parameter", "time")
        return {str(node.attribute) for node in needed(nodes) if node.op in kinds}

    compiled = problem.compiled()
    seen = sources(plan.shown for plan in compiled.observations)
    for name, decisions in compiled.heuristics.items():
        assert sources(decisions.values()) <= seen, name
