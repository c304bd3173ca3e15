"""From words to a spec (``formulate``): which model, which knowledge, where the spec goes."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import envs
from benchmark.dialogue import Dialogue
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.formulators import Formulator
from benchmark.formulators import parser as common
from envs.formulation.edits import EditError
from envs.formulation.files import write_text
from envs.formulation.llm import LanguageModelError
from envs.formulation.llm.files import AwaitingAnswer
from envs.formulation.loop import Formulation
from envs.formulation.memory import user_folder
from envs.formulation.recordings import of_library, of_new_problems
from envs.formulation.session import open_session
from envs.formulation.transcript import TranscriptError

EXIT_AWAITING = 3
"""A prompt waits for the answer of a model that a person carries."""

EXAMPLES = """\
examples:
  formulate "Two base stations share a band …" --out my.yaml --model NAME
  formulate --request words.md --llm files --folder talks/my --out my.yaml
  formulate --request vehicular --llm replay --out my.yaml
  formulate --interactive --session mine --out my.yaml --model NAME
then:
  python -m benchmark run env=spec env.spec=my.yaml agent=gdm

The key is read from OPENAI_API_KEY, another server from OPENAI_BASE_URL or --base-url.
Everything else: docs/formulation.md
"""


def command(arguments: Sequence[str]) -> int:
    """Formulate a problem and write it as a spec file."""
    options = _parser().parse_args(arguments)
    out = Path(options.out)
    _check_out(out, options.force or options.interactive)
    try:
        if options.interactive:
            return _converse(options, out)
        request = _request(options)
        result = Formulator(options).ask(request, None, _folder(options))
        return _finish(result, out)
    except AwaitingAnswer as error:
        print(f"turn waits: {error}")
        return EXIT_AWAITING
    except (LanguageModelError, TranscriptError, EditError, ValueError) as error:
        raise BenchmarkError(str(error)) from error
    except OSError as error:
        raise BenchmarkError(f"cannot write: {error}") from error


def _finish(result: Formulation, out: Path) -> int:
    record = out.with_suffix(".transcript.json")
    result.transcript.save(record)
    for finding in result.findings:
        print(f"{'warning: ' if result.problem else ''}{finding}", file=sys.stderr)
    if result.problem is None:
        raise BenchmarkError(
            f"none of {len(result.transcript.attempts)} answers compiled; only the transcript is "
            f"written, {record}; say the request more exactly, or take a stronger model",
            EXIT_FAILED,
        )
    write_text(out, result.text)
    print(f"{out}: {result.problem.id} {result.problem.digest[:12]}")
    print(f"{record}: how it came about")
    print(f"next: python -m benchmark run env=spec env.spec={out} agent=gdm")
    return EXIT_OK


def _converse(options: argparse.Namespace, out: Path) -> int:
    session = open_session(_session_path(options, out))
    formulator = Formulator(options)

    def ask(words: str, current: str | None) -> Formulation:
        return formulator.ask(words, current, _folder(options) / f"step-{session.position + 2}")

    dialogue = Dialogue(session, ask, out)
    if session.steps:
        print(f"going on: {session.path}, {len(session.steps)} steps")
    elif options.words is not None or options.request is not None:
        dialogue.obey(f"ask {_request(options)}")
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")  # editing and history of what is typed
    try:
        dialogue.run(lambda: input("> "))
    finally:
        print(f"kept: {session.path}" if session.steps else "nothing to keep")
    return EXIT_OK


def _session_path(options: argparse.Namespace, out: Path) -> Path:
    name = options.session
    if name is None:
        return out.with_suffix(".session.json")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise BenchmarkError(f"--session: letters, digits, '-' and '_', not '{name}'")
    return user_folder() / "sessions" / f"{name}.json"


def _folder(options: argparse.Namespace) -> Path:
    return Path(options.folder or Path(options.out).with_suffix(""))


def _request(options: argparse.Namespace) -> str:
    if (options.words is None) == (options.request is None):
        raise BenchmarkError("say what to formulate: in words, or --request FILE (see --help)")
    if options.words is not None:
        return str(options.words)
    path = Path(options.request)
    shipped = {r.name: r.request for r in (*of_library(), *of_new_problems())}
    if not path.is_file():
        path = shipped.get(options.request, path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(
            f"--request: cannot read {path}: {error}; shipped are {', '.join(shipped)}"
        ) from error


def _check_out(out: Path, replace: bool) -> None:
    """Refuse before anything is paid for."""
    if out.suffix not in (".yaml", ".yml"):
        raise BenchmarkError(f"--out: a spec is a .yaml file, not {out}")
    if out.exists() and not replace:
        raise BenchmarkError(f"--out: {out} exists; --force replaces it")
    if out.resolve().is_relative_to(envs.LIBRARY.resolve()):
        raise BenchmarkError("--out: the library holds reviewed problems only; write elsewhere")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark formulate",
        parents=[common()],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="?", help="what to decide, and all figures that matter")
    parser.add_argument("--request", metavar="FILE", help="the words, from a file or shipped")
    parser.add_argument("--out", required=True, metavar="FILE.yaml", help="where the spec goes")
    parser.add_argument("--force", action="store_true", help="replace the file there")
    parser.add_argument("--folder", metavar="DIR", help="files: where prompts and answers lie")
    parser.add_argument("--interactive", action="store_true", help="a conversation")
    parser.add_argument("--session", metavar="NAME", help="interactive: go on with this one")
    return parser
