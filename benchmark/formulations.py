"""``formulate-eval``: recorded formulations judged, and the metric itself put on trial."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.progress import ProgressBar
from envs.formulation.evaluation import judging, report, validation
from envs.formulation.evaluation.scenarios import families
from envs.formulation.transcript import TranscriptError

USAGE = """usage: python -m benchmark formulate-eval [--transcripts DIR] [--out REPORT.md]
       python -m benchmark formulate-eval --validate [--out REPORT.md]

  DIR holds a folder of recordings for each retrieval: none, bm25, dense, hybrid.
  REPORT.md is written, and REPORT.json beside it; without --out the page is printed.
  --validate puts the metric on trial: mutants of each reference must be caught,
  other ways of writing it accepted (some minutes)."""
TRANSCRIPTS = Path(judging.__file__).parent / "transcripts"
REQUIRED = 0.99


def formulate_eval(arguments: Sequence[str]) -> int:
    """Judge recorded formulations, or the metric that judges them."""
    rest = list(arguments)
    if {"-h", "--help"} & set(rest):
        print(USAGE)
        return EXIT_OK
    folder = _option(rest, "--transcripts")
    out = _option(rest, "--out")
    validate = "--validate" in rest
    rest = [argument for argument in rest if argument != "--validate"]
    if rest:
        raise BenchmarkError(f"formulate-eval: {' '.join(rest)}: not understood\n{USAGE}")
    if out is not None and out.suffix != ".md":
        raise BenchmarkError(f"--out: expected a name ending in .md; found {out}")
    if validate:
        return _validate(out)
    return _judge(folder or TRANSCRIPTS, folder is not None, out)


def _option(arguments: list[str], name: str) -> Path | None:
    if name not in arguments:
        return None
    position = arguments.index(name)
    if position + 1 == len(arguments):
        raise BenchmarkError(f"{name}: expected a path behind it\n{USAGE}")
    value = Path(arguments[position + 1])
    del arguments[position : position + 2]
    return value


def _judge(folder: Path, asked_for: bool, out: Path | None) -> int:
    if asked_for and not folder.is_dir():
        raise BenchmarkError(f"--transcripts: there is no folder {folder}")
    files = [
        (name, file)
        for name in judging.RETRIEVALS
        for file in sorted(folder.glob(f"{name}/*.json"))
    ]
    if asked_for and not files:
        known = ", ".join(judging.RETRIEVALS)
        raise BenchmarkError(f"--transcripts: no recordings in {folder}/<{known}>/*.json")
    verdicts, aside = [], []
    with ProgressBar("judging", max(len(files), 1)) as bar:
        for number, (retrieval, file) in enumerate(files, 1):
            try:
                verdict = judging.judged(file, retrieval)
            except TranscriptError as error:
                raise BenchmarkError(str(error)) from error
            if verdict is None:
                aside.append(f"{retrieval}/{file.name}")
            else:
                verdicts.append(verdict)
            bar.update(number)
    _deliver(report.as_markdown(verdicts, aside), report.as_data(verdicts), out)
    return EXIT_OK


def _validate(out: Path | None) -> int:
    trials: list[validation.Trial] = []
    with ProgressBar("validating", len(families())) as bar:

        def told(line: str) -> None:
            bar.note = line
            bar.update(len(trials))

        for family in families():
            trials.append(validation.tried(family, told))
            bar.update(len(trials))
    data = {
        "format": 1,
        "trials": [
            {**vars(t), "caught": dict(t.caught), "accepted": dict(t.accepted)} for t in trials
        ],
    }
    _deliver(report.trial_as_markdown(trials), data, out)
    caught = sum(t.caught.total() for t in trials), sum(len(t.missed) for t in trials)
    accepted = sum(t.accepted.total() for t in trials), sum(len(t.rejected) for t in trials)
    good = all(right >= REQUIRED * (right + wrong) for right, wrong in (caught, accepted))
    return EXIT_OK if good else EXIT_FAILED


def _deliver(page: str, data: object, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(page)
        return
    try:
        out.write_text(page, encoding="utf-8")
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        out.with_suffix(".json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchmarkError(f"--out: cannot write {out}: {error.strerror}") from error
    print(f"wrote {out} and {out.with_suffix('.json')}")
