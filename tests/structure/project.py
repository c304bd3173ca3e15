"""Where things are, and how to run a fresh interpreter on them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agents", "benchmark", "conf", "envs")


def sources(package: str) -> Iterator[tuple[Path, ast.Module]]:
    """The parsed modules of a package."""
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"), str(path))


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a fresh interpreter that finds this checkout behind its own folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WANDB_MODE": "disabled"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
