"""Make run folders that look like those of a large study, to measure the report with.

    python scripts/many_runs.py FOLDER --runs 10000
    python -m benchmark report FOLDER

The figures in them are drawn at random and mean nothing. One folder in a thousand is broken.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

PROBLEMS = ("cooling", "irs", "irs_beamforming", "offload", "offload_paper", "v2g", "v2g_feeder")
SKILL = {"gdm": 0.62, "gdm_paper": 0.35, "mlp": 0.58, "ppo": 0.66, "sac": 0.5, "td3": 0.45}
BASE_G, BEST_G, RANDOM_G = 500.0, 300.0, 1300.0
POINTS = 13


def rows() -> dict[str, dict[str, float | None]]:
    """The rows every run is placed against."""
    found = {}
    for name, objective in (("random", RANDOM_G), ("constant", 560.0), ("heuristic.rule", BASE_G)):
        found[name] = row(objective, 0.1)
    found["oracle"] = {
        **row(BEST_G, 0.0),
        "carbon_g": None,
        "penalty_g": None,
        "violated_share": None,
    }
    return found


def row(objective: float, violated: float) -> dict[str, float | None]:
    """A row of a table."""
    return {
        "objective_g": objective,
        "carbon_g": 0.9 * objective,
        "penalty_g": 0.1 * objective,
        "violated_share": violated,
        "score": (RANDOM_G - objective) / (RANDOM_G - BEST_G),
        "gap_closed": (BASE_G - objective) / (BASE_G - BEST_G),
    }


def make_run(root: Path, problem: str, agent: str, seed: int, rng: np.random.Generator) -> Path:
    """One finished run's folder."""
    gap = SKILL[agent] + 0.08 * rng.standard_normal()
    objective = BASE_G - gap * (BASE_G - BEST_G)
    key = f"{rng.integers(2**62):016x}" * 4
    folder = root / problem / agent / f"seed{seed}-{key[:12]}"
    folder.mkdir(parents=True)
    seconds = float(rng.uniform(200, 300))
    identity = {
        "env": problem,
        "agent": agent,
        "seed": seed,
        "key": key,
        "digest": f"{PROBLEMS.index(problem):064x}",
        "protocol": "v1",
        "conditions": "0" * 16,
        "frozen": True,
        "agent_digest": "1" * 16,
        "code_version": "2" * 64,
        "device": "cpu",
    }
    variant = {"checkpoint": "final", "action": "deterministic", "split": "ood"}
    result = {
        "status": "done",
        **identity,
        **row(objective, float(rng.uniform(0, 0.3))),
        "variants": [{**variant, "objective_g": 1.2 * objective}],
        "base": "heuristic.rule",
        "reference": {"method": "certified", "objective_g": {"certified": BEST_G}},
        "reference_rows": rows(),
        "env_steps": 1_000_000,
        "gradient_steps": 10_000,
        "train_seconds": seconds,
        "train_wh": seconds / 300,
        "train_gco2": seconds / 800,
        "energy_method": "drawn at random",
        "payback": {"decisions": float(rng.uniform(10, 1000)), "against": "heuristic.rule"},
    }
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "manifest.json").write_text(json.dumps(identity))
    lines = ["env_steps,gradient_steps,seconds,objective_g"]
    for i in range(POINTS):
        share = i / (POINTS - 1)
        value = objective + (RANDOM_G - objective) * np.exp(-6 * share)
        lines.append(f"{int(1_000_000 * share)},{int(10_000 * share)},{seconds * share},{value}")
    (folder / "learning_curve.csv").write_text("\n".join(lines) + "\n")
    return folder


def make_runs(root: Path, count: int) -> None:
    """So many folders, spread over problems and agents."""
    rng = np.random.default_rng(0)
    kinds = [(problem, agent) for problem in PROBLEMS for agent in SKILL]
    for i in range(count):
        problem, agent = kinds[i % len(kinds)]
        folder = make_run(root, problem, agent, i // len(kinds), rng)
        if i % 1_000 == 999:
            (folder / "result.json").write_text('{"status": "done", "env": "off')


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    make_runs(options.folder, options.runs)
    print(f"{options.runs:,} run folders in {options.folder}")


if __name__ == "__main__":
    main()
