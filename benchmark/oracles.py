"""The ``oracle`` command: the reference of a problem, computed by ``envs``.

That of a problem as shipped is kept among the committed ones, any other with the results: a changed
problem never overwrites what is committed.
"""

from pathlib import Path

import numpy as np
from omegaconf import DictConfig

import envs
import envs.oracle
from benchmark.errors import BenchmarkError
from benchmark.outcome import Outcome
from benchmark.problems import load_problem
from benchmark.references import changed_folder


def compute_oracle(config: DictConfig) -> Outcome:
    """Compute the reference, resuming where an earlier call was stopped.

    Raises:
        BenchmarkError: The problem or the number of scenarios makes no sense.
    """
    problem = load_problem(config.env)
    scenarios = config.scenarios
    if isinstance(scenarios, bool) or not isinstance(scenarios, int) or scenarios < 1:
        raise BenchmarkError(f"scenarios must be a whole number above 0, not {scenarios!r}")
    reference = envs.oracle.compute(
        problem,
        scenarios=scenarios,
        split=str(config.split),
        folder=envs.oracle.COMMITTED
        if _as_shipped(problem)
        else changed_folder(problem, Path(config.results)),
    )
    figures = ", ".join(
        f"{method.replace('_', ' ')} {np.mean(objective):.6g} g"
        for method, objective in reference.objective_g.items()
    )
    text = f"{problem.name} {problem.digest[:12]}, {len(reference.scenarios)} scenarios: {figures}"
    print(text, flush=True)
    return Outcome("done", text)


def _as_shipped(problem: envs.Problem) -> bool:
    if problem.name not in envs.problems():
        return False
    return envs.load(problem.name).objective_digest == problem.objective_digest
