"""One real run, to be verified, altered and measured; made once, by the command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark import cli

ROOT = Path(__file__).parents[2]
SMALL = (
    "env.num_envs=32",
    "env.test_scenarios=40",
    "env.validation_scenarios=16",
    "protocol=quick",
    "protocol.env_steps=640",
    "protocol.evaluations=2",
    "protocol.reference_env_steps=640",
    "protocol.reward_scale_scenarios=64",
)


def benchmark(*arguments: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process, which finds modules in the folder it runs in."""
    path = os.pathsep.join((str(ROOT), str(cwd)))
    return subprocess.run(
        [sys.executable, "-m", "benchmark", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **changes},
        capture_output=True,
        text=True,
        timeout=300,
    )


def example() -> str:
    """The agent that the documentation shows."""
    text = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    (found,) = re.findall(
        r"^<!-- example: my_agent.py -->\n```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE
    )
    return str(found)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of PPO and one of the documented agent in its results."""
    place = tmp_path_factory.mktemp("trust")
    (place / "my_agent.py").write_text(example())
    agents = "agent=ppo", "agent=custom agent._target_=my_agent.Linear agent.elite=0.3"
    for agent in agents:
        done = benchmark("run", "env=channels", *agent.split(), *SMALL, cwd=place)
        assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def run(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run of PPO, to be altered; the reference rows of the original are at hand."""
    monkeypatch.chdir(place)
    (folder,) = (place / "results" / "channels" / "ppo").iterdir()
    return Path(shutil.copytree(folder, tmp_path / "run"))


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line within this process: exit code, output, complaints."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call
