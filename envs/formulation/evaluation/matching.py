"""Which component of a candidate is which of the reference.

Found by what components do. Every input of both problems is set to the same place between its
bounds, then one is moved: what comes out is a *signature* of that component, in which no name
occurs and which no permutation of the others changes. Components with one signature in either
problem are a pair; pairs get values of their own, which tells those apart that interact with
different pairs; and so on, as one does to match two graphs. Unit, kind and law must agree. Bounds,
then likeness of names, and order decide where signatures do not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import linear_sum_assignment

from envs.formulation.evaluation.behaviour import Array, Behaviour
from envs.formulation.evaluation.inputs import Input

_FORBIDDEN = 1e6
_OTHER_BOUNDS = 3.0
_NAME = 0.3
_PLACE = 0.05
_SAME = 1e-7
_MOVES = ((0.31, 0.83), (0.62, 0.07), (0.5, 1.0), (0.12, 0.0))
"""From where all inputs are to where one of them is moved."""


@dataclass(frozen=True)
class Matching:
    """Pairs of components.

    Attributes:
        pairs: Positions in the inputs of reference and candidate.
        missing: Components of the reference without a counterpart.
        extra: Components of the candidate without one.
    """

    pairs: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether every component has its counterpart."""
        return not (self.missing or self.extra)


def match(
    reference: Behaviour, candidate: Behaviour, given: Mapping[str, str] | None = None
) -> Matching:
    """Pair the components of two problems.

    Args:
        reference: The one.
        candidate: The other.
        given: Names in the reference to names in the candidate, where they are known.
    """
    r, c = reference.inputs, candidate.inputs
    plain = np.array([[_distance(a, b, given or {}) for b in c] for a in r]).reshape(len(r), len(c))
    fixed: dict[int, int] = {}
    rng = np.random.default_rng(7)
    marks: list[float] = []
    while True:
        rows = [i for i in range(len(r)) if i not in fixed]
        columns = [j for j in range(len(c)) if j not in set(fixed.values())]
        open_rows = [i for i in rows if (plain[i, columns] < _FORBIDDEN).any()] if columns else []
        if not open_rows:
            break
        behaves = _differences(
            _signatures(reference, open_rows, list(fixed), marks),
            _signatures(candidate, columns, list(fixed.values()), marks),
        )
        cost = plain[np.ix_(open_rows, columns)] + behaves
        chosen = [
            (i, j)
            for i, j in zip(*linear_sum_assignment(cost), strict=True)
            if cost[i, j] < _FORBIDDEN
        ]
        if not chosen:
            break
        alike = (behaves == 0) & (cost < _FORBIDDEN)
        certain = [
            (i, j) for i, j in chosen if alike[i, j] and alike[i].sum() == 1 == alike[:, j].sum()
        ]
        if not certain and not alike.any():
            certain = chosen  # the problems differ: names and bounds have to do
        for i, j in certain or [min(chosen, key=lambda pair: float(cost[pair]))]:
            fixed[open_rows[i]] = columns[j]
            marks.append(float(rng.uniform(0.05, 0.95)))
    return Matching(
        tuple(sorted(fixed.items())),
        tuple(i for i in range(len(r)) if i not in fixed),
        tuple(j for j in range(len(c)) if j not in set(fixed.values())),
    )


def same_bounds(a: Input, b: Input) -> bool:
    """Whether two components have the same range, up to rounding."""
    scale = max(abs(a.low), abs(a.high), 1e-300)
    return max(abs(a.low - b.low), abs(a.high - b.high)) <= 1e-9 * scale


def _distance(a: Input, b: Input, given: Mapping[str, str]) -> float:
    """What speaks against a pair before anything is computed."""
    if (a.kind, a.law) != (b.kind, b.law):
        return _FORBIDDEN
    # What is drawn has the unit of what it is drawn for, which a rewriting may change.
    if a.kind != "noise" and a.dimension != b.dimension:
        return _FORBIDDEN
    if given.get(a.name, b.name) != b.name or (b.name in given.values() and a.name not in given):
        return _FORBIDDEN
    other = 0.0 if same_bounds(a, b) else _OTHER_BOUNDS
    place = _PLACE * min(abs(a.place - b.place), 10) / 10
    return other + _NAME * (1 - _likeness(str(a), str(b))) + place


@lru_cache(maxsize=65_536)
def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()


def _signatures(
    problem: Behaviour, moved: list[int], fixed: list[int], marks: list[float]
) -> Array:
    """What comes out as one component is moved, ``(moved, entries)``."""
    size = len(problem.inputs)
    states = [i for i, one in enumerate(problem.inputs) if one.kind == "state"]
    own = np.array([states.index(i) if i in states else -1 for i in moved])
    parts = []
    last = problem.horizon - 1
    for step in sorted({0, last // 3, last}):
        for base, target in _MOVES:
            q = np.full((size, len(moved)), base)
            q[fixed] = np.array(marks).reshape(-1, 1)
            q[moved, np.arange(len(moved))] = target
            out = problem.outputs(problem.physical(q), step)
            mine = np.zeros(len(moved))
            if len(states):
                mine = np.where(own >= 0, out.following[own, np.arange(len(moved))], 0.0)
            parts += [
                out.carbon[None],
                out.penalty[None],
                out.terminal[None],
                np.sort(out.following, axis=0),
                np.sort(out.first, axis=0),
                mine[None],
            ]
    return np.concatenate(parts).T


def _differences(a: Array, b: Array) -> Array:
    """The share of entries in which signatures differ, ``(a, b)``."""
    if a.shape[1] != b.shape[1]:
        # Another number of states: what is left to compare is the first carbon, penalty, terminal.
        shared = 3
        a, b = a[:, :shared], b[:, :shared]
    scale = np.maximum(np.abs(a)[:, None], np.abs(b)[None])
    apart = np.abs(a[:, None] - b[None])
    floor = 1e-12 * np.maximum(np.abs(a).max(axis=0, initial=0), np.abs(b).max(axis=0, initial=0))
    with np.errstate(invalid="ignore"):
        differs = apart > _SAME * scale + floor
    both = ~np.isfinite(a)[:, None] & ~np.isfinite(b)[None]
    result: Array = np.where(both, False, differs).mean(axis=2)
    return result
