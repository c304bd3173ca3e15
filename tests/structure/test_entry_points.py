"""The ways in work from any folder, and say so when another distribution stands in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.structure.project import python

PLAY = """
import gymnasium
environment = gymnasium.make("envs:lowcarbon/Channels-v0")
observation, info = environment.reset(seed=0)
observation, reward, terminated, truncated, info = environment.step(
    environment.action_space.sample()
)
print(environment.observation_space.contains(observation), reward < 0, terminated, truncated)
"""

PLAY_MANY = """
import gymnasium, envs
environments = gymnasium.make_vec(
    "lowcarbon/Channels-v0", num_envs=5, vectorization_mode="vector_entry_point"
)
observations, infos = environments.reset(seed=0)
print(observations.shape[0], environments.step(environments.action_space.sample())[1].shape)
"""


def test_gymnasium_makes_a_problem_by_its_module_and_name(tmp_path: Path) -> None:
    result = python("-W", "error::UserWarning", "-c", PLAY, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["True", "True", "True", "False"]


def test_gymnasium_makes_the_native_batch(tmp_path: Path) -> None:
    result = python("-c", PLAY_MANY, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "5 (5,)"


def test_the_list_of_problems_and_agents_is_printed_anywhere(tmp_path: Path) -> None:
    result = python("-m", "benchmark", "list", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "channels" in result.stdout
    assert "gdm" in result.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_a_foreign_package_of_our_name_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    foreign = tmp_path / name / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("SOMEBODY_ELSES = True\n", encoding="utf-8")
    result = python("-m", "benchmark", "list", cwd=tmp_path)
    assert result.returncode == 2, result.stdout + result.stderr
    assert str(foreign.parent) in result.stderr
    assert f"'{name}'" in result.stderr
    assert "Traceback" not in result.stderr
    assert any(word in result.stderr for word in ("folder", "directory", "uninstall", "rename"))


@pytest.mark.parametrize("name", ["envs", "agents"])
def test_a_foreign_package_that_fails_to_import_is_named_too(tmp_path: Path, name: str) -> None:
    foreign = tmp_path / name / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("import a_module_that_is_not_there\n", encoding="utf-8")
    result = python("-m", "benchmark", "list", cwd=tmp_path)
    assert result.returncode == 2, result.stdout + result.stderr
    assert str(foreign.parent) in result.stderr
    assert "Traceback" not in result.stderr
