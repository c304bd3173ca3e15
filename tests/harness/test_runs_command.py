"""``runs list``, ``runs show`` and ``runs clean``, on runs that ended in every way."""

from __future__ import annotations

import json
import shutil

import pytest

from benchmark import runs as command
from benchmark.cli import main
from benchmark.errors import BenchmarkError
from benchmark.index import entries
from benchmark.store import RunFolder, digest
from tests.harness.conftest import SMALL


@pytest.fixture(scope="module")
def made(bench, tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    done = bench("run", "-m", "env=channels", "agent=closed,crash", *SMALL, cwd=place)
    assert done.returncode == 1, done.stderr
    return place / "results"


@pytest.fixture
def results(made, tmp_path):
    """One run done, one failed, one killed, one damaged and one under way."""
    place = tmp_path / "results"
    shutil.copytree(made, place)
    killed = RunFolder(place, "channels", "killed", 1, digest("killed"))
    killed.begin()
    killed.advance(0.4)
    damaged = place / "channels" / "closed" / "seed7-0123456789ab"
    damaged.mkdir()
    (damaged / "status.json").write_text("{")
    live = RunFolder(place, "channels", "live", 2, digest("live"))
    with live.claimed():
        live.begin()
        yield place


def told(capsys, *arguments: str) -> str:
    assert main(("runs", *arguments)) == 0
    return capsys.readouterr().out


def test_the_list_says_of_every_run_how_it_stands(results, capsys):
    lines = told(capsys, "list", f"results={results}").splitlines()
    assert len(lines) == 7
    words = {tuple(line.split()[1:5]): line for line in lines[1:-1]}
    assert "done" in words["channels", "closed", "0", "done"]
    assert "4.02" in words["channels", "closed", "0", "done"]
    assert ("channels", "crash", "0", "failed") in words
    assert "interrupted 40%" in words["channels", "killed", "1", "interrupted"]
    assert "running 0%" in words["channels", "live", "2", "running"]
    assert ("channels", "closed", "7", "damaged") in words
    assert lines[-1].endswith("1 done, 1 running, 1 interrupted, 1 failed, 1 damaged")


def test_the_list_fits_a_terminal_of_eighty_columns(results, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(command, "_console", lambda: command.Console(highlight=False))
    lines = told(capsys, "list", f"results={results}").splitlines()
    assert max(map(len, lines[:-1])) <= 80 and len(lines) == 7


@pytest.mark.parametrize(
    ("words", "agents"),
    [
        (["agent=closed"], ["closed", "closed"]),
        (["status=done,failed"], ["closed", "crash"]),
        (["env=offload"], []),
        (["seed=1,2"], ["killed", "live"]),
    ],
)
def test_a_filter_leaves_only_what_it_names(results, capsys, words, agents):
    lines = told(capsys, "list", f"results={results}", *words).splitlines()
    assert [line.split()[2] for line in lines[1:-1]] == agents


def test_a_finished_run_is_shown_with_its_table(results, capsys):
    (entry,) = (entry for entry in entries(results) if entry.status == "done")
    by_key = told(capsys, "show", entry.key[:6], f"results={results}")
    by_folder = told(capsys, "show", str(entry.folder))
    for text in (by_key, by_folder):
        assert "closed (seed 0)" in text and "oracle (certified)" in text
        assert "python -m benchmark run" in text and "numpy" in text
        assert json.loads((entry.folder / "manifest.json").read_text())["key"] in text


def test_a_failed_run_is_shown_with_its_traceback(results, capsys):
    (entry,) = (entry for entry in entries(results) if entry.status == "failed")
    text = told(capsys, "show", str(entry.folder))
    assert "the loss is not finite" in text and "Traceback" in text
    assert "stub_agents.py" in text and "afresh" in text


def test_clean_takes_what_is_not_finished_and_never_what_is_under_way(results, capsys):
    text = told(capsys, "clean", f"results={results}", "--yes")
    assert "deleted 2 folders" in text
    left = {(entry.agent, entry.status) for entry in entries(results)}
    assert left == {("closed", "done"), ("closed", "damaged"), ("live", "running")}
    assert [path.name for path in (results / ".locks").iterdir()] == [digest("live")[:24]]


def test_clean_deletes_what_a_filter_names_and_nothing_else(results, capsys):
    told(capsys, "clean", f"results={results}", "status=damaged", "--yes")
    assert [entry.status for entry in entries(results) if entry.agent == "closed"] == ["done"]
    assert {"killed", "crash"} <= {entry.agent for entry in entries(results)}


def test_clean_asks_first_and_a_no_leaves_everything(results, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "")
    before = sorted(results.rglob("*"))
    assert "nothing was deleted" in told(capsys, "clean", f"results={results}")
    assert sorted(results.rglob("*")) == before


def test_clean_deletes_nothing_where_there_is_nobody_to_ask(results, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(BenchmarkError, match="--yes"):
        command.runs(("clean", f"results={results}"))
    assert len(list(entries(results))) == 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "status=fail"], "did you mean 'failed'"),
        (["list", "agnt=gdm"], "did you mean 'agent'"),
        (["list", "gdm"], "no KEY=VALUE"),
        (["show"], "which one run"),
        (["show", "ffffff"], "no run"),
        (["show", "."], "no run folder"),
        (["clean", "status=running"], "never"),
    ],
)
def test_a_mistake_is_told_with_the_remedy(results, words, message):
    with pytest.raises(BenchmarkError, match=message):
        command.runs([*words, f"results={results}"])


def test_a_run_is_shown_whatever_stands_beside_it(results, monkeypatch):
    done = next(entry for entry in entries(results) if entry.status == "done")
    monkeypatch.setattr("benchmark.runs.entries", None)
    assert command.runs(("show", str(done.folder))) == 0


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BenchmarkError, match="nowhere"):
        command.runs(("list", f"results={tmp_path / 'nowhere'}"))


def test_a_job_that_fails_leaves_its_traceback_and_its_log(made):
    (failed,) = made.glob("channels/crash/*.partial")
    trace = json.loads((failed / "status.json").read_text())["traceback"]
    assert trace == (failed / "error.txt").read_text() and "not finite" in trace
    (log,) = made.glob("sweeps/*/jobs/00001.log")
    assert "the loss is not finite" in log.read_text()
