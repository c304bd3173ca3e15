"""What each decision of a one-step problem is worth: the rise of J when it is held at a constant.

    python scripts/ablation.py offload_paper --scenarios 1000

From the best of the heuristics, everything descends through the differentiable simulation; a held
decision has one value for all scenarios and elements, which descends too. For the day-long problem
see `envs.oracle.offload_ablation`, which solves its programme again.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

import envs
from envs.oracle import descent
from envs.simulation.batch import BatchSimulation

STEPS = 120
RATES = (0.05, 0.002)
EDGE = 0.9999


def start(problem: envs.Problem, split: str, scenarios: np.ndarray) -> np.ndarray:
    """The best simple actions to start from, ``(1, scenario, action)``."""
    starts = descent.starting_points(problem, split, scenarios)
    played = [descent.play(problem, split, scenarios, actions).mean() for actions in starts]
    return starts[int(np.argmin(played))]


def descend(
    problem: envs.Problem, scenarios: np.ndarray, first: np.ndarray, held: set[str]
) -> float:
    """Least mean J met with some decisions held at a constant."""
    compiled = problem.compiled("train")
    simulation = BatchSimulation(compiled, len(scenarios), "train", backend="torch")
    logits = torch.tensor(np.arctanh(np.clip(first, -EDGE, EDGE)), requires_grad=True)
    parts = [slice(d.offset, d.offset + d.count) for d in compiled.decisions]
    names = [d.name for d in compiled.decisions]
    constants = torch.tensor([first[:, :, part].mean() for part in parts], requires_grad=True)
    optimiser = torch.optim.Adam([logits, constants], lr=RATES[0])
    schedule = torch.optim.lr_scheduler.ExponentialLR(
        optimiser, (RATES[1] / RATES[0]) ** (1 / STEPS)
    )
    best = np.inf
    for _ in range(STEPS):
        free = logits.tanh()
        columns = [
            constants[i].clamp(-1, 1).expand(free[:, :, part].shape)
            if name in held
            else free[:, :, part]
            for i, (name, part) in enumerate(zip(names, parts, strict=True))
        ]
        simulation.reset(scenarios)
        for action in torch.cat(columns, dim=-1):
            simulation.step(action)
        objective = simulation.episode()["objective_g"].mean()
        best = min(best, float(objective.detach()))
        optimiser.zero_grad()
        objective.backward()
        optimiser.step()
        schedule.step()
    return best


def main() -> None:
    """Print the table of a problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    one_step = [name for name in envs.problems() if envs.load(name).horizon == 1]
    parser.add_argument("problem", choices=one_step)
    parser.add_argument("--scenarios", type=int, default=1000, help="of the train split")
    options = parser.parse_args()
    torch.set_num_threads(1)
    problem = envs.load(options.problem)
    scenarios = np.arange(options.scenarios)
    first = start(problem, "train", scenarios)
    names = [d.name for d in problem.compiled().decisions]
    groups: list[set[str]] = [set(), *({name} for name in names)]
    base = None
    for held in groups:
        value = descend(problem, scenarios, first, held)
        base = value if base is None else base
        rise = "" if not held else f"{100 * (value / base - 1):+.1f} %"
        print(
            f"{' and '.join(sorted(held)) or 'nothing held':20s} {value:12.6g} g  {rise}",
            flush=True,
        )


if __name__ == "__main__":
    main()
