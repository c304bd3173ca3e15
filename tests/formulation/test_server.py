"""A language model behind a server: whatever it does ends in a repair or in one clear error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.formulation.llm import Answer, LanguageModelError, Message
from envs.formulation.llm.limits import Limited, Limits
from envs.formulation.llm.server import Server, Settings
from envs.formulation.loop import Formulation, formulate
from tests.formulation import loopback
from tests.formulation.answers import GARBAGE, GOOD, SPEC, WRONG_UNIT, as_lists
from tests.formulation.loopback import Loopback, Reply, serving

KEY = "sk-very-secret-0123456789"
ASK = [Message("system", "s"), Message("user", "u")]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def server(state: Loopback, waits: list[float] | None = None, **settings: float) -> Server:
    options = {"timeout_s": 20.0, "retries": 2, **settings}
    sleep = (waits if waits is not None else []).append
    return Server(
        Settings("loopback", state.url, **options),  # type: ignore[arg-type]
        {"OPENAI_API_KEY": KEY},
        sleep=sleep,
    )


def formulated(state: Loopback, repairs: int = 1) -> Formulation:
    return formulate("Send over one link.", model=server(state), repairs=repairs)


def failure(*replies: Reply, **settings: float) -> str:
    with serving(*replies) as state:
        with pytest.raises(LanguageModelError) as error:
            server(state, **settings).answer(ASK)
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_answer_comes_with_model_tokens_and_seconds() -> None:
    with serving(loopback.says("hello")) as state:
        answer = server(state).answer(ASK)
    assert (answer.text, answer.model) == ("hello", "loopback-1")
    assert (answer.prompt_tokens, answer.answer_tokens) == (1000, 200)
    assert answer.seconds is not None and not answer.cut
    assert state.keys == [f"Bearer {KEY}"]


def test_output_is_held_to_the_strict_schema_of_a_spec() -> None:
    with serving(loopback.says(as_lists())) as state:
        result = formulated(state)
    assert result.accepted and result.problem is not None
    form = state.bodies[0]["response_format"]["json_schema"]
    assert form["strict"] is True
    assert "objective" in form["schema"]["required"]


def test_a_server_without_structured_output_is_asked_for_yaml() -> None:
    with serving(
        loopback.status(400, "response_format json_schema is not supported"), loopback.says(GOOD)
    ) as state:
        result = formulated(state)
    assert result.accepted
    assert "response_format" not in state.bodies[1]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_what_may_pass_is_tried_again_with_growing_pauses(code: int) -> None:
    waits: list[float] = []
    with serving(loopback.status(code), loopback.status(code), loopback.says("ok")) as state:
        assert server(state, waits).answer(ASK).text == "ok"
    assert waits == [1.0, 2.0]


def test_the_pause_a_server_asks_for_is_kept() -> None:
    waits: list[float] = []
    with serving(loopback.status(429, retry_after="7"), loopback.says("ok")) as state:
        server(state, waits).answer(ASK)
    assert waits == [7.0]


def test_a_pause_too_long_to_wait_for_is_an_error() -> None:
    assert "asks to wait 3600 s" in failure(loopback.status(429, retry_after="3600"))


def test_an_empty_account_is_not_asked_twice() -> None:
    with serving(loopback.status(429, "pay first", "insufficient_quota")) as state:
        with pytest.raises(LanguageModelError, match="pay first"):
            server(state).answer(ASK)
    assert len(state.bodies) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (loopback.status(500, "on fire"), "status 500: on fire, 3 times"),
        (loopback.fails_inside("lost my thread"), "lost my thread"),
        (loopback.breaks_off("spec: 1"), "ended before the answer did"),
        (loopback.stream("{not json"), "broken answer"),
        (loopback.stream(loopback.USAGE), "without choices"),
        (loopback.raw(b"<html>proxy</html>", "text/html"), "without choices"),
    ],
    ids=["500", "error-in-stream", "broken-off", "garbage", "no-choices", "no-stream"],
)
def test_what_does_not_pass_is_one_clear_error(reply: Reply, reason: str) -> None:
    assert reason in failure(reply)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (loopback.refuses("I cannot help with that."), "declines: I cannot help"),
        (loopback.says("", "content_filter"), "content filter"),
        (loopback.status(401, f"bad key {KEY}"), r"status 401: bad key [key]"),
        (loopback.status(404, "no such model"), "no such model"),
    ],
    ids=["refusal", "filter", "401", "404"],
)
def test_what_asking_again_does_not_help_is_asked_once(reply: Reply, reason: str) -> None:
    with serving(reply) as state:
        with pytest.raises(LanguageModelError) as error:
            server(state).answer(ASK)
    assert reason in str(error.value)
    assert KEY not in str(error.value)
    assert len(state.bodies) == 1


def test_a_silent_server_runs_into_the_timeout() -> None:
    with serving(loopback.hangs(lambda: state)) as state:
        with pytest.raises(LanguageModelError, match="no answer in time, 1 times"):
            server(state, timeout_s=0.2, retries=0).answer(ASK)


def test_a_server_that_is_not_there_is_named_as_such() -> None:
    with serving(loopback.says("ok")) as state:
        pass
    with pytest.raises(LanguageModelError, match="no connection"):
        server(state, retries=0).answer(ASK)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (loopback.says(WRONG_UNIT), "unit-mismatch"),
        (loopback.says(GARBAGE), "bad-answer"),
        (loopback.says(as_lists()[:900]), "yaml-syntax"),
        (loopback.says(GOOD[:900], "length"), "bad-answer"),
        (loopback.says(""), "bad-answer"),
        (loopback.calls_a_tool(), "bad-answer"),
    ],
    ids=["wrong-unit", "garbage", "truncated-json", "cut", "empty", "tool-call"],
)
def test_a_bad_answer_is_given_back_and_mended(first: Reply, code: str) -> None:
    with serving(first, loopback.says(GOOD)) as state:
        result = formulated(state)
    assert result.accepted
    assert code in [d.code for d in result.transcript.attempts[0].diagnostics]
    assert code in state.bodies[1]["messages"][-1]["content"]


def test_the_key_is_in_no_answer_and_no_record(tmp_path: Path) -> None:
    echo = f"# {KEY}\n{GOOD}"
    with serving(loopback.says(echo)) as state:
        result = formulated(state)
    path = tmp_path / "transcript.json"
    result.transcript.save(path)
    assert "[key]" in path.read_text()
    assert KEY not in path.read_text() + result.text


def test_without_key_and_server_one_is_told_what_to_set() -> None:
    with pytest.raises(LanguageModelError, match="OPENAI_API_KEY"):
        Server(Settings("any"), {})


class Talker:
    provider = "talker"

    def __init__(self, count: Callable[[], int | None]) -> None:
        self._count = count

    def answer(self, conversation: object) -> Answer:
        return Answer("x" * 4000, "talker", self._count(), self._count())


@pytest.mark.parametrize("counted", [1000, None], ids=["counted", "estimated"])
def test_tokens_end_before_the_limit_is_passed(counted: int | None) -> None:
    limited = Limited(Talker(lambda: counted), Limits(tokens=3000), most_answer_tokens=1000)
    question = [Message("user", "x" * 4000)]
    limited.answer(question)
    with pytest.raises(LanguageModelError, match=r"limit of 3000 \(used 2000\)"):
        limited.answer(question)


def test_money_ends_before_the_limit_is_passed() -> None:
    limits = Limits(cost=0.05, prompt_price=10.0, answer_price=20.0)
    limited = Limited(Talker(lambda: 1000), limits, most_answer_tokens=1000)
    question = [Message("user", "x" * 4000)]
    limited.answer(question)
    assert limited.cost == pytest.approx(0.03)
    with pytest.raises(LanguageModelError, match="limit of 0.05"):
        limited.answer(question)


def test_the_spec_of_these_tests_is_what_both_forms_mean() -> None:
    from envs.formulation.answer import document_in

    assert document_in(as_lists()) == document_in(SPEC)
    assert json.loads(as_lists())["sets"] is None
