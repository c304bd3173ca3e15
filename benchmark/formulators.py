"""The parts of a formulation, as the command line names them."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import cast

from benchmark.errors import BenchmarkError
from envs.formulation.llm import Model
from envs.formulation.llm.replay import Replay
from envs.formulation.retriever import Retriever
from envs.formulation.transcript import load_transcript

RETRIEVALS = ("hybrid", "dense", "bm25", "none")

_EXTRA = "pip install 'lowcarbon-bench[formulate]'"


def open_retrieval(method: str) -> Retriever | None:
    """The retriever of the knowledge base, or None for ``none``.

    Raises:
        BenchmarkError: A package is missing.
    """
    if method == "none":
        return None
    try:
        module = importlib.import_module("envs.formulation.retrieval")
        return cast(Retriever, module.open_retriever(method))
    except ModuleNotFoundError as error:
        raise BenchmarkError(
            f"retrieval needs the package '{error.name}': {_EXTRA}, or do without: --retrieval none"
        ) from error


def open_model(options: argparse.Namespace, request: str) -> Model:
    """The language model that was asked for.

    Raises:
        BenchmarkError: It cannot be had.
    """
    if options.llm == "replay":
        if options.transcript is None:
            raise BenchmarkError("--llm replay: which recording? --transcript FILE")
        transcript = load_transcript(Path(options.transcript))
        if transcript.request.split() != request.split():
            raise BenchmarkError(f"{options.transcript} is the recording of another request")
        return Replay(transcript.answers())
    raise BenchmarkError("--llm openai: not yet")
