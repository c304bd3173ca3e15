"""A mistake gets one clear message, exit code 2, and nothing is written."""

from __future__ import annotations

import os
from dataclasses import fields

import pytest

from benchmark.cli import COMMANDS
from benchmark.errors import BenchmarkError
from benchmark.problems import resolve_device
from benchmark.protocol import Protocol
from tests.harness.conftest import SMALL

GOOD = ("env=channels", "agent=closed", *SMALL)

MISTAKES = {
    "agent": (("env=channels", "agent=closd"), "unknown agent 'closd'; did you mean 'closed'?"),
    "env": (("env=chanels", "agent=closed"), "unknown env 'chanels'; did you mean 'channels'?"),
    "no agent": (("env=channels",), "say which agent: agent=NAME"),
    "key": ((*GOOD, "sead=1"), "unknown override 'sead'; did you mean 'seed'?"),
    "nested key": ((*GOOD, "agent.eror=1"), "did you mean 'agent.error'?"),
    "protocol key": ((*GOOD, "protocol.env_step=1"), "did you mean 'protocol.env_steps'?"),
    "syntax": ((*GOOD, "force=["), "cannot read 'force=['"),
    "parameter": ((*GOOD, "env.parameters.flor=1"), "did you mean 'floor'?"),
    "unit": ((*GOOD, 'env.parameters.floor="30 MHz"'), "expected gCO2e; found 30 MHz"),
    "no spec": (("env=spec", "agent=closed"), "a value is missing: env.spec"),
    "results": ((*GOOD, "results=/proc/nowhere"), "cannot write to results=/proc/nowhere"),
    "launcher": ((*GOOD, "-m", "hydra/launcher=joblb"), "did you mean 'joblib'?"),
    "sweep": (("-m", "env=channels", "agent=closed,crsh", *SMALL), "did you mean 'crash'?"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message_and_no_traceback(bench, tmp_path, mistake):
    arguments, message = MISTAKES[mistake]
    done = bench("run", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr and "Hydra" not in done.stderr
    assert not list(tmp_path.glob("results/channels"))


def test_an_unknown_command_is_named_with_the_nearest(bench, tmp_path):
    done = bench("lst", cwd=tmp_path)
    assert done.returncode == 2
    known = ", ".join(sorted(COMMANDS))
    assert done.stderr == (
        f"benchmark: unknown command 'lst'; did you mean 'list'? known: {known}\n"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_results_folder_is_said_to_be(bench, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    done = bench("run", *GOOD, f"results={tmp_path / 'locked'}", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot write" in done.stderr and "Traceback" not in done.stderr


def test_check_says_ok_or_what_is_wrong(bench, tmp_path):
    (tmp_path / "good.yaml").write_text("good")
    (tmp_path / "bad.yaml").write_text("broken")
    good, bad = (bench("check", name, cwd=tmp_path) for name in ("good.yaml", "bad.yaml"))
    assert good.returncode == 0 and good.stdout.startswith("ok ")
    assert bad.returncode == 2 and "equations.rate: unit-mismatch" in bad.stderr
    assert bench("check", "none.yaml", cwd=tmp_path).returncode == 2


def test_list_shows_problems_agents_and_functions(bench, tmp_path):
    shown = bench("list", cwd=tmp_path).stdout
    assert "channels" in shown and "random" in shown and "_base" not in shown
    assert "shannon_rate" in bench("list", "--functions", cwd=tmp_path).stdout


@pytest.mark.parametrize("value", [0, -5, 1.5, "many", True, None])
def test_a_budget_is_a_whole_number_above_zero(value):
    values = dict.fromkeys((field.name for field in fields(Protocol)), 8)
    with pytest.raises(BenchmarkError, match=r"protocol\.env_steps must be a whole number"):
        Protocol.from_config({**values, "name": "main", "env_steps": value})


def test_a_device_is_known_and_there():
    assert resolve_device("cpu") == "cpu" and resolve_device("auto") in ("cpu", "cuda")
    with pytest.raises(BenchmarkError, match="unknown device 'gpu'; did you mean 'cpu'"):
        resolve_device("gpu")


def test_help_needs_no_choice_and_names_what_there_is(bench, tmp_path):
    done = bench("run", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "env=  channels" in done.stdout and "agent=" in done.stdout
