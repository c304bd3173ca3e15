"""How fast the simulation and the diffusion policy are on this machine, with one thread.

    python scripts/throughput.py                      every problem of the library
    python scripts/throughput.py offload --seconds 5 --json throughput.json

Every figure is the median over five windows, resets included.

- *single*: environment steps a second through the Gymnasium API, one environment.
- *numpy*, *torch*: environment steps a second of the vector environment, counted over the batch.
- *updates*: updates a second of `gdm` at batch 256, the environment steps between them included.
- *act*: median milliseconds for one decision of `gdm`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and torch are imported

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

import envs
from benchmark.conditions import composed
from benchmark.manifest import hardware, versions

WINDOWS = 5
DRAWN_ACTIONS = 64
UPDATE_BATCH = 256
TRAINING_ENVS = 64


@dataclass(frozen=True)
class Row:
    """The figures of one problem; None where a backend or the agent was left out."""

    problem: str
    digest: str
    horizon: int
    observations: int
    actions: int
    single_steps_per_s: float
    numpy_steps_per_s: float
    torch_steps_per_s: float | None
    gdm_updates_per_s: float | None
    gdm_act_ms: float | None


def rate(work: Callable[[], int], seconds: float) -> float:
    """Units of work a second: the median over windows that together take about so long."""
    work()  # whatever is done once is done before the clock starts
    rates = []
    for _ in range(WINDOWS):
        done, begun = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - begun) < seconds / WINDOWS:
            done += work()
        rates.append(done / elapsed)
    return statistics.median(rates)


def single(problem: envs.Problem, seconds: float) -> float:
    """Steps a second of the single environment, an episode at a time."""
    environment = envs.make(problem, split="train", seed=0)
    actions = _actions(problem, 1)[:, 0]

    def episode() -> int:
        environment.reset()
        steps, done = 0, False
        while not done:
            _, _, terminated, truncated, _ = environment.step(actions[steps % DRAWN_ACTIONS])
            done = terminated or truncated
            steps += 1
        return steps

    return rate(episode, seconds)


def batched(problem: envs.Problem, batch: int, backend: str, device: str, seconds: float) -> float:
    """Steps a second of the vector environment, over the whole batch."""
    environment = envs.make_vector(
        problem, num_envs=batch, split="train", seed=0, backend=backend, device=device
    )
    actions = _actions(problem, batch)
    environment.reset()
    now = 0

    def row() -> int:
        nonlocal now
        environment.step(actions[now % DRAWN_ACTIONS])
        now += 1
        return batch

    # Whole episodes, so that every window has its share of resets; long ones are cut.
    length = min(problem.horizon, 1_000)
    return rate(lambda: sum(row() for _ in range(length)), seconds)


def _actions(problem: envs.Problem, batch: int) -> np.ndarray:
    shape = (DRAWN_ACTIONS, batch, len(problem.action_names))
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


class Stopwatch:
    """A monitor that counts updates over a span of time, and then says stop."""

    def __init__(self, seconds: float) -> None:
        """Count for so long, from the first update on."""
        self.seconds = seconds
        self.first: tuple[float, int] | None = None
        self.rate: float | None = None

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        """See `agents.Monitor`."""
        now = time.perf_counter()
        if gradient_steps == 0:
            return True
        if self.first is None:
            self.first = now, gradient_steps
            return True
        begun, before = self.first
        self.rate = (gradient_steps - before) / (now - begun)
        return now - begun < self.seconds


def learner(
    problem: envs.Problem, device: str, seconds: float
) -> tuple[float | None, float | None]:
    """Updates a second of `gdm`, and the median milliseconds of one decision."""
    from agents import Budget

    values = composed([f"env={problem.name}", "agent=gdm"])["agent"]
    module, _, name = values.pop("_target_").rpartition(".")
    values |= {"batch_size": UPDATE_BATCH, "transitions_per_update": 1, "warmup": 1_024}
    agent = getattr(importlib.import_module(module), name)(
        observation_size=len(problem.observation_names),
        action_size=len(problem.action_names),
        discount=problem.discount,
        seed=0,
        device=device,
        **values,
    )
    environment = envs.make_vector(problem, num_envs=TRAINING_ENVS, split="train", seed=0)
    watch = Stopwatch(seconds)
    agent.learn(environment, Budget(1_000_000_000), watch)
    observation, _ = environment.reset()
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        agent.act(observation[:1], environment)
        times.append(time.perf_counter() - begun)
    return watch.rate, 1_000 * statistics.median(times)


def measure(name: str, options: argparse.Namespace) -> Row:
    """All figures of one problem."""
    problem = envs.load(name)
    updates, act = None, None
    if not options.no_agent:
        updates, act = learner(problem, options.device, options.seconds)
    return Row(
        problem=name,
        digest=problem.digest,
        horizon=problem.horizon,
        observations=len(problem.observation_names),
        actions=len(problem.action_names),
        single_steps_per_s=single(problem, options.seconds),
        numpy_steps_per_s=batched(problem, options.batch, "numpy", "cpu", options.seconds),
        torch_steps_per_s=None
        if options.no_torch
        else batched(problem, options.batch, "torch", options.device, options.seconds),
        gdm_updates_per_s=updates,
        gdm_act_ms=act,
    )


def show(rows: list[Row], machine: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the table, the machine above it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    console.print(", ".join(f"{key} {value}" for key, value in machine.items() if value))
    table = Table(title=f"one thread, batch {options.batch:,}", title_justify="left")
    table.add_column("problem", no_wrap=True)
    for head in (
        "horizon",
        "observed",
        "actions",
        "single steps/s",
        "numpy steps/s",
        "torch steps/s",
        "gdm updates/s",
        "gdm act ms",
    ):
        table.add_column(head, justify="right")
    for row in rows:
        sizes = (row.horizon, row.observations, row.actions)
        rates = (row.single_steps_per_s, row.numpy_steps_per_s, row.torch_steps_per_s)
        table.add_row(
            row.problem,
            *(f"{size:,}" for size in sizes),
            *("–" if value is None else f"{value:,.0f}" for value in rates),
            "–" if row.gdm_updates_per_s is None else f"{row.gdm_updates_per_s:,.1f}",
            "–" if row.gdm_act_ms is None else f"{row.gdm_act_ms:.3f}",
        )
    console.print(table)


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problems", nargs="*", help="names; all of the library without any")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each figure (default 5)")
    parser.add_argument("--batch", type=int, default=1024, help="environments in the batch")
    parser.add_argument("--device", default="cpu", help="of torch and of gdm: cpu or cuda")
    parser.add_argument("--no-torch", action="store_true", help="leave the torch backend out")
    parser.add_argument("--no-agent", action="store_true", help="leave gdm out")
    parser.add_argument("--json", type=Path, help="write the figures and the machine here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = options.problems or list(envs.problems())
    machine = hardware(options.device)
    rows = [measure(name, options) for name in track(names, "measuring", transient=True)]
    show(rows, machine, options)
    if options.json:
        report = {
            "hardware": machine,
            "versions": versions(),
            "threads": 1,
            "batch": options.batch,
            "seconds": options.seconds,
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
