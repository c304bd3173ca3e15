"""What stands between an agent that learns and the harness: progress, and the learning curve."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from agents import Checkpoint
from benchmark.evaluation import Episodes
from benchmark.progress import ProgressBar
from benchmark.protocol import Protocol

Row = dict[str, Any]


class LearningCurve:
    """Rows of figures against the steps spent."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: list[Row] = []

    def columns(self) -> dict[str, list[Any]]:
        """The curve by column; a figure a row lacks is None."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        return {name: [row.get(name) for row in self.rows] for name in names}


class LearningMonitor:
    """An ``agents.Monitor`` and ``Keeper``.

    It evaluates every so many steps, draws progress, holds to the budget and hands checkpoints on.

    Looking does not change learning: the global random states are put back after each evaluation.
    """

    def __init__(
        self,
        protocol: Protocol,
        evaluate: Callable[[], Episodes],
        progress: ProgressBar,
        publish: Callable[[LearningCurve], None],
        keep: Callable[[Checkpoint], None] = lambda write: None,
    ) -> None:
        """Watch a run.

        Args:
            protocol: Budget and evaluation interval.
            evaluate: Runs the agent, as it is now, on the validation scenarios.
            progress: Where progress is drawn.
            publish: Called with the curve when it has grown.
            keep: Called between two updates with what writes a checkpoint.
        """
        self.curve = LearningCurve()
        self.env_steps = 0
        self.gradient_steps = 0
        self.evaluation_seconds = 0.0
        self._protocol, self._evaluate = protocol, evaluate
        self._progress, self._publish, self._keep = progress, publish, keep
        self._started = time.monotonic()
        self._earlier_s = 0.0
        self._next = 0
        self._scalars: dict[str, float] = {}

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        """Take note of the agent's progress; see ``agents.Monitor``."""
        self.env_steps, self.gradient_steps = int(env_steps), int(gradient_steps)
        self._scalars.update({name: float(value) for name, value in scalars.items()})
        if self.env_steps >= self._next:
            self._look()
            self._next = self.env_steps + self._protocol.evaluation_interval
        self._progress.update(self.env_steps)
        return self.env_steps < self._protocol.env_steps

    def keep(self, write: Checkpoint) -> None:
        """Hand a checkpoint on to who keeps them; see ``agents.Keeper``."""
        self._keep(write)

    @property
    def seconds(self) -> float:
        """Since learning began, without the time between an interruption and its resumption."""
        return self._earlier_s + time.monotonic() - self._started

    def state(self) -> dict[str, Any]:
        """Everything that tells this moment from another, as JSON."""
        finite = {n: v if np.isfinite(v) else None for n, v in self._scalars.items()}
        return {
            "env_steps": self.env_steps,
            "gradient_steps": self.gradient_steps,
            "evaluation_seconds": self.evaluation_seconds,
            "seconds": self.seconds,
            "next": self._next,
            "scalars": finite,  # in their order: it is that of the curve's columns
            "curve": self.curve.rows,
        }

    def restore(self, state: Row) -> None:
        """Return to the moment that ``state`` gave."""
        self.env_steps, self.gradient_steps = state["env_steps"], state["gradient_steps"]
        self.evaluation_seconds, self._earlier_s = state["evaluation_seconds"], state["seconds"]
        self._next, self.curve.rows = state["next"], list(state["curve"])
        self._scalars = {n: np.nan if v is None else v for n, v in state["scalars"].items()}
        self._started = time.monotonic()
        self._progress.begin_at(self.env_steps)

    def finish(self) -> None:
        """Add the last point, where the agent stands when it has learnt."""
        if not self.curve.rows or self.curve.rows[-1]["env_steps"] != self.env_steps:
            self._look()
        self._progress.update(self._protocol.env_steps)

    def _look(self) -> None:
        seconds, begun = self.seconds, time.monotonic()
        with undisturbed():
            episodes = self._evaluate()
        self.evaluation_seconds += time.monotonic() - begun
        objective_g = float(np.mean(episodes.objective_g))
        row: Row = {
            "env_steps": self.env_steps,
            "gradient_steps": self.gradient_steps,
            "seconds": round(seconds, 3),
            "objective_g": objective_g,
            "carbon_g": float(np.mean(episodes.carbon_g)),
            "penalty_g": float(np.mean(episodes.penalty_g)),
            "violated_share": episodes.violated,
        }
        finite = {name: value for name, value in self._scalars.items() if np.isfinite(value)}
        self.curve.rows.append({**row, **finite})
        self._progress.note = f"J {objective_g:.4g} g"
        self._publish(self.curve)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put the global random states of Python, NumPy and torch back afterwards."""
    import torch  # takes a second: a mistake on the command line is told before

    python_state, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
