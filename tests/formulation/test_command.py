"""`python -m benchmark formulate`, as a person uses it."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import envs
from benchmark.cli import main
from tests.formulation import loopback
from tests.formulation.answers import GARBAGE, GOOD, SPEC, WRONG_UNIT, fenced
from tests.formulation.loopback import Loopback, serving
from tests.structure.project import ROOT

KEY = "sk-very-secret-0123456789"
Run = Callable[..., "Result"]


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}
    own = {"XDG_DATA_HOME": str(home / "data"), "NO_PROXY": "127.0.0.1", "COLUMNS": "80"}
    return {**kept, "PYTHONPATH": str(ROOT), **own, **extra}


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def formulate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """The command line's own entry, in this process: starting another takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str, typed: str = "", **extra: str) -> Result:
        with monkeypatch.context() as patch:
            for name, value in environment(tmp_path, **extra).items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.StringIO(typed))
            code = main(["formulate", *arguments])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)


def asked(state: Loopback, **extra: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": state.url, "OPENAI_API_KEY": KEY, **extra}


ONLINE = ("--model", "loopback", "--retrieval", "none", "--out", "my.yaml")
BY_FILES = ("Send over one link.", "--llm", "files", "--retrieval", "none", "--out", "my.yaml")


def test_words_become_a_spec_that_can_be_run(formulate: Run, tmp_path: Path) -> None:
    with serving(loopback.says(GOOD)) as state:
        result = formulate("Send over one link.", *ONLINE, **asked(state))
    assert result.returncode == 0, result.stderr
    problem = envs.load(tmp_path / "my.yaml")
    assert problem.id in result.stdout
    assert problem.spec.provenance["model"] == "loopback-1"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"my.yaml", "my.transcript.json", "data"}
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or KEY not in path.read_text()


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (loopback.says(GARBAGE), 1, "none of 2 answers compiled"),
        (loopback.refuses("I would rather not."), 2, "declines: I would rather not."),
        (loopback.status(401, f"no such key: {KEY}"), 2, "no such key: [key]"),
    ],
    ids=["garbage", "refusal", "401"],
)
def test_what_fails_leaves_no_spec_and_one_message(
    formulate: Run, tmp_path: Path, reply: loopback.Reply, code: int, said: str
) -> None:
    with serving(reply) as state:
        result = formulate("Send.", *ONLINE, "--repairs", "1", **asked(state))
    assert result.returncode == code
    assert said in result.stderr
    assert KEY not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "my.yaml").exists()


def test_a_model_that_a_person_carries_is_asked_turn_by_turn(
    formulate: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "my"
    first = subprocess.run(
        [sys.executable, "-m", "benchmark", "formulate", *BY_FILES],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert first.returncode == 3, first.stderr
    assert "turn-1.answer.md" in first.stdout
    prompt = (folder / "turn-1.prompt.md").read_text()
    assert "Send over one link." in prompt and "# The spec language" in prompt
    (folder / "turn-1.answer.md").write_text(WRONG_UNIT)
    second = formulate(*BY_FILES)
    assert second.returncode == 3
    page = (folder / "turn-2.prompt.md").read_text()
    assert page.startswith(prompt)
    assert WRONG_UNIT.strip() in page and "unit-mismatch" in page
    assert not (tmp_path / "my.yaml").exists()
    (folder / "turn-2.answer.md").write_text(GOOD)
    third = formulate(*BY_FILES, "--model", "a-model-1")
    assert third.returncode == 0, third.stderr
    record = json.loads((tmp_path / "my.transcript.json").read_text())
    assert [a["answer"] for a in record["attempts"]] == [WRONG_UNIT, GOOD]
    assert record["model"] == "a-model-1"
    assert record["attempts"][0]["prompt_tokens"] is None


def test_an_answer_to_another_prompt_is_not_recorded(formulate: Run, tmp_path: Path) -> None:
    formulate(*BY_FILES)
    folder = tmp_path / "my"
    (folder / "turn-1.prompt.md").write_text("What is the weather?")
    (folder / "turn-1.answer.md").write_text(GOOD)
    result = formulate(*BY_FILES)
    assert result.returncode == 2
    assert "answers another prompt" in result.stderr
    other = formulate("Something else.", *BY_FILES[1:])
    assert other.returncode == 2
    assert "another request" in other.stderr


def test_a_recording_plays_again_byte_for_byte(formulate: Run, tmp_path: Path) -> None:
    formulate(*BY_FILES)
    (tmp_path / "my" / "turn-1.answer.md").write_text(GOOD)
    formulate(*BY_FILES)
    words = ("--llm", "replay", "--transcript", "my.transcript.json", "--out", "again.yaml")
    result = formulate("Send  over\none link.", *words)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "again.yaml").read_bytes() == (tmp_path / "my.yaml").read_bytes()
    other = formulate("Another request.", *words, "--force")
    assert other.returncode == 2
    assert "records another request" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--out", "my.yaml"), "in words, or --request FILE"),
        (("w", "--request", "f", "--out", "my.yaml"), "in words, or --request FILE"),
        (("--request", "nowhere.md", "--llm", "files", "--out", "my.yaml"), "cannot read"),
        (("w", "--out", "my.txt"), "a spec is a .yaml file"),
        (("w", "--out", "my.yaml"), "--model: which language model"),
        (("w", "--model", "m", "--out", "my.yaml"), "OPENAI_API_KEY"),
        (("w", "--model", "m", "--most-cost", "1", "--out", "my.yaml"), "needs --prices"),
        (("w", "--llm", "replay", "--out", "my.yaml"), "no recording of this request"),
        (("w", "--llm", "files", "--repairs", "-1", "--out", "my.yaml"), "0 or more"),
        (("w", "--llm", "replay", "--transcript", "x.json", "--out", "my.yaml"), "x.json"),
        ((" ", "--llm", "files", "--retrieval", "none", "--out", "a.yaml"), "a request is a text"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    formulate: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = formulate(*arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stderr.strip().count("\n") == 0


def test_neither_an_old_spec_nor_the_library_is_overwritten(formulate: Run, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(SPEC)
    result = formulate(*BY_FILES)
    assert result.returncode == 2 and "--force" in result.stderr
    inside = formulate("w", "--llm", "files", "--out", str(envs.LIBRARY / "new.yaml"))
    assert inside.returncode == 2 and "library" in inside.stderr


CONVERSATION = """\
show
ask Send over one link.
show
bound power 0.02 4
drop late
set parameters.band.value 2
set parameters.nowhere.value 2
set parameters.band.unit "W"
undo
undo
redo
history
sing
write
"""


def test_a_conversation_changes_a_problem_and_takes_steps_back(
    formulate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envs, "as_markdown", lambda p: f"# As mathematics: {p.name}", raising=False)
    with serving(loopback.says(GOOD)) as state:
        result = formulate("--interactive", *ONLINE, typed=CONVERSATION, **asked(state))
    assert result.returncode == 0, result.stderr
    problem = envs.load(tmp_path / "my.yaml")
    assert problem.spec.decisions["power"].log == [0.02, 4]
    assert problem.spec.constraints == {}
    assert problem.spec.parameters["band"].value == 1
    told = problem.spec.provenance["edits"]
    assert [edit["path"] for edit in told] == ["decisions.power.log", "constraints.late"]
    assert "there is no spec yet" in result.stdout
    assert "# As mathematics: one_link" in result.stdout
    for said in ("there is no parameters.nowhere", "unit-mismatch", "no command 'sing'"):
        assert said in result.stdout
    assert "* 2 drop late" in result.stdout


def test_a_session_goes_on_where_it_was_left(formulate: Run, tmp_path: Path) -> None:
    name = ("--interactive", "--session", "mine", *ONLINE)
    changed = fenced(SPEC.replace("value: 1.0e-13", "value: 1.1e-13"))
    with serving(loopback.says(GOOD), loopback.says(changed)) as state:
        formulate(*name, typed="ask Send over one link.\n", **asked(state))
        result = formulate(*name, typed="ask More noise.\nwrite\nhistory\n", **asked(state))
    assert result.returncode == 0, result.stderr
    assert "going on" in result.stdout and "* 1 asked: More noise." in result.stdout
    last = state.bodies[-1]["messages"][-1]["content"]
    assert "More noise." in last and "one_link" in last
    problem = envs.load(tmp_path / "my.yaml")
    assert problem.spec.parameters["noise"].value == 1.1e-13


def test_a_killed_session_has_lost_nothing(tmp_path: Path) -> None:
    with serving(loopback.says(GOOD)) as state:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmark", "formulate", "--interactive", *ONLINE],
            cwd=tmp_path,
            env=environment(tmp_path, **asked(state, PYTHONUNBUFFERED="1")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("ask Send over one link.\ndrop late\n")
        process.stdin.flush()
        told = (line for line in process.stdout if "decides power" in line)
        assert next(told) and next(told)  # both steps are done
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = json.loads((tmp_path / "my.session.json").read_text())
    assert kept["steps"][1]["done"] == "drop late"
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_is_no_session_is_named(formulate: Run, tmp_path: Path) -> None:
    (tmp_path / "my.session.json").write_text("{")
    result = formulate("--interactive", "--llm", "files", "--out", "my.yaml")
    assert result.returncode == 2
    assert "is no session" in result.stderr


def test_an_earlier_answer_is_recalled_for_a_similar_request(formulate: Run) -> None:
    similar = "Send a volume of data over one radio link with the least carbon."
    with serving(loopback.says(GOOD)) as state:
        formulate(similar, *ONLINE, **asked(state))
        formulate(similar + " Now.", *ONLINE, "--force", **asked(state))
        formulate("Cool a hall of servers.", *ONLINE, "--force", **asked(state))
        formulate(similar, *ONLINE, "--force", "--no-memory", **asked(state))
    prompts = [body["messages"][-1]["content"] for body in state.bodies]
    assert ["An earlier answer" in prompt for prompt in prompts] == [False, True, False, False]
    assert "one_link" in prompts[1]


def test_without_the_extra_one_is_told_how_to_install_it(
    formulate: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.delitem(sys.modules, "envs.formulation.llm.server", raising=False)
    result = formulate("Send.", *ONLINE, OPENAI_API_KEY=KEY)
    assert result.returncode == 2
    assert "pip install 'lowcarbon-bench[formulate]'" in result.stderr
