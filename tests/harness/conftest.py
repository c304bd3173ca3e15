"""The command line as a subprocess, in the stub world."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

STUB = Path(__file__).parent / "stub"
ROOT = Path(__file__).parents[2]
SMALL = (
    "protocol=quick",
    "protocol.env_steps=2048",
    "protocol.reference_env_steps=2048",
    "protocol.reward_scale_scenarios=64",
    "protocol.validation_scenarios=32",
    "env.num_envs=64",
)

Bench = Callable[..., "subprocess.CompletedProcess[str]"]


def command(*arguments: str) -> list[str]:
    name, *rest = arguments
    extra = ["--config-dir", str(STUB / "conf")] if name == "run" else []
    return [sys.executable, "-m", "benchmark", name, *extra, *rest]


def environment(**changes: str) -> dict[str, str]:
    path = os.pathsep.join((str(STUB), str(ROOT)))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **changes}


@pytest.fixture(scope="session")
def bench() -> Bench:
    def run(*arguments: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=cwd,
            env=environment(**changes),
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
