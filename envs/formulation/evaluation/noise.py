"""Draws of the language as functions of uniforms, and what tells two of them apart in time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from envs.compiler.graph import Node
from envs.compiler.model import Draw, ProcessPlan
from envs.simulation.draws import transform

Array = NDArray[np.float64]


def middle(sizes: tuple[int, ...], batch: int, node: Node) -> Array:
    """Something admissible for what has no influence."""
    low, high = node.interval
    return np.full((*sizes, batch), low / 2 + high / 2)


def inverted(draw: Draw, u: Array, given: Mapping[str, Array]) -> Array:
    """A distribution as a function of one uniform."""
    if draw.kind == "gamma":
        # The simulation sums exponentials where the shape is whole; the law is the same.
        result: Array = given["scale"] * gammaincinv(draw.arguments["shape"].interval[0], u)
        return result
    return transform(draw, u[None].copy(), given)


def value_of(plan: ProcessPlan, u: Array, given: Mapping[str, Array]) -> Array:
    """The value of a process from uniforms, by its stationary distribution."""
    if plan.kind == "sample":
        assert plan.draw is not None
        return inverted(plan.draw, u, given)
    if plan.kind == "ar1":
        value: Array = given["mean"] + given["std"] * ndtri(u)
        return value
    if plan.kind == "markov":
        assert plan.values is not None and plan.transition is not None
        order = np.argsort(plan.values)
        cumulative = np.cumsum(_stationary(plan.transition)[order])[:-1]
        return np.asarray(plan.values[order][np.searchsorted(cumulative, u, side="right")])
    if plan.kind == "trace":
        assert plan.recording is not None
        rows = (u[0] * len(plan.recording.values)).astype(np.int64)
        return np.moveaxis(plan.recording.values[rows], 0, -1)
    # A forecast and a moving sum depend on other times: at one time they are numbers of their own.
    low, high = plan.node.interval
    return low + u * (high - low)


def _stationary(transition: Array) -> Array:
    size = len(transition)
    balance = np.vstack([transition.T - np.eye(size), np.ones(size)])
    found: Array = np.linalg.lstsq(balance, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return found


def law_of(plan: ProcessPlan) -> tuple[Any, ...]:
    """How a noise goes on in time, apart from a correlation that may be computed."""
    if plan.kind in ("sample", "ar1"):
        return ("drawn", plan.hold)
    if plan.kind == "markov":
        assert plan.values is not None and plan.transition is not None
        order = np.argsort(plan.values)
        matrix = np.round(plan.transition[np.ix_(order, order)], 12)
        return ("markov", plan.hold, *matrix.ravel().tolist())
    if plan.kind == "trace":
        assert plan.recording is not None
        return ("trace", hashlib.sha256(plan.recording.values.tobytes()).hexdigest())
    if plan.kind == "forecast":
        return ("forecast", plan.leads, plan.correlation)
    assert plan.lengths is not None
    return ("window", *plan.lengths.ravel().tolist())
