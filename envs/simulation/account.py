"""What a step costs, and how an episode adds up."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.compiler.model import Compiled
from envs.compiler.tape import Tape

CARBON, PENALTY, ENERGY, VIOLATIONS = 0, 1, 2, 3
"""Rows of a step's account; behind the violations come the metrics."""


class Account:
    """Reads what a step costs from a tape: rows of grams, joules, violations and metrics.

    Attributes:
        names: What the rows are called in the totals of an episode.
        constraints: Number of constraints.
    """

    def __init__(self, compiled: Compiled, tape: Tape, batch: int) -> None:
        """Prepare the readers."""
        energy = next(m.node for m in compiled.metrics if m.name == "energy")
        violations = [plan.violation for plan in compiled.constraints]
        metrics = [metric.node for metric in compiled.metrics]
        self._rows = tape.rows([compiled.carbon, compiled.penalty, energy, *violations, *metrics])
        terminals = {False: compiled.terminal_during, True: compiled.terminal_last}
        self._terminal = {
            last: tape.rows([node]) for last, node in terminals.items() if node is not None
        }
        self.batch, self.constraints = batch, len(violations)
        self.names = ["carbon_g", "penalty_g", "energy_j"]
        self.names += [f"violation.{plan.name}" for plan in compiled.constraints]
        self._metrics = compiled.metrics
        self._first_metric = len(self.names)
        self.names += [f"metric.{metric.name}" for metric in compiled.metrics]
        kept = [(row, m.reduce) for row, m in enumerate(compiled.metrics, self._first_metric)]
        self._last = [row for row, reduce in kept if reduce == "last"]
        self._max = [row for row, reduce in kept if reduce == "max"]

    def opened(self) -> Any:
        """The totals of an episode that has not begun, ``(rows, batch)``."""
        totals = np.zeros((len(self.names), self.batch))
        totals[self._max] = -np.inf
        return totals

    def settle(self, last: bool) -> Any:
        """The step that was decided, ``(rows, batch)``: a new array, or a tensor with gradients."""
        step = self._rows()
        if last in self._terminal:
            step[PENALTY] += self._terminal[last]()[0]
        return step

    def added(self, totals: Any, step: Any) -> Any:
        """The totals with a step more; earlier totals may be in a clone or in somebody's hands."""
        result = step + totals
        for row in self._last:
            result[row] = step[row]
        for row in self._max:
            result[row] = step[row].clip(totals[row])
        return result

    def episode(self, totals: Any, steps: int) -> dict[str, Any]:
        """Totals of an episode of so many steps by name, ``(batch,)`` each.

        Metrics are in their declared units.
        """
        result = {"objective_g": totals[CARBON] + totals[PENALTY]}
        result.update(zip(self.names, totals, strict=True))
        for name, metric in zip(self.names[self._first_metric :], self._metrics, strict=True):
            shares = steps if metric.reduce == "mean" else 1
            result[name] = result[name] / (metric.unit.factor * shares)
        result["length"] = np.full(self.batch, steps)
        return result
