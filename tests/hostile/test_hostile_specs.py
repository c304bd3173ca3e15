"""A hostile spec is refused with a diagnostic that teaches; it never hangs, crashes or runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

import envs
from tests.hostile.corpus import BASE_TEXT, CODES, Case, cases
from tests.hostile.corpus.spec import changed, equation
from tests.hostile.guard import guarded

CASES = cases()

# What a spec may never make the compiler do, by the names of Python's audit events.
FORBIDDEN_EVENTS = (
    "ctypes.dlopen",
    "ftplib.connect",
    "http.client.connect",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.system",
    "pickle.find_class",
    "pty.spawn",
    "shutil.rmtree",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
    "urllib.Request",
)
FORBIDDEN_FILES = ("passwd", "environ", "id_rsa", "stdin", "zero", "pyproject.toml", "win.ini")


def refusal(document: str | bytes) -> envs.SpecError:
    with guarded(), pytest.raises(envs.SpecError) as caught:
        envs.parse(document)
    return caught.value


def test_the_corpus_has_distinct_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_the_spec_that_the_corpus_breaks_is_sound() -> None:
    assert envs.parse(BASE_TEXT).name == "base"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_with_diagnostics_that_teach(case: Case) -> None:
    diagnostics = refusal(case.document).diagnostics
    assert diagnostics
    for diagnostic in diagnostics:
        for part in ("code", "path", "expected", "actual", "hint"):
            text = getattr(diagnostic, part)
            assert isinstance(text, str) and text.strip(), (part, diagnostic)
            assert len(text) <= 1000, f"{part} has {len(text)} characters"
            assert text.isprintable(), f"{part} is not printable: {text!r}"
        assert diagnostic.code in CODES
    assert {diagnostic.code for diagnostic in diagnostics} & case.codes, diagnostics


@pytest.fixture(scope="module")
def audit() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Audit events seen while the list is in use; a hook cannot be removed, only ignored."""
    events: list[tuple[str, tuple[Any, ...]]] = []
    active = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if active:
            events.append((event, arguments))

    sys.addaudithook(hook)
    yield events
    active = False


def test_nothing_is_executed_opened_or_called_on_the_way(
    audit: list[tuple[str, tuple[Any, ...]]],
) -> None:
    for case in CASES:
        audit.clear()
        with guarded(), suppress(envs.SpecError, MemoryError, ArithmeticError):
            envs.parse(case.document)
        for event, arguments in list(audit):
            assert event not in FORBIDDEN_EVENTS, (case.name, event, arguments)
            if event == "open" and isinstance(arguments[0], str):
                assert not arguments[0].endswith(FORBIDDEN_FILES), (case.name, arguments)


@pytest.mark.parametrize(
    ("path", "value", "suggestion"),
    [
        ("parametres", {}, "parameters"),
        ("parameters.noise.vlaue", 1, "value"),
        ("processes.load.ar1.correlatoin", 0.5, "correlation"),
        ("decisions.charge.boks", [0, 1], "box"),
        ("equations.probe", {"unit": "W", "expr": "chrage"}, "charge"),
        ("equations.probe", {"unit": "1", "expr": "sqr(4)"}, "sqrt"),
        ("equations.probe", {"unit": "1", "expr": "sum(gain, usr)"}, "user"),
        ("equations.probe", {"unit": "1", "expr": "weight['GP']"}, "GB"),
        ("parameters.demand.index", ["uesr"], "user"),
        ("parameters.noise.unit", "kgCO2", "kgCO2e"),
        ("parameters.noise.unit", "degC", "from_celsius"),
        ("parameters.noise.unit", "dB", "from_db"),
        ("objective.carbon.unit", "g", "gCO2e"),
    ],
)
def test_a_slip_is_answered_with_the_nearest_right_thing(
    path: str, value: Any, suggestion: str
) -> None:
    hints = [diagnostic.hint for diagnostic in refusal(changed(path, value)).diagnostics]
    assert any(suggestion in hint for hint in hints), hints


def test_a_diagnostic_names_the_place() -> None:
    (diagnostic,) = refusal(equation("power + energy")).diagnostics
    assert diagnostic.code == "unit-mismatch"
    assert diagnostic.path.startswith("equations.probe")


def test_independent_faults_are_reported_together() -> None:
    document = BASE_TEXT.replace("power * gain / noise", "power * gain / nosie")
    document = document.replace("demand - rate", "demand - bandwidth")
    paths = {diagnostic.path.split(".")[1] for diagnostic in refusal(document).diagnostics}
    assert "snr" in paths


def test_a_fault_is_reported_once_and_not_by_all_who_use_it() -> None:
    document = BASE_TEXT.replace("power * gain / noise", "power * gain / nosie")
    assert [d.code for d in refusal(document).diagnostics] == ["unknown-name"]


def test_the_message_of_the_error_carries_every_diagnostic() -> None:
    error = refusal(changed("parameters.noise.vlaue", 1))
    for diagnostic in error.diagnostics:
        assert diagnostic.code in str(error)
        assert diagnostic.path in str(error)
