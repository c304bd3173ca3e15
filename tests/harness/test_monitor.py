"""The learning curve, the budget, and that looking does not change learning."""

from __future__ import annotations

import io
import random

import numpy as np
import torch
from rich.console import Console

from benchmark.evaluation import Episodes
from benchmark.monitor import LearningMonitor, undisturbed
from benchmark.progress import ProgressBar, clock
from benchmark.protocol import Protocol

PROTOCOL = Protocol(
    name="test",
    env_steps=100,
    num_envs=10,
    test_scenarios=2,
    validation_scenarios=2,
    evaluations=4,
    reward_scale_scenarios=2,
    reference_env_steps=10,
)


def episodes() -> Episodes:
    ones = np.ones(2)
    return Episodes(np.arange(2), 2 * ones, ones, ones, ones, {"late": ones}, {})


def monitor(calls: list[int], output: io.StringIO) -> LearningMonitor:
    bar = ProgressBar("run", 100, Console(file=output))
    publish = lambda curve: calls.append(len(curve.rows))  # noqa: E731
    return LearningMonitor(PROTOCOL, episodes, bar, publish)


def test_the_curve_has_a_point_each_interval_and_one_at_the_end():
    calls: list[int] = []
    watch = monitor(calls, io.StringIO())
    going = [watch.update(steps, steps // 2, loss=1.0) for steps in range(10, 101, 10)]
    watch.finish()
    assert [row["env_steps"] for row in watch.curve.rows] == [10, 40, 70, 100]
    assert [row["gradient_steps"] for row in watch.curve.rows] == [5, 20, 35, 50]
    assert watch.curve.rows[0]["objective_g"] == 2 and watch.curve.rows[0]["loss"] == 1.0
    assert going == [True] * 9 + [False]
    assert calls == [1, 2, 3, 4]


def test_a_scalar_that_is_not_finite_is_left_out():
    watch = monitor([], io.StringIO())
    watch.update(10, 0, loss=float("nan"))
    watch.update(50, 0, loss=2.0)
    assert watch.curve.columns()["loss"] == [None, 2.0]


def test_progress_is_plain_lines_where_no_terminal_looks_on():
    output = io.StringIO()
    watch = monitor([], output)
    for steps in range(1, 101):
        watch.update(steps, 0)
    lines = output.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("run: 100%, 100 of 100") and "ETA 0:00" in lines[-1]
    assert "J 2 g" in lines[-1] and "\x1b" not in output.getvalue()


def test_looking_leaves_every_global_random_state_as_it_was():
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    def seed() -> None:
        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)

    seed()
    expected = draw()
    seed()
    with undisturbed():
        draw()
    assert draw() == expected


def test_a_clock_shows_hours_only_where_there_are_any():
    assert (clock(59.6), clock(61), clock(3723)) == ("1:00", "1:01", "1:02:03")
