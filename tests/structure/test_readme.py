"""What the README shows works as it is shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import envs
from tests.structure.project import ROOT, python

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def command(name: str) -> str:
    found = re.findall(
        rf"^<!-- command: {name} -->\n```bash\n(.*?)\n```", README, flags=re.DOTALL | re.MULTILINE
    )
    assert len(found) == 1
    return str(found[0])


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]


def test_the_two_commands_stand_where_continuous_integration_finds_them() -> None:
    assert command("main") == (
        "pip install -c constraints.txt -e . && python -m benchmark run env=offload agent=gdm"
    )
    assert command("tests") == "pip install -c constraints.txt -e '.[test]' && python -m pytest"
    runner = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command main" in runner
    assert "readme_command tests" in runner


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.split("\n")[0])
def test_a_python_example_runs(block: str, tmp_path: Path) -> None:
    result = python("-c", block, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.search(r"\d+\.\d+ gCO2e", result.stdout)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_example_has_about_ten_lines(block: str) -> None:
    assert len([line for line in block.splitlines() if line.strip()]) <= 12


def test_the_problem_it_shows_compiles() -> None:
    (document,) = blocks("yaml")
    assert envs.parse(document).name == "pacing"


def test_the_diagnostic_it_shows_is_the_one_that_is_given() -> None:
    (document,) = blocks("yaml")
    broken = document.replace(
        "equations:\n", 'equations:\n  total: {unit: J, expr: "sum(power, user) + energy"}\n'
    )
    with pytest.raises(envs.SpecError) as caught:
        envs.parse(broken)
    (shown,) = (block for block in blocks("text") if "unit-mismatch" in block)
    for line in shown.strip().splitlines():
        assert line in str(caught.value)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_names_what_exists(line: str) -> None:
    _, _, run = line.partition("python -m benchmark run ")
    chosen = dict(word.split("=", 1) for word in shlex.split(run) if "=" in word)
    for group in ("env", "agent", "protocol", "tracking"):
        for name in filter(None, chosen.get(group, "").split(",")):
            assert (ROOT / "conf" / group / f"{name}.yaml").is_file(), f"{group}={name}"


@pytest.mark.parametrize("line", [line for line in COMMANDS if "env.parameters." in line])
def test_an_override_it_shows_is_accepted(line: str) -> None:
    words = dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)
    parameters = {
        key.removeprefix("env.parameters."): value.strip('"')
        for key, value in words.items()
        if key.startswith("env.parameters.")
    }
    changed = envs.load(words["env"], overrides={"parameters": parameters, "processes": {}})
    assert changed.digest != envs.load(words["env"]).digest


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert not [t for t in targets if "://" not in t and not (ROOT / t).exists()]


def test_every_folder_of_the_layout_exists() -> None:
    (layout,) = (block for block in blocks("text") if "library/" in block)
    folder = ""
    for line in layout.splitlines():
        if match := re.match(r"^(\w+)/", line):
            folder = match[1]
            assert (ROOT / folder).is_dir()
        elif match := re.match(r"^  (\w+)/", line):
            assert (ROOT / folder / match[1]).is_dir(), f"{folder}/{match[1]}"
