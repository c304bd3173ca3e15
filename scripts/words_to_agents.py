"""From words to a trained agent, for every recorded request, with no key and no network.

    python scripts/words_to_agents.py [--agent gdm] [--folder words] [REQUEST …]

Each request goes through the commands a designer would type: ``formulate --llm replay`` writes
the spec that a recorded language model answered with, ``check`` looks at it, ``run`` trains an
agent in it under ``quick``. Needs the extra ``formulate``. Prints a table for the docs; exits
with 1 when a step of any request failed. A second call goes on where the first one stopped.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from envs.formulation.recordings import of_library, of_new_problems

_HEADS = ("request", "answers", "random", "constant", "best rule", "agent", "trained, s", "beats")


def main() -> int:
    """Take every request, or those that are named, all the way."""
    recorded = [r for r in (*of_library(), *of_new_problems()) if r.recorded]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("requests", nargs="*", metavar="REQUEST")
    parser.add_argument("--agent", default="gdm")
    parser.add_argument("--folder", type=Path, default=Path("words"))
    options = parser.parse_args()
    names = [r.name for r in recorded]
    if unknown := set(options.requests) - set(names):
        parser.error(f"not recorded: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    print(_row(_HEADS), _row(["---"] * len(_HEADS)), sep="\n", flush=True)
    failed = 0
    for recording in recorded:
        if options.requests and recording.name not in options.requests:
            continue
        answers = str(len(recording.play().transcript.attempts))
        found = _all_the_way(recording.name, options.agent, options.folder)
        failed += found is None
        told = ["failed"] if found is None else _figures(found)
        print(_row([f"`{recording.name}`", answers, *told]), flush=True)
    return 1 if failed else 0


def _all_the_way(name: str, agent: str, folder: Path) -> dict | None:
    spec, results = folder / f"{name}.yaml", folder / "results" / name
    steps = (
        f"formulate --request {name} --llm replay --force --out {spec}",
        f"check {spec}",
        f"run env=spec env.spec={spec} agent={agent} protocol=quick results={results}",
    )
    for step in steps:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "benchmark", *step.split()], capture_output=True, text=True
        )
        if done.returncode:
            print(f"{step}\n{done.stdout}{done.stderr}", file=sys.stderr)
            return None
    made = results.glob(f"*/{agent}/seed0-*/result.json")  # of other code too, if it was run before
    read: dict = json.loads(max(made, key=lambda path: path.stat().st_mtime).read_text())
    return read


def _figures(result: dict) -> list[str]:
    """Objectives in grams: of the rows every table has, of the best rule, of the agent."""
    rows = {name: row["objective_g"] for name, row in result["reference_rows"].items()}
    rules = {name: value for name, value in rows.items() if name.startswith("heuristic.")}
    best = min(rules, key=rules.__getitem__)
    own = result["objective_g"]
    others = {"random": rows["random"], "constant": rows["constant"], **rules}
    beaten = [name.removeprefix("heuristic.") for name, value in others.items() if own < value]
    return [
        f"{rows['random']:.4g}",
        f"{rows['constant']:.4g}",
        f"`{best.removeprefix('heuristic.')}` {rules[best]:.4g}",
        f"{own:.4g}",
        f"{result['train_seconds']:.0f}",
        ", ".join(beaten) or "none",
    ]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
