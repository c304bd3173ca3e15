"""Problems and agents as a stranger's config describes them: nothing in it can name Python to run.

Only agents that ship with the suite are built, with the values they ship with; any other class only
when the user, not the config, names it.
"""

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import envs
from agents import Agent
from benchmark.errors import BenchmarkError
from benchmark.options import option_names
from benchmark.problems import agent_values, describe
from benchmark.protocol import Protocol
from benchmark.seal import CONFIG, EPISODES, MANIFEST, PROBLEM, RESULT
from benchmark.submission import Submission
from envs.spec.overrides import granted

TARGET = "_target_"
MOST_PARAMETERS = 100_000_000
"""Of an agent's networks, estimated before they are built."""

MOST_STEPS = 10_000_000_000
MOST_SCENARIOS = 100_000
MOST_ENVIRONMENTS = 65_536


def problem_of(submission: Submission, place: Path) -> envs.Problem:
    """The problem, which must be the one the result was reported for.

    Args:
        submission: What was handed in.
        place: An empty folder, for the spec that was handed in with it.

    Raises:
        BenchmarkError: There is no such problem, or it is another one by now.
    """
    path = submission.folder / CONFIG
    env = _map(path, submission.config, "env")
    overrides = {part: _map(path, env, part, "env.") for part in ("parameters", "processes")}
    for process, file in granted(overrides):
        if "/" in file or "\\" in file or "\0" in file:
            raise BenchmarkError(
                f"{path}: env.processes.{process}.trace: expected the plain name of a file in this "
                f"folder or the data folder, found {file[:100]!r}"
            )
    if "spec" in env:
        if submission.spec is None:
            raise BenchmarkError(
                f"{submission.folder / PROBLEM} is missing: the problem is none of the library, "
                "so that its spec belongs to the submission"
            )
        (place / PROBLEM).write_bytes(submission.spec)
        source: str | Path = place / PROBLEM
    else:
        source = str(env.get("name"))
        if source not in envs.problems():
            raise BenchmarkError(f"{path}: env.name: there is no problem {source[:100]!r}")
    try:
        problem = envs.load(source, overrides=overrides)
    except envs.SpecError as error:
        raise BenchmarkError(f"{path}: env: {describe(error)}") from error
    for name, digest in (
        (MANIFEST, submission.manifest.get("digest")),
        (RESULT, submission.result.get("digest")),
    ):
        if digest != problem.digest:
            raise BenchmarkError(
                f"{submission.folder / name}: it was made on problem {str(digest)[:12]}, and "
                f"{problem.name} is {problem.digest[:12]} in this version of the suite; verify it "
                "with the version it was made with"
            )
    return problem


def protocol_of(submission: Submission) -> Protocol:
    """The protocol, within what can be carried out.

    Raises:
        BenchmarkError: A value is missing or out of all bounds.
    """
    path = submission.folder / CONFIG
    try:
        protocol = Protocol.from_config(_map(path, submission.config, "protocol"))
    except BenchmarkError as error:
        raise BenchmarkError(f"{path}: {error.message}") from error
    most = {
        "env_steps": MOST_STEPS,
        "reference_env_steps": MOST_STEPS,
        "num_envs": MOST_ENVIRONMENTS,
        "test_scenarios": MOST_SCENARIOS,
        "validation_scenarios": MOST_SCENARIOS,
        "reward_scale_scenarios": MOST_SCENARIOS,
        "evaluations": MOST_SCENARIOS,
    }
    values = protocol.as_dict()
    for name, limit in most.items():
        if values.get(name, 0) > limit:
            raise BenchmarkError(
                f"{path}: protocol.{name}: expected at most {limit:,}, found {values[name]:,}"
            )
    found = submission.episodes["scenario"].size
    if found != protocol.test_scenarios:
        raise BenchmarkError(
            f"{submission.folder / EPISODES}: expected {protocol.test_scenarios:,} "
            f"scenarios, as the protocol has it, found {found:,}"
        )
    return protocol


def whole_number(submission: Submission, name: str, high: int) -> int:
    """A whole number of the config from 0 to ``high``.

    Raises:
        BenchmarkError: It is anything else.
    """
    value = submission.config.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
        path = submission.folder / CONFIG
        raise BenchmarkError(
            f"{path}: {name}: expected a whole number up to {high}, found {value!r}"
        )
    return value


def agent_of(
    submission: Submission, problem: envs.Problem, device: str, allowed: str | None
) -> Agent:
    """Build the agent, untrained.

    Args:
        submission: What was handed in.
        problem: Gives the sizes.
        device: ``cpu`` or ``cuda``.
        allowed: A class the user lets run, as ``pkg.Module``.

    Raises:
        BenchmarkError: The class is neither one of the suite nor allowed, or a value is not plain.
    """
    path = submission.folder / CONFIG
    values = dict(_map(path, submission.config, "agent"))
    target = values.pop(TARGET, None)
    if not isinstance(target, str):
        raise BenchmarkError(f"{path}: agent.{TARGET}: expected the name of a class")
    for name, value in values.items():
        if name.startswith("_") or not _plain(value):
            raise BenchmarkError(
                f"{path}: agent.{name[:60]}: expected a number, a word, or a list of them"
            )
    shipped = {
        str(found.pop(TARGET)): found
        for found in map(agent_values, (n for n in option_names("agent") if n != "custom"))
    }
    if target in shipped:
        if differing := sorted(values.keys() ^ shipped[target].keys()):
            raise BenchmarkError(
                f"{path}: agent: {', '.join(differing)[:200]}: in the file or among the values of "
                f"{target}, not in both"
            )
        _bound(path, values)
    elif target != allowed:
        raise BenchmarkError(
            f"{path}: agent.{TARGET} is {target[:100]!r}, which does not ship with this suite and "
            f"would run as you; where you trust it: --allow {target[:100]}"
        )
    try:
        module, _, name = target.rpartition(".")
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BenchmarkError(f"agent {target} is not installed here: {error}") from error
    try:
        agent: Agent = kind(
            observation_size=len(problem.observation_names),
            action_size=len(problem.action_names),
            discount=problem.discount,
            seed=whole_number(submission, "seed", 2**63 - 1),
            device=device,
            **values,
        )
    except (TypeError, ValueError, ArithmeticError, LookupError, RuntimeError) as error:
        raise BenchmarkError(f"{path}: agent: {target} cannot be made: {error}") from error
    return agent


def _bound(path: Path, values: Mapping[str, Any]) -> None:
    """Refuse networks and environments that would not fit, before they are built."""
    num_envs = values.get("num_envs", 1)
    if isinstance(num_envs, int | float) and num_envs > MOST_ENVIRONMENTS:
        raise BenchmarkError(
            f"{path}: agent.num_envs: expected at most {MOST_ENVIRONMENTS:,}, found {num_envs:,}"
        )
    network = values.get("network", [])
    widths = [values.get("width", 1), values.get("time_size", 1), *network]
    depths = [values.get("depth", 1), values.get("actor_depth", 1), len(network)]
    numbers = [abs(number) for number in widths if isinstance(number, int | float)]
    layers = sum(abs(number) for number in depths if isinstance(number, int | float))
    critics = values.get("critics", 1)
    members = abs(critics) if isinstance(critics, int | float) else 1
    if max(numbers) ** 2 * max(layers, 1) * max(members, 1) > MOST_PARAMETERS:
        raise BenchmarkError(
            f"{path}: agent: expected networks of at most {MOST_PARAMETERS:,} parameters"
        )


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= 64 and all(
            _plain(item) and not isinstance(item, list) for item in value
        )
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return len(value) <= 100 and value.isprintable() and "${" not in value
    return value is None or isinstance(value, bool | int)


def _map(path: Path, values: Mapping[str, Any], name: str, within: str = "") -> dict[str, Any]:
    found = values.get(name)
    if not isinstance(found, dict):
        raise BenchmarkError(f"{path}: {within}{name}: expected a map of values")
    return found
