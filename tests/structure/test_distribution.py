"""What is installed is what is written down."""

from __future__ import annotations

import fnmatch
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts import pin
from tests.structure.project import PACKAGES, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What torch needs beside itself depends on the build; it pins them itself.
OF_TORCH = ("cuda-", "nvidia-cu", "nvidia-nccl", "nvidia-nvshmem", "triton")


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("requirement", pin.direct_requirements(), ids=str)
def test_a_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    version = pins().get(canonicalize_name(requirement.name))
    assert version is not None, "run `python scripts/pin.py > constraints.txt`"
    assert requirement.specifier.contains(version)
    assert any(specifier.operator == ">=" for specifier in requirement.specifier)


def test_everything_the_dependencies_need_in_turn_is_pinned() -> None:
    needed = pin.closure(pin.direct_requirements())
    missing = {name for name in needed if not name.startswith(OF_TORCH)} - set(pins())
    assert not missing, "run `python scripts/pin.py > constraints.txt`"


def test_pins_are_exact_and_hold_for_every_build() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == sorted(lines, key=lambda line: canonicalize_name(line.split("==")[0]))
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line) for line in lines)


def test_every_data_file_of_the_packages_is_shipped() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    files = [
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert files
    left = [p for p in files if not any(fnmatch.fnmatch(p.name, pattern) for pattern in patterns)]
    assert not left


@pytest.mark.parametrize("package", ["agents", "benchmark", "envs"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["title"].startswith(PROJECT["project"]["name"])


def test_every_problem_of_the_library_has_a_configuration() -> None:
    problems = {path.stem for path in (ROOT / "envs" / "library").glob("*.yaml")}
    configured = {path.stem for path in (ROOT / "conf" / "env").glob("*.yaml")}
    assert problems
    assert problems <= configured
    assert {n for n in configured - problems if not n.startswith("_")} <= {"spec"}


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.py")), ids=lambda p: p.stem)
def test_a_script_hides_no_package_from_those_beside_it(script: Path) -> None:
    # Python looks first in the folder of the script that it was given.
    assert script.stem not in sys.stdlib_module_names
    assert script.stem not in packages_distributions()
