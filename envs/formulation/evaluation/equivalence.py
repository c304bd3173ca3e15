"""Are two specs the same problem?

They are when, component by component under a map of names, time and bounds agree and carbon,
priced violations, terminal cost, next and first states agree at sampled points. Two constraints
may be one in the other spec: what must agree is the sum of their prices times violations, in grams.
As each summand is at least 0, equal sums have the same feasible set, so that splitting a
constraint over its elements changes nothing while dropping one does. Constraints without a price
are compared one by one.

Points are drawn over the whole range of each input, at its bounds, close to them, and along
episodes; then choices (`min`, `max`, `where`) of which only one side was met are sought out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from envs.compiler.model import Compiled
from envs.formulation.evaluation.behaviour import Array, Behaviour, Outputs, Truth
from envs.formulation.evaluation.matching import Matching, match, same_bounds

TOLERANCE = 1e-9
"""Relative, beside 1e-12 of the largest value there is of that quantity."""
ROWS = 256
STEPS = 6
_HUNTED = 12
_NUDGE = 1e-7
_SEED = 20_261_124


@dataclass(frozen=True)
class Difference:
    """The first thing in which two problems differ.

    Attributes:
        what: Such as ``carbon`` or ``decision power``.
        expected: In the reference.
        found: In the candidate.
        where: At which point, for a person; empty for what needs no point.
    """

    what: str
    expected: str
    found: str
    where: str = ""

    def __str__(self) -> str:
        """One line."""
        at = f" at {self.where}" if self.where else ""
        return f"{self.what}: expected {self.expected}; found {self.found}{at}"


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two problems.

    Attributes:
        matching: The pairs of components.
        names: The pairs for a person: reference to candidate.
        differences: What differs, the first of each kind; empty when they are the same problem.
        points: How many points were compared.
        choices: Sides of choices in the reference that were met, of how many.
    """

    matching: Matching
    names: Mapping[str, str]
    differences: tuple[Difference, ...]
    points: int
    choices: tuple[int, int]

    @property
    def equivalent(self) -> bool:
        """Whether no difference was found."""
        return not self.differences


def compare(
    reference: Compiled,
    candidate: Compiled,
    given: Mapping[str, str] | None = None,
    rows: int = ROWS,
    steps: int = STEPS,
) -> Comparison:
    """Compare a candidate with the reference.

    Args:
        reference: The one.
        candidate: The other.
        given: Names in the reference to names in the candidate, where they are known.
        rows: Points at each time.
        steps: Times, the first and the last among them.
    """
    r, c = Behaviour(reference), Behaviour(candidate)
    matching = match(r, c, given)
    names = {str(r.inputs[i]): str(c.inputs[j]) for i, j in matching.pairs}
    differences = [*_of_time(reference, candidate), *_of_components(r, c, matching)]
    points, met, sides = 0, 0, 0
    if not any(d.what.startswith("time") for d in differences):
        sample = Points(r, rows, steps)
        met, sides = sample.met, 2 * sample.choices
        found: dict[str, Difference] = {}
        for step, values in sample.each():
            points += values.shape[1]
            for difference in _at(r, c, matching, values, step):
                found.setdefault(difference.what, difference)
        differences += found.values()
    return Comparison(matching, names, tuple(differences), points, (met, sides))


def carried(candidate: Behaviour, matching: Matching, values: Array) -> Array:
    """Inputs of the candidate with the values of their counterparts, others half-way."""
    result = candidate.physical(np.full((len(candidate.inputs), values.shape[1]), 0.5))
    for i, j in matching.pairs:
        result[j] = values[i]
    return result


def agree(a: Array, b: Array) -> Truth:
    """Where two arrays agree; what is no number in both agrees too."""
    size = np.maximum(np.abs(a), np.abs(b))
    finite = np.abs(a)[np.isfinite(a)]
    floor = 1e-12 * float(finite.max(initial=0.0))
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= TOLERANCE * size + floor
    result: Truth = close | (~np.isfinite(a) & ~np.isfinite(b))
    return result


class Points:
    """Points of the reference at which two problems are compared.

    Attributes:
        choices: How many choices the reference has.
        met: How many of their sides some point meets.
    """

    def __init__(self, problem: Behaviour, rows: int, steps: int) -> None:
        """Draw them, then look for sides of choices that none of them meets."""
        self._problem = problem
        self._rng = np.random.default_rng(_SEED)
        last = problem.horizon - 1
        self._times = sorted({round(last * k / max(steps - 1, 1)) for k in range(steps)})
        self._states = [i for i, one in enumerate(problem.inputs) if one.kind == "state"]
        self._drawn: list[tuple[int, Array]] = []
        for time in self._times:
            q = self._scattered(rows)
            values = problem.physical(q)
            self._drawn += [(time, values), (time, self._along(values, time, rows // 2))]
        self._hunt()
        low, high = self._seen()
        self.choices = len(low)
        self.met = int(low.sum() + high.sum())

    def each(self) -> Iterator[tuple[int, Array]]:
        """Time and values, ``(inputs, batch)`` in base units."""
        yield from self._drawn

    def _scattered(self, rows: int) -> Array:
        """Positions in [0, 1]: anywhere, at an end, close to one."""
        rng = self._rng
        shape = (len(self._problem.inputs), rows)
        q = rng.uniform(size=shape)
        kind = rng.uniform(size=shape)
        ends = rng.integers(0, 2, shape).astype(float)
        near = np.abs(ends - 10.0 ** rng.uniform(-6, -0.5, shape))
        q = np.where(kind < 0.12, ends, np.where(kind < 0.3, near, q))
        # A few inputs at an end together, the others anywhere: what rarely meets does meet here.
        q[:, : rows // 8] = np.where(
            rng.uniform(size=(shape[0], rows // 8)) < 0.5, 0.5, q[:, : rows // 8]
        )
        return q

    def _along(self, values: Array, time: int, rows: int) -> Array:
        """The same, with states as a few steps of an episode leave them."""
        problem = self._problem
        values = values[:, :rows].copy()
        values[self._states] = problem.outputs(values, time).first
        for _ in range(int(self._rng.integers(1, 5))):
            values[self._states] = problem.outputs(values, time).following
            fresh = problem.physical(self._rng.uniform(size=values.shape))
            rest = [i for i in range(len(values)) if i not in self._states]
            values[rest] = fresh[rest]
        return values

    def _seen(self) -> tuple[Truth, Truth]:
        sides = [self._problem.outputs(values, time).branches for time, values in self._drawn]
        both = np.concatenate(sides, axis=2)
        return (both[0] < 0).any(axis=1), (both[1] > 0).any(axis=1)

    def _hunt(self) -> None:
        """Walk towards the sides of choices that were not met, from the points closest to them."""
        low, high = self._seen()
        hunted = [
            (k, sign) for k in range(len(low)) for sign in (-1, 1) if not (low, high)[sign > 0][k]
        ]
        for k, sign in hunted[: 4 * _HUNTED]:
            time = self._times[k % len(self._times)]
            q = self._scattered(64)
            score = self._towards(q, time, k, sign)
            for _ in range(_HUNTED):
                order = np.argsort(-np.nan_to_num(score, nan=-np.inf))[:8]
                if score[order[0]] > 0:
                    break
                parents = q[:, np.repeat(order, 8)]
                moved = self._rng.uniform(size=parents.shape) < 2.0 / len(parents)
                step = self._rng.normal(size=parents.shape) * 0.2
                jump = self._scattered(parents.shape[1])
                q = np.where(
                    moved,
                    np.where(
                        self._rng.uniform(size=q.shape) < 0.5, jump, np.clip(parents + step, 0, 1)
                    ),
                    parents,
                )
                score = self._towards(q, time, k, sign)
            self._drawn.append((time, self._problem.physical(q[:, :16])))

    def _towards(self, q: Array, time: int, choice: int, sign: int) -> Array:
        """How far points are on one side of a choice, ``(batch,)``."""
        least, most = self._problem.outputs(self._problem.physical(q), time).branches[:, choice]
        towards: Array = most if sign > 0 else -least
        return towards


def _of_time(r: Compiled, c: Compiled) -> Iterator[Difference]:
    if abs(r.step_s - c.step_s) > 1e-9 * r.step_s:
        yield Difference("time step", f"{r.step_s:g} s", f"{c.step_s:g} s")
    if r.spec.time.horizon != c.spec.time.horizon:
        yield Difference("time horizon", f"{r.spec.time.horizon} steps", f"{c.spec.time.horizon}")


def _of_components(r: Behaviour, c: Behaviour, matching: Matching) -> Iterator[Difference]:
    for i in matching.missing:
        one = r.inputs[i]
        # A noise that the candidate lacks and that matters shows in what comes out.
        if one.kind != "noise":
            yield Difference(f"{one.kind} {one}", "a counterpart", "none")
    for j in matching.extra:
        one = c.inputs[j]
        yield Difference(f"{one.kind} {one}", "nothing like it", "an additional one")
    for i, j in matching.pairs:
        a, b = r.inputs[i], c.inputs[j]
        # The bounds of a state only promise what its next value keeps, and that is compared.
        if a.kind == "decision" and not same_bounds(a, b):
            yield Difference(f"decision {a}", f"{a.low:g} … {a.high:g}", f"{b.low:g} … {b.high:g}")


def _at(
    r: Behaviour, c: Behaviour, matching: Matching, values: Array, step: int
) -> Iterator[Difference]:
    """What differs at points of one time, after a second look at each."""
    suspects = _apart(r, c, matching, values, step)
    if not suspects:
        return
    # At the threshold of a choice rounding decides; what differs for real differs nearby too.
    scale = np.array([max(abs(one.low), abs(one.high)) for one in r.inputs]).reshape(-1, 1)
    low = np.array([one.low for one in r.inputs]).reshape(-1, 1)
    high = np.array([one.high for one in r.inputs]).reshape(-1, 1)
    free = np.array(
        [one.law[:1] in ((), ("continuous",)) or one.kind == "noise" for one in r.inputs]
    )
    rng = np.random.default_rng(_SEED)
    columns = sorted({column for _, _, column, _, _ in suspects})
    near = np.repeat(values[:, columns], 4, axis=1)
    noise = rng.uniform(-1, 1, near.shape) * _NUDGE * scale
    nudged = np.where(free[:, None], np.clip(near + noise, low, high), near)
    confirmed = {what for what, *_ in _apart(r, c, matching, nudged, step)}
    for what, label, column, expected, found in suspects:
        if what in confirmed:
            point = ", ".join(
                f"{one} = {value:.6g}"
                for one, value in zip(r.inputs, values[:, column], strict=True)
            )
            yield Difference(
                label, f"{expected:.12g}", f"{found:.12g}", f"step {step}, {point[:400]}"
            )


def _apart(
    r: Behaviour, c: Behaviour, matching: Matching, values: Array, step: int
) -> list[tuple[str, str, int, float, float]]:
    a = r.outputs(values, step)
    b = c.outputs(carried(c, matching, values), step)
    found = []
    for what, x, y in _pairs(r, c, a, b, matching, step):
        if x.shape != y.shape:
            found.append((what, what, 0, float(len(x)), float(len(y))))
            continue
        wrong = ~agree(x, y)
        if wrong.any():
            worst = int(np.argmax(wrong))
            found.append((what, what, worst, float(x[worst]), float(y[worst])))
    return found


def _pairs(
    r: Behaviour, c: Behaviour, a: Outputs, b: Outputs, matching: Matching, step: int
) -> Iterator[tuple[str, Array, Array]]:
    """Quantities of reference and candidate that must agree, by name."""
    yield "carbon", a.carbon, b.carbon
    yield "penalties", a.penalty, b.penalty
    yield "unpriced constraints", a.free.ravel(), b.free.ravel()
    if step == r.horizon - 1:
        yield "terminal cost", a.terminal, b.terminal
    for i, j in matching.pairs:
        one, row, other = r.inputs[i], r.position(i), c.position(j)
        if one.kind == "state":
            yield f"next {one}", a.following[row], b.following[other]
            yield f"first {one}", a.first[row], b.first[other]
        elif one.kind == "noise":
            yield f"correlation of {one}", a.correlation[row], b.correlation[other]
