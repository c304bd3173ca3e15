"""An override or a name from a command line is checked like a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import envs
from tests.hostile.corpus import BASE_TEXT
from tests.hostile.guard import guarded
from tests.structure.project import python

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown parameter": ({"nosie": 1}, "unknown-name"),
    "a dunder": ({"__class__": 1}, "unknown-name"),
    "another unit": ({"bandwidth": "30 W"}, "unit-mismatch"),
    "no unit of the language": ({"bandwidth": "30 m^999999999"}, "bad-unit"),
    "code": ({"bandwidth": "__import__('os')"}, "bad-value"),
    "code as an expression": ({"bandwidth": {"expr": "exit(1)"}}, "unknown-function"),
    "not a number": ({"bandwidth": float("nan")}, "bad-value"),
    "infinity": ({"bandwidth": float("inf")}, "bad-value"),
    "nothing": ({"bandwidth": None}, "bad-value"),
    "true": ({"bandwidth": True}, "bad-value"),
    "a wrong shape": ({"weight": [1, 2, 3]}, "bad-shape"),
    "an unknown key": ({"bandwidth": {"vlaue": 1}}, "unknown-key"),
    "a key that is no text": ({"bandwidth": {1: 1}}, "bad-value"),
    "a value that is an object": ({"bandwidth": object()}, "bad-value"),
    "a unit that breaks an equation": ({"noise": {"unit": "J", "value": 1}}, "unit-mismatch"),
    "a value that may divide by 0": ({"noise": 0}, "domain"),
}
PROCESSES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown process": ({"sun": 1}, "unknown-name"),
    "another unit": ({"load": "3 W"}, "unit-mismatch"),
    "a quote": ({"load": "1' + exit(1) + '1"}, "unknown-function"),
    "a trace from a path": (
        {"load": {"trace": {"file": "../../etc/passwd", "column": "a"}}},
        "bad-trace",
    ),
    "a trace from a URL": (
        {"load": {"trace": {"file": "http://example.org", "column": "a"}}},
        "bad-trace",
    ),
    "two kinds at once": ({"load": {"expr": "1", "sample": {"uniform": [0, 1]}}}, "bad-value"),
    "a list": ({"load": [1, 2]}, "bad-value"),
    "true": ({"load": True}, "bad-value"),
}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "base.yaml"
    path.write_text(BASE_TEXT, encoding="utf-8")
    return path


def refused(spec: Path | str, overrides: Any = None) -> set[str]:
    with guarded(), pytest.raises(envs.SpecError) as caught:
        envs.load(spec, overrides=overrides)
    assert all(d.path and d.expected and d.actual and d.hint for d in caught.value.diagnostics)
    return {diagnostic.code for diagnostic in caught.value.diagnostics}


@pytest.mark.parametrize("what", PARAMETERS)
def test_an_override_of_a_parameter_is_refused(spec: Path, what: str) -> None:
    change, code = PARAMETERS[what]
    codes = refused(spec, {"parameters": change, "processes": {}})
    assert code in codes or (code == "bad-value" and codes & {"missing-key", "bad-expression"})


@pytest.mark.parametrize("what", PROCESSES)
def test_an_override_of_a_process_is_refused(spec: Path, what: str) -> None:
    change, code = PROCESSES[what]
    codes = refused(spec, {"parameters": {}, "processes": change})
    assert code in codes or (code == "bad-value" and codes & {"bad-unit", "bad-expression"})


def test_an_override_of_anything_else_is_refused(spec: Path) -> None:
    assert "unknown-key" in refused(spec, {"equations": {"snr": {"expr": "1"}}})


def test_an_override_is_a_quantity_in_any_fitting_unit(spec: Path) -> None:
    plain = envs.load(spec, overrides={"parameters": {"bandwidth": 30}})
    quoted = envs.load(spec, overrides={"parameters": {"bandwidth": "0.03 GHz"}})
    assert plain.constants["bandwidth"] == pytest.approx(quoted.constants["bandwidth"])
    assert plain.digest != envs.load(spec).digest


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "no_such_problem",
        "",
        ".",
        "channels/../offload",
        "Channels",
    ],
)
def test_a_name_that_is_no_problem_is_refused(name: str) -> None:
    assert refused(name) <= {"unknown-name", "bad-value"}


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.yaml") <= {"unknown-name", "bad-value"}
    assert refused(tmp_path) <= {"unknown-name", "bad-value"}
    assert refused("/etc/passwd.yaml") <= {"unknown-name", "bad-value"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "a: &a [*a]",
        "!!python/name:os.system",
        BASE_TEXT.replace("gain / noise", "gain"),
    ],
    ids=["empty", "NUL", "alias", "tag", "units"],
)
def test_the_command_line_explains_a_refusal_without_a_traceback(tmp_path: Path, text: str) -> None:
    (tmp_path / "hostile.yaml").write_text(text, encoding="utf-8")
    result = python("-m", "benchmark", "check", "hostile.yaml", cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "hint" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.yaml"]
