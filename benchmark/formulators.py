"""The parts of a formulation, as the command line names them: model, knowledge, memory, limits."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from benchmark.errors import BenchmarkError
from envs.formulation import recordings
from envs.formulation.files import write_text
from envs.formulation.knowledge.errors import KnowledgeError
from envs.formulation.llm import Model
from envs.formulation.llm.files import Files
from envs.formulation.llm.limits import Limited, Limits
from envs.formulation.llm.protocol import UNKNOWN
from envs.formulation.loop import REPAIRS, Formulation, formulate, open_conversation
from envs.formulation.memory import StoredMemory, user_folder
from envs.formulation.retrieval import Retriever, open_retriever
from envs.formulation.transcript import (
    Opening,
    Transcript,
    load_opening,
    load_transcript,
    to_json,
)

RETRIEVALS = ("hybrid", "dense", "bm25", "none")
_EXTRA = "pip install 'lowcarbon-bench[formulate]'"


def parser() -> argparse.ArgumentParser:
    """The options that say who formulates, from what, and at what cost."""
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("who formulates")
    group.add_argument("--llm", choices=("openai", "files", "replay"), default="openai")
    group.add_argument("--model", help="its name; with files: which one answers, if known")
    group.add_argument("--base-url", metavar="URL", help="of a server that speaks the protocol")
    group.add_argument("--temperature", type=float, metavar="T")
    group.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS")
    group.add_argument("--transcript", metavar="FILE", help="replay: this recording")
    group.add_argument("--repairs", type=int, default=REPAIRS, metavar="K")
    group.add_argument("--retrieval", choices=RETRIEVALS, default="hybrid")
    group.add_argument("--no-memory", action="store_true", help="recall and store nothing")
    group.add_argument("--most-tokens", type=int, default=400_000, metavar="N", help="in all")
    group.add_argument("--most-cost", type=float, metavar="X", help="in all; needs --prices")
    group.add_argument(
        "--prices", type=float, nargs=2, metavar=("READ", "WRITTEN"), help="of a million tokens"
    )
    return common


class Formulator:
    """Asks as the options say."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Open what every question needs, and find out early what is missing.

        Raises:
            BenchmarkError: Something asked for cannot be had.
        """
        self._options = options
        if options.repairs < 0:
            raise BenchmarkError(f"--repairs: 0 or more, not {options.repairs}")
        if options.most_cost is not None and options.prices is None:
            raise BenchmarkError("--most-cost needs --prices: what a million tokens cost")
        self._server = self._open_server() if options.llm == "openai" else None
        learns = options.llm == "openai" and not options.no_memory
        self._memory = StoredMemory(user_folder() / "formulations.json") if learns else None

    def ask(self, words: str, current: str | None, folder: Path) -> Formulation:
        """Formulate a request, or a change of a spec.

        Args:
            words: The request, or what is to change.
            current: The spec to change; None for a new one.
            folder: Where the turns of ``files`` lie.

        Raises:
            BenchmarkError: Something asked for cannot be had.
            LanguageModelError: The model gave no answer.
        """
        opening: Opening | None = None
        match self._options.llm:
            case "files":
                opening = self._frozen(words, current, folder / "opening.json")
                model: Model = Files(folder, self._options.model or UNKNOWN)
            case "replay":
                result = recordings.replay(self._recording(words))
                _say("played a recording")
                return result
            case _:
                assert self._server is not None
                model = self._server
                opening = self._open(words, current)
        result = formulate(
            words, model=model, opening=opening, repairs=self._options.repairs, report=_say
        )
        if self._memory is not None and current is None:
            self._memory.store(result)
        return result

    def _open(self, words: str, current: str | None) -> Opening:
        retriever = open_retrieval(self._options.retrieval)
        return open_conversation(words, retriever, self._memory, current)

    def _frozen(self, words: str, current: str | None, path: Path) -> Opening:
        """The conversation of a folder: resumed when it was begun, so that its prompts stay."""
        if path.is_file():
            opening = load_opening(path)
            if opening.request.split() != words.split():
                raise BenchmarkError(
                    f"{path.parent} holds the conversation of another request; give another folder"
                )
            return opening
        opening = self._open(words, current)
        write_text(path, to_json(opening))
        return opening

    def _recording(self, words: str) -> Transcript:
        if self._options.transcript is None:
            found = recordings.find(words)
            if found is None:
                raise BenchmarkError(
                    "no recording of this request is shipped; --transcript FILE plays your own"
                )
            return found
        transcript = load_transcript(Path(self._options.transcript))
        if transcript.request.split() != words.split():
            raise BenchmarkError(f"{self._options.transcript} records another request")
        return transcript

    def _open_server(self) -> Model:
        options = self._options
        if options.model is None:
            raise BenchmarkError("--model: which language model? (--llm files needs no server)")
        try:
            server = importlib.import_module("envs.formulation.llm.server")
        except ModuleNotFoundError as error:
            raise BenchmarkError(f"--llm openai needs '{error.name}': {_EXTRA}") from error
        settings = server.Settings(
            model=options.model,
            base_url=options.base_url,
            temperature=options.temperature,
            timeout_s=options.timeout,
        )
        read, written = options.prices or (0.0, 0.0)
        limits = Limits(options.most_tokens, options.most_cost, read, written)
        try:
            model: Model = server.Server(settings, os.environ)
        except server.LanguageModelError as error:
            raise BenchmarkError(str(error)) from error
        return Limited(model, limits, settings.most_answer_tokens)


def open_retrieval(method: str) -> Retriever | None:
    """The retriever of the knowledge base, or None for ``none``.

    Raises:
        BenchmarkError: It cannot be opened.
    """
    if method == "none":
        return None
    try:
        return open_retriever(method)
    except KnowledgeError as error:
        raise BenchmarkError(f"{error} (or do without: --retrieval none)") from error


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
