"""Where a result comes from: code, versions, hardware, seeds."""

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = (
    "lowcarbon-bench",
    "codecarbon",
    "gymnasium",
    "hydra-core",
    "numpy",
    "scipy",
    "stable-baselines3",
    "tianshou",
    "torch",
    "wandb",
)

CODE = (
    "agents",
    "envs",
    "benchmark/evaluation.py",
    "benchmark/monitor.py",
    "benchmark/protocol.py",
    "benchmark/scoring.py",
    "benchmark/variants.py",
)
"""What a result depends on: not how it is shown, and not the specs, which have a digest."""

NOT_CODE = ("envs/formulation",)
"""Writes specs, which are known by their digest."""


@functools.cache
def code_version() -> str:
    """SHA-256 of the sources that a result depends on, wherever they are installed."""
    total = hashlib.sha256()
    for entry in CODE:
        package, _, module = entry.partition("/")
        folder = _folder(package)
        if folder is None:
            continue
        paths = [folder / module] if module else sorted(folder.rglob("*.py"))
        for path in paths:
            name = f"{package}/{path.relative_to(folder).as_posix()}"
            if not name.startswith(NOT_CODE) and path.is_file():
                total.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def hardware(device: str) -> dict[str, Any]:
    """The machine, without its name."""
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "device": device,
        "gpu": _gpu(device),
    }


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages results depend on."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def git() -> dict[str, Any]:
    """Commit of the checkout the harness lies in, and whether it was changed; None outside one."""
    here = Path(__file__).resolve().parent
    commit = _git(here, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": bool(_git(here, "status", "--porcelain", "--", ".."))}


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gb() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return round(size / 1e9, 1)


def _gpu(device: str) -> str | None:
    if device != "cuda":
        return None
    import torch

    return torch.cuda.get_device_name()
