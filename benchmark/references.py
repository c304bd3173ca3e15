"""The rows every table has: random, the best constant, the heuristics, and the known optimum."""

import io
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import envs
import envs.oracle
from agents import Agent, Budget
from benchmark.evaluation import Act, Episodes, evaluate, reward_scale
from benchmark.manifest import code_version
from benchmark.problems import agent_values, make_agent
from benchmark.progress import ProgressBar
from benchmark.protocol import RANDOM_POLICY_SEED, Protocol
from benchmark.statistics import Values
from benchmark.store import digest, locked, write_bytes

RANDOM = "random"
CONSTANT = "constant"
HEURISTIC = "heuristic."
ORACLE = "oracle"

OOD = "ood."
"""Prefix of the columns of the shifted scenarios in the cache."""

ROW_SEED = 0
"""Of the rows that draw: one value, so that every agent is placed against the same rows."""


@dataclass(frozen=True)
class Row:
    """A row, on the test scenarios and on those of the learning curve.

    Attributes:
        test: Episodes on the test scenarios.
        validation_g: Mean J on the validation scenarios.
        ood: Episodes on the shifted scenarios.
    """

    test: Episodes
    validation_g: float
    ood: Episodes | None = None


@dataclass(frozen=True)
class Optimum:
    """What is known of the optimum on the test scenarios.

    Attributes:
        scenarios: The scenarios it is known for.
        objective_g: J of each, by method: ``certified``, ``best_known``, ``mpc``.
    """

    scenarios: np.ndarray[Any, np.dtype[np.int64]]
    objective_g: Mapping[str, Values]

    @property
    def method(self) -> str | None:
        """The method agents are placed against: a proven bound before the best known."""
        known = [name for name in ("certified", "best_known") if name in self.objective_g]
        return known[0] if known else None


def changed_folder(problem: envs.Problem, root: Path) -> Path:
    """Where among the results the reference of a problem lies that is not as shipped."""
    return root / "references" / problem.objective_digest[:16]


def load_optimum(problem: envs.Problem, scenarios: int, root: Path) -> Optimum | None:
    """The reference of the problem on the tested scenarios; None when there is none.

    Args:
        problem: As shipped, changed or the user's own.
        scenarios: How many are tested.
        root: The results folder, where ``oracle`` keeps what it finds of a changed problem.
    """
    folder = changed_folder(problem, root)
    reference = envs.oracle.load_reference(problem, split="test", folder=folder)
    if reference is None:
        return None
    indices = np.asarray(reference.scenarios, dtype=np.int64)
    kept = indices < scenarios
    objectives = {
        str(method): np.asarray(values, dtype=np.float64)[kept]
        for method, values in reference.objective_g.items()
    }
    return Optimum(indices[kept], objectives) if kept.any() else None


def scale_of(problem: envs.Problem, protocol: Protocol, cache: Path) -> float:
    """The reward's scale, from the cache where it is known."""
    count = protocol.reward_scale_scenarios
    path = _cache_folder(cache, problem) / f"reward_scale-{count}.npz"

    def compute() -> dict[str, Any]:
        return {"scale": np.float64(reward_scale(problem, count, RANDOM_POLICY_SEED))}

    return float(_cached(path, compute)["scale"])


def rows_of(problem: envs.Problem, protocol: Protocol, scale: float, cache: Path) -> dict[str, Row]:
    """Random, the best constant and each heuristic, from the cache where they are known."""
    chosen = {RANDOM: agent_values("random"), CONSTANT: agent_values("constant")}
    for name in problem.heuristics:
        chosen[HEURISTIC + name] = {**agent_values("heuristic"), "name": name}
    conditions = {**protocol.as_dict(), "env_steps": protocol.reference_env_steps}
    for unused in ("name", "evaluations", "variants"):
        del conditions[unused]
    rows = {}
    for name, values in chosen.items():
        key = digest({"agent": values, "conditions": conditions, "scale": scale})[:16]
        path = _cache_folder(cache, problem) / f"{name}-{key}.npz"

        def compute(name: str = name, values: Mapping[str, Any] = values) -> dict[str, Any]:
            return _row_columns(problem, protocol, scale, name, values)

        columns = dict(_cached(path, compute))
        validation_g = float(columns.pop("validation_g"))
        ood = {key: columns.pop(OOD + key) for key in _without(OOD, columns)}
        test = Episodes.from_columns(columns)
        rows[name] = Row(test, validation_g, Episodes.from_columns(ood))
    return rows


def act_of(agent: Agent, deterministic: bool = True) -> Act:
    """An agent as a policy."""
    return lambda observation, env: agent.act(observation, env, deterministic)


class _Silent:
    """A monitor that only draws progress and holds to the budget."""

    def __init__(self, budget: Budget, progress: ProgressBar) -> None:
        self._budget, self._progress = budget, progress

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        self._progress.update(env_steps)
        return env_steps < self._budget.env_steps


def _row_columns(
    problem: envs.Problem, protocol: Protocol, scale: float, name: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    agent = make_agent(values, problem, ROW_SEED, "cpu")
    if name == CONSTANT:
        budget = Budget(protocol.reference_env_steps)
        env = envs.make_vector(
            problem,
            num_envs=protocol.num_envs,
            split="train",
            seed=ROW_SEED,
            reward_scale=scale,
        )
        with ProgressBar(f"{problem.name}: best constant", budget.env_steps) as progress:
            agent.learn(env, budget, _Silent(budget, progress))
        env.close()
    act = act_of(agent)
    # The test comes first, so that what random draws there does not depend on the validation.
    test = evaluate(problem, act, protocol.test_scenarios, "test")
    validation = evaluate(problem, act, protocol.validation_scenarios, "validation")
    ood = evaluate(problem, act, protocol.ood_scenarios, "ood").columns()
    return {
        **test.columns(),
        **{OOD + key: values for key, values in ood.items()},
        "validation_g": np.float64(np.mean(validation.objective_g)),
    }


def _without(prefix: str, names: Iterable[str]) -> list[str]:
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _cache_folder(root: Path, problem: envs.Problem) -> Path:
    return root / ".cache" / f"{problem.name}-{problem.digest[:12]}-{code_version()[:12]}"


def _cached(path: Path, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Read arrays, or compute and keep them; two processes do not compute the same."""
    found = _read(path)
    if found is not None:
        return found
    with locked(path.parent / ".locks" / path.name):
        found = _read(path)
        if found is None:
            found = compute()
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **found)
            write_bytes(path, buffer.getvalue())
    return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        print(f"benchmark: {path} is not readable and is made again: {error}", file=sys.stderr)
        return None
