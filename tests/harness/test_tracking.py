"""A tracker can neither end nor hold up a run."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import pytest

from benchmark.errors import BenchmarkError
from benchmark.tracking import NoTracker, WandbTracker, make_tracker

SETTINGS = {
    "name": "wandb",
    "mode": "offline",
    "project": "test",
    "entity": None,
    "finish_s": 10,
}
RESULT = {"status": "done", "score": 0.5, "alarms": []}


class FakeRun:
    def __init__(self) -> None:
        self.rows: list[tuple[dict, int]] = []
        self.summary: dict = {}
        self.exit_code: int | None = None

    def log(self, row, step):
        self.rows.append((row, step))

    def finish(self, exit_code):
        self.exit_code = exit_code


def use(monkeypatch, init):
    fake = SimpleNamespace(init=init, Settings=lambda **values: values)
    monkeypatch.setitem(sys.modules, "wandb", fake)


def test_rows_and_result_arrive_in_order(monkeypatch, tmp_path):
    run = FakeRun()
    use(monkeypatch, lambda **values: run)
    tracker = WandbTracker(SETTINGS, "run", {}, tmp_path)
    tracker.log({"env_steps": 1})
    tracker.log({"env_steps": 5})
    tracker.finish(RESULT)
    assert [step for _, step in run.rows] == [1, 5]
    assert run.summary == {"status": "done", "score": 0.5} and run.exit_code == 0


def test_a_tracker_that_fails_is_left_out_with_a_word(monkeypatch, tmp_path, capsys):
    def init(**values):
        raise RuntimeError("no network")

    use(monkeypatch, init)
    tracker = WandbTracker(SETTINGS, "run", {}, tmp_path)
    tracker.log({"env_steps": 1})
    tracker.finish(RESULT)
    assert "no network" in capsys.readouterr().err


def test_a_tracker_that_hangs_is_left_behind(monkeypatch, tmp_path, capsys):
    release = threading.Event()
    use(monkeypatch, lambda **values: release.wait(30) and FakeRun())
    tracker = WandbTracker({**SETTINGS, "finish_s": 0}, "run", {}, tmp_path)
    tracker.log({"env_steps": 1})
    tracker.finish(RESULT)
    release.set()
    assert "left behind" in capsys.readouterr().err


def test_tracking_is_off_unless_asked_for(tmp_path):
    assert isinstance(make_tracker({"name": "none"}, "run", {}, tmp_path), NoTracker)
    with pytest.raises(BenchmarkError, match="did you mean 'wandb'"):
        make_tracker({"name": "wandbb"}, "run", {}, tmp_path)
