"""Files are whole or absent; folders are finished or say that they are not."""

from __future__ import annotations

import errno
import json
import os

import pytest

from benchmark import store
from benchmark.errors import BenchmarkError
from benchmark.store import RunFolder, digest, locked, mark_abandoned, write_csv, write_json

KEY = "ab" * 32


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "value.json"
    write_json(path, {"old": 1})

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]


def test_a_number_that_is_none_is_not_written(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "value.json", {"wh": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_figure_is_an_empty_field(tmp_path):
    write_csv(tmp_path / "curve.csv", {"steps": [1, 2], "loss": [None, 0.5]})
    assert (tmp_path / "curve.csv").read_text() == "steps,loss\n1,\n2,0.5\n"


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_run_is_unfinished_until_it_is_finished(tmp_path):
    folder = RunFolder(tmp_path, "channels", "gdm", 3, KEY)
    folder.begin()
    assert folder.work.name == "seed3-abababababab.partial"
    assert json.loads((folder.work / "status.json").read_text())["status"] == "running"
    assert folder.result() is None
    write_json(folder.work / "result.json", {"status": "done"})
    assert folder.result() is None
    folder.finish()
    assert folder.result() == {"status": "done"}
    assert not folder.work.exists()


def test_a_repeated_run_replaces_the_finished_one_only_at_its_end(tmp_path):
    folder = RunFolder(tmp_path, "channels", "gdm", 0, KEY)
    for number in (1, 2):
        folder.begin()
        write_json(folder.work / "result.json", {"status": "done", "number": number})
        if number == 2:
            assert folder.result() == {"status": "done", "number": 1}
        folder.finish()
    assert folder.result() == {"status": "done", "number": 2}
    assert [entry.name for entry in folder.final.parent.iterdir()] == [folder.final.name]


def test_a_damaged_result_counts_as_none(tmp_path):
    folder = RunFolder(tmp_path, "channels", "gdm", 0, KEY)
    folder.final.mkdir(parents=True)
    (folder.final / "result.json").write_text('{"status": "do')
    assert folder.result() is None


def test_two_processes_do_not_run_the_same(tmp_path):
    folder = RunFolder(tmp_path, "channels", "gdm", 0, KEY)
    with folder.claimed(), pytest.raises(BenchmarkError, match="another process"):
        with folder.claimed():
            pass
    with folder.claimed():
        pass


def test_only_a_run_whose_process_has_gone_is_called_abandoned(tmp_path):
    gone = RunFolder(tmp_path, "channels", "gdm", 0, KEY)
    alive = RunFolder(tmp_path, "channels", "gdm", 1, "cd" * 32)
    gone.begin()
    alive.begin()
    with alive.claimed():
        mark_abandoned(tmp_path)
    states = [json.loads((f.work / "status.json").read_text())["status"] for f in (gone, alive)]
    assert states == ["interrupted", "running"]


def test_a_lock_ends_with_its_block(tmp_path):
    with locked(tmp_path / "lock", busy="busy"):
        pass
    with locked(tmp_path / "lock", busy="busy"):
        pass


def test_nothing_is_written_before_a_run_begins(tmp_path):
    RunFolder(tmp_path / "results", "channels", "gdm", 0, KEY).result()
    assert list(tmp_path.iterdir()) == []
    assert store.PARTIAL == ".partial"
