"""Problems and agents as the config names them."""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

import envs
from agents import Agent
from benchmark.errors import BenchmarkError, unknown


def load_problem(config: DictConfig) -> envs.Problem:
    """The problem that ``conf/env`` names, with its overrides.

    Raises:
        BenchmarkError: There is no such problem or file, or the spec or an override is refused.
    """
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    source = Path(values["spec"]) if "spec" in values else values["name"]
    if isinstance(source, Path) and not source.is_file():
        raise BenchmarkError(f"env.spec: there is no file {source}")
    if isinstance(source, str) and source not in envs.problems():
        raise BenchmarkError(unknown("problem", source, envs.problems()))
    overrides = {part: values[part] for part in ("parameters", "processes")}
    try:
        return envs.load(source, overrides=overrides)
    except envs.SpecError as error:
        raise BenchmarkError(f"{source}: {describe(error)}") from error


def describe(error: envs.SpecError) -> str:
    """Every diagnostic of a spec."""
    found = [str(diagnostic) for diagnostic in error.diagnostics]
    return found[0] if len(found) == 1 else "\n".join((f"{len(found)} findings", *found))


def make_agent(values: Mapping[str, Any], problem: envs.Problem, seed: int, device: str) -> Agent:
    """Construct an agent from the values of its ``conf/agent`` file.

    Raises:
        BenchmarkError: A value is missing or does not suit the agent.
    """
    try:
        agent: Agent = hydra.utils.instantiate(
            dict(values),
            observation_size=len(problem.observation_names),
            action_size=len(problem.action_names),
            discount=problem.discount,
            seed=seed,
            device=device,
        )
    except InstantiationException as error:
        cause = "; ".join(str(error.__cause__ or error).splitlines())
        message = f"the agent {values.get('_target_')} cannot be made: {cause}"
        raise BenchmarkError(message) from error
    return agent


def agent_name(choice: str, values: Mapping[str, Any]) -> str:
    """What an agent is called in tables and folders: its config's name, or its class.

    Raises:
        BenchmarkError: The class of a third party's agent is not named as Python names one.
    """
    if choice != "custom":
        return choice.replace("/", "-")
    target = str(values["_target_"])
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", target, re.ASCII):
        raise BenchmarkError(f"agent._target_: expected package.Class, found '{target[:100]}'")
    return target


def agent_values(name: str) -> dict[str, Any]:
    """The values of ``conf/agent/NAME.yaml``, for the rows every table has."""
    text = (resources.files("conf") / "agent" / f"{name}.yaml").read_text()
    values = OmegaConf.to_container(OmegaConf.create(text))
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def resolve_device(name: str) -> str:
    """Choose ``cpu`` or ``cuda``.

    Raises:
        BenchmarkError: The name is unknown, or there is no CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise BenchmarkError(unknown("device", name, ("auto", "cpu", "cuda")))
    if name == "cpu":
        return "cpu"
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise BenchmarkError("device=cuda, but torch finds no CUDA device; use device=cpu or auto")
    return "cuda" if available else "cpu"


def unit_of(problem: envs.Problem, name: str) -> str | None:
    """The declared unit of a named quantity; None when the spec has no such name."""
    for section in ("decisions", "processes", "states", "parameters", "equations"):
        item = getattr(problem.spec, section).get(name)
        if item is not None:
            return str(item.unit)
    return None
