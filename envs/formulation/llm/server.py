"""Any server that speaks the OpenAI protocol: OpenAI, Azure, Gemini, vLLM, Ollama, llama.cpp.

The key comes from the environment alone. It is sent, and nothing else is ever done with it:
whatever a server says, in an answer or an error, is cleared of it before anyone sees or records it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai

from envs.formulation.llm.protocol import UNKNOWN, Answer, LanguageModelError, Message
from envs.formulation.structure import answer_schema
from envs.spec.diagnostics import shorten

KEY = "OPENAI_API_KEY"
URL = "OPENAI_BASE_URL"
LONGEST_WAIT_S = 120.0
LONGEST_ANSWER = 400_000
"""Characters: a model that babbles on is cut here, whatever its server allows."""
_TRANSIENT = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 529))


@dataclass(frozen=True)
class Settings:
    """How a server is asked.

    Attributes:
        model: Its name at the server.
        base_url: Of the server; None for the client's own default.
        temperature: None leaves it to the server; some models take no other.
        most_answer_tokens: A longer answer is cut.
        timeout_s: Without a sign of life.
        retries: After failures that may pass.
    """

    model: str
    base_url: str | None = None
    temperature: float | None = None
    most_answer_tokens: int = 16_000
    timeout_s: float = 300.0
    retries: int = 4


class Server:
    """A chat model at a server."""

    provider = "openai"

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make the client.

        Args:
            settings: How to ask.
            environment: Where the key is.
            sleep: Waits so many seconds between tries.
            clock: Seconds.

        Raises:
            LanguageModelError: There is no key and no server of one's own.
        """
        self._settings = settings
        base_url = settings.base_url or environment.get(URL) or None
        self._key = environment.get(KEY, "")
        if not self._key and base_url is None:
            raise LanguageModelError(
                f"no key: set {KEY} in the environment, or {URL} to a server of your own that "
                "needs none; without either, --llm files or --llm replay work"
            )
        self._sleep, self._clock = sleep, clock
        self._structured = True
        self._client = openai.OpenAI(
            api_key=self._key or "none",
            base_url=base_url,
            timeout=settings.timeout_s,
            max_retries=0,
        )

    def answer(self, conversation: Sequence[Message]) -> Answer:
        """Ask, and ask again after what may pass.

        Raises:
            LanguageModelError: The server refused, or failed too often.
        """
        reason = ""
        for trial in range(1 + self._settings.retries):
            began = self._clock()
            try:
                heard = self._ask(conversation)
                if heard.choices:
                    return self._answer(heard, self._clock() - began)
                reason, wait = "an answer without choices", None
            except openai.BadRequestError as error:
                if not self._structured:
                    raise self._failure(self._told(error)) from None
                # The server may only be without structured output: the prompt serves both ways.
                self._structured = False
                return self.answer(conversation)
            except openai.APIStatusError as error:
                reason, wait = self._told(error), _retry_after(error)
                if error.status_code not in _TRANSIENT or _out_of_credit(error):
                    raise self._failure(reason) from None
                if wait is not None and wait > LONGEST_WAIT_S:
                    raise self._failure(f"{reason}; it asks to wait {wait:.0f} s") from None
            except openai.APIConnectionError as error:
                what = (
                    "no answer in time"
                    if isinstance(error, openai.APITimeoutError)
                    else ("no connection")
                )
                reason, wait = what, None
            except LanguageModelError:
                raise
            except Exception as error:
                # A stream may break in as many ways as there are transports below the client.
                reason, wait = f"a broken answer ({type(error).__name__}: {error})", None
            if trial < self._settings.retries:
                self._sleep(min(2.0**trial, LONGEST_WAIT_S) if wait is None else wait)
        raise self._failure(f"{reason}, {1 + self._settings.retries} times")

    def _ask(self, conversation: Sequence[Message]) -> _Heard:
        options: dict[str, Any] = {}
        if self._settings.temperature is not None:
            options["temperature"] = self._settings.temperature
        if self._structured:
            form = {"name": "spec", "strict": True, "schema": answer_schema()}
            options["response_format"] = {"type": "json_schema", "json_schema": form}
        messages: Any = [{"role": m.role, "content": m.content} for m in conversation]
        heard = _Heard()
        with self._client.chat.completions.create(
            model=self._settings.model,
            messages=messages,
            max_completion_tokens=self._settings.most_answer_tokens,
            stream=True,
            stream_options={"include_usage": True},
            **options,
        ) as stream:
            for part in stream:
                heard.add(part)
                if heard.length > LONGEST_ANSWER:
                    heard.finish = "length"
                    break
        return heard

    def _answer(self, heard: _Heard, seconds: float) -> Answer:
        if heard.refusal:
            raise self._failure(f"it declines: {shorten(self._cleared(heard.refusal), 300)}")
        if heard.finish == "content_filter":
            raise self._failure("its content filter stopped the answer")
        if heard.finish is None:
            raise ConnectionError("the stream ended before the answer did")
        return Answer(
            text=self._cleared("".join(heard.pieces)),
            model=self._cleared(heard.model) or UNKNOWN,
            prompt_tokens=heard.prompt_tokens,
            answer_tokens=heard.answer_tokens,
            seconds=round(seconds, 3),
            cut=heard.finish == "length",
        )

    def _told(self, error: openai.APIStatusError) -> str:
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        text = message if isinstance(message, str) else error.message
        return f"status {error.status_code}: {shorten(' '.join(self._cleared(text).split()), 300)}"

    def _failure(self, reason: str) -> LanguageModelError:
        name = shorten(self._settings.model, 80)
        return LanguageModelError(self._cleared(f"the language model '{name}' failed: {reason}"))

    def _cleared(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


@dataclass
class _Heard:
    """What has come over a stream so far."""

    pieces: list[str] = field(default_factory=list)
    refusal: str = ""
    model: str = ""
    finish: str | None = None
    choices: bool = False
    length: int = 0
    prompt_tokens: int | None = None
    answer_tokens: int | None = None

    def add(self, part: Any) -> None:
        """Take one part; what does not belong into a text, such as a tool call, is no text."""
        self.model = part.model if isinstance(part.model, str) else self.model
        if part.usage is not None:
            self.prompt_tokens = part.usage.prompt_tokens
            self.answer_tokens = part.usage.completion_tokens
        for choice in (part.choices or ())[:1]:
            self.choices = True
            self.finish = choice.finish_reason or self.finish
            if choice.delta is not None:
                self.refusal += choice.delta.refusal or ""
                if isinstance(choice.delta.content, str):
                    self.pieces.append(choice.delta.content)
                    self.length += len(choice.delta.content)


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds the server asks to wait; dates are left to the usual backoff."""
    try:
        return max(float(error.response.headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def _out_of_credit(error: openai.APIStatusError) -> bool:
    return "insufficient_quota" in json.dumps(error.body, default=str)
