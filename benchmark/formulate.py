"""From words to a spec (``formulate``): which model, which knowledge, where the spec goes."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import envs
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.formulators import RETRIEVALS, open_model, open_retrieval
from envs.formulation.files import write_text
from envs.formulation.llm import LanguageModelError
from envs.formulation.llm.files import AwaitingAnswer, Files
from envs.formulation.loop import REPAIRS, Formulation, formulate, open_conversation
from envs.formulation.transcript import Opening, TranscriptError, load_opening, to_json

EXIT_AWAITING = 3
"""A prompt waits for the answer of a model that a person carries."""

EXAMPLES = """\
examples:
  formulate "Two base stations share a band …" --out my.yaml --model gpt-5.2
  formulate --request FILE --llm files --folder talks/my --out my.yaml
  formulate --request vehicular --llm replay --out my.yaml
then:
  python -m benchmark run env=spec env.spec=my.yaml agent=gdm
"""


def command(arguments: Sequence[str]) -> int:
    """Formulate a problem and write it as a spec file."""
    options = _parser().parse_args(arguments)
    request = _request(options)
    out = Path(options.out)
    _check_out(out, options.force)
    try:
        if options.llm == "files":
            result = _by_files(request, options, out)
        else:
            model = open_model(options, request)
            retriever = None if options.llm == "replay" else open_retrieval(options.retrieval)
            result = formulate(
                request, model=model, retriever=retriever, repairs=options.repairs, report=_say
            )
    except AwaitingAnswer as error:
        print(f"turn waits: {error}")
        return EXIT_AWAITING
    except (LanguageModelError, TranscriptError, ValueError) as error:
        raise BenchmarkError(str(error)) from error
    return _finish(result, out)


def _finish(result: Formulation, out: Path) -> int:
    record = out.with_suffix(".transcript.json")
    try:
        result.transcript.save(record)
        if result.problem is not None:
            write_text(out, result.text)
    except OSError as error:
        raise BenchmarkError(f"cannot write: {error}") from error
    for finding in result.findings:
        print(f"{'warning: ' if result.problem else ''}{finding}", file=sys.stderr)
    if result.problem is None:
        raise BenchmarkError(
            f"no answer compiled after {len(result.transcript.attempts)}; nothing is written but "
            f"the transcript, {record}; say the request more exactly, or take a stronger model",
            EXIT_FAILED,
        )
    print(
        f"{out}: {result.problem.id} {result.problem.digest[:12]}; {record} tells how it came about"
    )
    print(f"next: python -m benchmark run env=spec env.spec={out} agent=gdm")
    return EXIT_OK


def _by_files(request: str, options: argparse.Namespace, out: Path) -> Formulation:
    folder = Path(options.folder or out.with_suffix(""))
    opening = _opening(request, options, folder / "opening.json")
    model = Files(folder, options.model or "unknown")
    return formulate(request, model=model, opening=opening, repairs=options.repairs, report=_say)


def _opening(request: str, options: argparse.Namespace, path: Path) -> Opening:
    """The conversation of this folder: resumed when it was begun, so that its prompts stay."""
    if path.is_file():
        opening = load_opening(path)
        if opening.request.split() != request.split():
            raise BenchmarkError(
                f"{path.parent} holds the conversation of another request; give --folder another"
            )
        return opening
    opening = open_conversation(request, open_retrieval(options.retrieval))
    try:
        write_text(path, to_json(opening))
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error}") from error
    return opening


def _request(options: argparse.Namespace) -> str:
    if (options.words is None) == (options.request is None):
        raise BenchmarkError("say what to formulate: in words, or --request FILE (see --help)")
    if options.words is not None:
        return str(options.words)
    path = Path(options.request)
    if not path.is_file() and re.fullmatch(r"[a-z0-9_]+", options.request):
        for shipped in _shipped(options.request):
            if shipped.is_file():
                path = shipped
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"--request: cannot read {path}: {error}") from error


def _shipped(name: str) -> tuple[Path, Path]:
    home = Path(envs.__file__).parent / "formulation"
    return home / "requests" / f"{name}.md", home / "library" / name / "request.md"


def _check_out(out: Path, force: bool) -> None:
    """Refuse before anything is paid for."""
    if out.suffix not in (".yaml", ".yml"):
        raise BenchmarkError(f"--out: a spec is a .yaml file, not {out}")
    if out.exists() and not force:
        raise BenchmarkError(f"--out: {out} exists; --force replaces it")
    if out.resolve().is_relative_to(envs.LIBRARY.resolve()):
        raise BenchmarkError("--out: the library holds reviewed problems only; write elsewhere")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark formulate",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="?", help="what to decide, and all figures that matter")
    parser.add_argument("--request", metavar="FILE", help="the words, from a file or shipped")
    parser.add_argument("--out", required=True, metavar="FILE.yaml", help="where the spec goes")
    parser.add_argument("--force", action="store_true", help="replace the file there")
    parser.add_argument("--llm", choices=("openai", "files", "replay"), default="openai")
    parser.add_argument("--model", help="its name; with files: which one answered, if known")
    parser.add_argument("--repairs", type=int, default=REPAIRS, metavar="K")
    parser.add_argument("--retrieval", choices=RETRIEVALS, default="hybrid")
    parser.add_argument("--folder", metavar="DIR", help="files: where prompts and answers lie")
    parser.add_argument("--transcript", metavar="FILE", help="replay: the recording to play")
    return parser
