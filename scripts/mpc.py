"""Model-predictive control of ``offload`` on forecasts, beside the bound and the heuristics.

    python scripts/mpc.py --scenarios 20

About two seconds a day on one core. The controller sees what an agent sees, and the climate.
"""

from __future__ import annotations

import argparse

import numpy as np

import envs
from envs.oracle import load_reference, offload_mpc


def main() -> None:
    """Print the mean objective of each row on the first test days."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", type=int, default=20, help="of the test split")
    count = parser.parse_args().scenarios
    problem = envs.load("offload")
    days = np.arange(count)
    rows = {"mpc": offload_mpc.solve(problem, "test", days)["mpc"]}
    reference = load_reference(problem)
    if reference is not None:
        rows |= {name: values[:count] for name, values in reference.objective_g.items()}
    env = envs.make_vector(problem, count, split="test")
    for name in problem.heuristics:
        env.reset(options={"scenarios": days})
        for _ in range(problem.horizon):
            info = env.step(env.heuristic_actions(name))[4]
        rows[name] = info["episode"]["objective_g"]
    for name, values in sorted(rows.items(), key=lambda row: row[1].mean()):
        print(f"{name:12s} {values.mean():8.1f} g a day over {count} test days")


if __name__ == "__main__":
    main()
