"""Decision regret: what is lost by deciding in the generated problem instead of the asked one.

The generated problem is solved by a short search (its own rules, and the best constant decision by
the cross-entropy method), and what comes out is played in the reference, decisions carried over
by the map. The scale is the reference's own: 0 is what the same search reaches there, 1 is what
random decisions cost.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, ndtri

from envs.formulation.evaluation.behaviour import Array, Behaviour
from envs.formulation.evaluation.equivalence import carried
from envs.formulation.evaluation.matching import match

SCENARIOS = 16
CONSTANTS = 48
ROUNDS = 6
ELITE = 8
_SEED = 4

Policy = Callable[[Array, int], Array]
"""Inputs of the problem it is made for and the step, to decisions in base units."""


def regret(reference: Behaviour, candidate: Behaviour) -> float | None:
    """Normalised regret, or None where decisions cannot be carried over."""
    matching = match(reference, candidate)
    decisions = {i: j for i, j in matching.pairs if reference.inputs[i].kind == "decision"}
    wanted = sum(one.kind == "decision" for one in reference.inputs)
    if len(decisions) < wanted:
        return None
    own = best_policy(candidate)

    def translated(values: Array, step: int) -> Array:
        decided = own(carried(candidate, matching, values), step)
        return np.stack([decided[decisions[i]] for i in range(wanted)])

    best = played(reference, best_policy(reference)).mean()
    wild = played(reference, random_policy(reference)).mean()
    got = played(reference, translated).mean()
    lost = float((got - best) / (wild - best))
    return lost if np.isfinite(lost) else None


def best_policy(problem: Behaviour) -> Policy:
    """The best of the problem's rules and of its constants."""
    rules = [_rule(problem, name) for name in problem.compiled.heuristics]
    constant = _best_constant(problem)

    def cost(policy: Policy) -> float:
        mean = float(played(problem, policy).mean())
        return mean if np.isfinite(mean) else np.inf

    return min([constant, *rules], key=cost)


def _rule(problem: Behaviour, name: str) -> Policy:
    return lambda values, step: problem.rule(name, values, step)


def random_policy(problem: Behaviour) -> Policy:
    """Anything at all, at every step."""
    rng = np.random.default_rng(_SEED)
    count = sum(one.kind == "decision" for one in problem.inputs)

    def decide(values: Array, step: int) -> Array:
        return problem.physical(rng.uniform(size=values.shape))[:count]

    return decide


def _best_constant(problem: Behaviour) -> Policy:
    rng = np.random.default_rng(_SEED)
    count = sum(one.kind == "decision" for one in problem.inputs)
    mean, spread = np.full((count, 1), 0.5), np.full((count, 1), 0.35)
    best: tuple[float, Array] = (np.inf, mean)
    for _ in range(ROUNDS):
        tried = np.clip(mean + spread * rng.normal(size=(count, CONSTANTS)), 0, 1)
        tried[:, 0] = best[1][:, 0]
        scores = played(problem, _constant(problem, tried), CONSTANTS)
        means = np.nan_to_num(scores.reshape(CONSTANTS, -1).mean(axis=1), nan=np.inf)
        order = np.argsort(means)
        if means[order[0]] < best[0]:
            best = float(means[order[0]]), tried[:, order[:1]]
        elite = tried[:, order[:ELITE]]
        mean = elite.mean(axis=1, keepdims=True)
        spread = elite.std(axis=1, keepdims=True) + 0.01
    return _constant(problem, best[1])


def _constant(problem: Behaviour, q: Array) -> Policy:
    """Positions between the bounds, ``(decisions, constants)``, each for a share of the batch."""

    def decide(values: Array, step: int) -> Array:
        whole = np.full(values.shape, 0.5)
        whole[: len(q)] = np.repeat(q, values.shape[1] // q.shape[1], axis=1)
        return problem.physical(whole)[: len(q)]

    return decide


def played(problem: Behaviour, policy: Policy, times: int = 1) -> Array:
    """J of each of the same few scenarios under a policy, ``(times * SCENARIOS,)``."""
    decisions = sum(one.kind == "decision" for one in problem.inputs)
    states = slice(decisions, decisions + sum(one.kind == "state" for one in problem.inputs))
    noises = slice(states.stop, None)
    batch = times * SCENARIOS
    rng = np.random.default_rng(_SEED)
    values = problem.physical(np.full((len(problem.inputs), batch), 0.5))
    laws = [one.law for one in problem.inputs[noises]]
    normal = _fresh(rng, len(laws), times)
    values[noises] = ndtr(normal)
    out = problem.outputs(values, 0)
    values[states] = out.first
    total = np.zeros(batch)
    for step in range(problem.horizon):
        values[:decisions] = policy(values, step)
        out = problem.outputs(values, step)
        total += out.carbon + out.penalty
        if step + 1 == problem.horizon:
            return total + out.terminal
        values[states] = out.following
        fresh = _fresh(rng, len(laws), times)
        rho = out.correlation
        moved = rho * normal + np.sqrt(1 - rho**2) * fresh
        keeps = np.array([law[0] == "once" or _held(law, step + 1) for law in laws], dtype=bool)
        normal = np.where(keeps[:, None], normal, moved) if laws else normal
        values[noises] = np.clip(ndtr(normal), 1e-9, 1 - 1e-9)
    return total


def _held(law: tuple[object, ...], step: int) -> bool:
    hold = law[1] if law[0] in ("drawn", "markov") else 1
    return isinstance(hold, int) and step % hold != 0


def _fresh(rng: np.random.Generator, count: int, times: int) -> Array:
    """Standard normals, the same scenarios over again ``times`` times."""
    uniforms = rng.uniform(1e-9, 1 - 1e-9, (count, SCENARIOS))
    return np.tile(np.asarray(ndtri(uniforms)), (1, times))
