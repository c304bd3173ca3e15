"""A sweep killed with -9 again and again, against one left alone: the scores agree to the byte.

python scripts/kill_and_resume.py [--env channels,v2g] [--agents gdm,gdm_paper,mlp,ppo,sac,td3]
    [--kills 3] [--seed 0] [--steps 6000]

The moments of the kills are drawn, and printed with the seed that repeats the draw. The whole
process group goes at once, as a machine would. Exits with 1 when anything differs.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SAME = ("episodes.csv", "weights/weights.safetensors", "weights/agent.json")
"""What must agree to the byte, beside the learning curve without its clock."""

CLOCK = ("seconds", "wh", "gco2")
"""Columns of the learning curve that tell the time, and what goes with it."""


def main() -> int:
    """Run both sweeps and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--env", default="channels,v2g")
    parser.add_argument("--agents", default="gdm,mlp,ppo,sac,td3")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--steps", type=int, default=6000)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="kill-and-resume-"))
    command = [
        *(sys.executable, "-m", "benchmark", "run", "-m"),
        *(f"env={options.env}", f"agent={options.agents}", "seed=0", "protocol=quick"),
        *(f"protocol.env_steps={options.steps}", "protocol.reference_env_steps=2048"),
        *("protocol.test_scenarios=64", "protocol.validation_scenarios=32"),
        *("protocol.reward_scale_scenarios=64", "protocol.num_envs=32", "checkpoint_s=0.5"),
    ]
    begun = time.monotonic()
    undisturbed = start([*command, f"results={place / 'undisturbed'}"], place)
    if undisturbed.wait() != 0:
        raise SystemExit(f"the undisturbed sweep failed: see {place}")
    duration_s = time.monotonic() - begun
    print(f"undisturbed: {duration_s:.0f} s", flush=True)
    moments = random.Random(options.seed)
    disturbed = [*command, f"results={place / 'killed'}"]
    for number in range(1, options.kills + 1):
        # Each attempt has less left to do than the one before.
        moment_s = moments.uniform(0.1, 0.6) * duration_s
        process = start(disturbed, place)
        try:
            process.wait(moment_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            print(f"kill {number} after {moment_s:.1f} s: {standing(place / 'killed')}", flush=True)
            continue
        print(f"kill {number} after {moment_s:.1f} s came too late: all was done", flush=True)
    if start(disturbed, place).wait() != 0:
        raise SystemExit(f"the killed sweep did not come to its end: see {place}")
    differing = 0
    for folder in sorted((place / "undisturbed").glob("*/*/seed*")):
        other = place / "killed" / folder.relative_to(place / "undisturbed")
        found = sorted(differences(folder, other))
        differing += bool(found)
        verdict = "DIFFERS in " + ", ".join(found) if found else "identical"
        print(f"{folder.parent.relative_to(place / 'undisturbed')}: {verdict}", flush=True)
    print(f"{differing} of {len(list((place / 'undisturbed').glob('*/*/seed*')))} runs differ")
    if not differing:
        shutil.rmtree(place)
    return 1 if differing else 0


def start(command: list[str], place: Path) -> "subprocess.Popen[bytes]":
    """A sweep in a process group of its own; what it prints is added to a log."""
    with (place / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def standing(results: Path) -> str:
    """How far the sweep has come."""
    done = len([path for path in results.glob("*/*/seed*") if path.suffix != ".partial"])
    kept = len(list(results.glob("*/*/*.partial/checkpoints/manifest-*.json")))
    return f"{done} runs done, {kept} checkpoints of the one under way"


def differences(folder: Path, other: Path) -> Iterator[str]:
    """What of two runs is not the same."""
    for name in SAME:
        if (
            not (other / name).is_file()
            or (folder / name).read_bytes() != (other / name).read_bytes()
        ):
            yield name
    if curve(folder) != curve(other):
        yield "learning_curve.csv"


def curve(folder: Path) -> list[dict[str, str]]:
    """The learning curve without its clock."""
    try:
        with (folder / "learning_curve.csv").open() as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return []
    return [{k: v for k, v in row.items() if k not in CLOCK} for row in rows]


if __name__ == "__main__":
    sys.exit(main())
