"""A linear programme put together piece by piece, solved by HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


class Rows:
    """Rows of one sense, to which terms are added."""

    def __init__(self) -> None:
        """Start without rows."""
        self._count = 0
        self._rows: list[Indices] = []
        self._columns: list[Indices] = []
        self._data: list[Array] = []
        self._right: list[Array] = []

    def new(self, right: ArrayLike, count: int) -> Indices:
        """Numbers of new rows with right sides, one for each or one for all."""
        self._right.append(np.broadcast_to(np.asarray(right, np.float64), count))
        self._count += count
        return np.arange(self._count - count, self._count)

    def add(self, rows: Indices, variables: Indices, coefficients: ArrayLike = 1.0) -> None:
        """Add a term to each row: a variable and its coefficient."""
        self._rows.append(rows)
        self._columns.append(np.broadcast_to(variables, len(rows)))
        self._data.append(np.broadcast_to(np.asarray(coefficients, np.float64), len(rows)))

    def matrix(self, variables: int) -> tuple[Any, Array]:
        """Coefficients ``(row, variable)`` and right sides."""
        places = np.concatenate(self._rows), np.concatenate(self._columns)
        shape = (self._count, variables)
        matrix = csc_array((np.concatenate(self._data), places), shape=shape)
        return matrix, np.concatenate(self._right)


class Programme:
    """Minimise the cost of variables under equalities and upper limits.

    Attributes:
        equal: Rows whose terms sum to the right side.
        at_most: Rows whose terms sum to no more than the right side.
    """

    def __init__(self) -> None:
        """Start without variables and rows."""
        self.equal, self.at_most = Rows(), Rows()
        self._parts: tuple[list[Array], list[Array], list[Array]] = ([], [], [])
        self._size = 0

    def variables(
        self, count: int, cost: ArrayLike = 0.0, low: ArrayLike = 0.0, high: ArrayLike = np.inf
    ) -> Indices:
        """Numbers of new variables."""
        for part, given in zip(self._parts, (cost, low, high), strict=True):
            part.append(np.broadcast_to(np.asarray(given, np.float64), count))
        self._size += count
        return np.arange(self._size - count, self._size)

    def store(
        self,
        stored: Indices,
        flows: tuple[Indices, Indices],
        start: float,
        efficiency: float,
        hours: ArrayLike,
    ) -> None:
        """What is stored after each step follows from what goes in and out.

        Args:
            stored: Energy after each step.
            flows: Power in and out, before losses.
            start: Energy before the first step.
            efficiency: Each way.
            hours: Of a step, or of each.
        """
        right = np.zeros(len(stored))
        right[:1] = start
        rows = self.equal.new(right, len(stored))
        self.equal.add(rows, stored)
        self.equal.add(rows[1:], stored[:-1], -1.0)
        self.equal.add(rows, flows[0], -efficiency * np.asarray(hours))
        self.equal.add(rows, flows[1], np.asarray(hours) / efficiency)

    def reach(self, variable: Indices, least: float, cost: float) -> None:
        """A variable reaches an amount, or each unit that it lacks costs so much."""
        missing = self.variables(1, cost=cost)
        row = self.at_most.new(-least, 1)
        self.at_most.add(row, missing, -1.0)
        self.at_most.add(row, variable, -1.0)

    def solve(self) -> tuple[float, Array]:
        """Least cost, and the variables.

        Raises:
            RuntimeError: HiGHS finds no optimum.
        """
        cost, low, high = (np.concatenate(part) for part in self._parts)
        equal, at_most = self.equal.matrix(self._size), self.at_most.matrix(self._size)
        result: Any = linprog(  # type: ignore[call-overload]  # the stubs know no sparse arrays
            cost,
            A_ub=at_most[0],
            b_ub=at_most[1],
            A_eq=equal[0],
            b_eq=equal[1],
            bounds=np.column_stack([low, high]),
            method="highs",
        )
        if result.status != 0:
            raise RuntimeError(f"the programme failed: {result.message}")
        return float(result.fun), np.asarray(result.x)
