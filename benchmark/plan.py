"""A run as it was asked for: everything resolved and checked before anything is written."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import envs
from benchmark.errors import BenchmarkError
from benchmark.manifest import code_version, git, hardware, versions
from benchmark.problems import agent_name, load_problem, make_agent, resolve_device
from benchmark.protocol import RANDOM_POLICY_SEED, Protocol, conditions_digest, is_frozen
from benchmark.references import ROW_SEED
from benchmark.store import digest

NOT_IN_KEY = ("results", "force", "checkpoint_s", "tracking", "env")
"""Config that does not change a result; the problem is in the key by its digest."""


@dataclass(frozen=True)
class Run:
    """A run as it was asked for, everything resolved.

    Attributes:
        values: The resolved config.
        problem: What is learnt on.
        protocol: How long, and what is judged.
        agent: Name of the agent's config.
        seed: Of the agent and of its training scenarios.
        device: ``cpu`` or ``cuda``.
        key: Digest of all that the result depends on.
        root: The results folder.
        oracle_command: What would compute the problem's reference.
    """

    values: dict[str, Any]
    problem: envs.Problem
    protocol: Protocol
    agent: str
    seed: int
    device: str
    key: str
    root: Path
    oracle_command: str

    @property
    def name(self) -> str:
        """What the run is called beside a progress bar."""
        return f"{self.problem.name}/{self.agent} seed {self.seed}"

    @property
    def identity(self) -> dict[str, Any]:
        """The fields every ``result.json`` begins with."""
        return {
            "env": self.problem.name,
            "agent": self.agent,
            "seed": self.seed,
            "key": self.key,
            "digest": self.problem.digest,
            "protocol": self.protocol.name,
            "conditions": conditions_digest(self.protocol, self.values["env"]),
            "frozen": is_frozen(self.protocol, self.values["env"]),
            "agent_digest": digest(self.values["agent"])[:16],
            "code_version": code_version(),
            "device": self.device,
        }


def plan(config: DictConfig) -> Run:
    """Check everything that can be checked before anything is written."""
    problem = load_problem(config.env)
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    protocol = Protocol.from_config(values["protocol"])
    seed = values["seed"]
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise BenchmarkError(f"seed must be a whole number from 0 on, not {seed!r}")
    device = resolve_device(str(values["device"]))
    values["device"] = device
    dependent = {name: value for name, value in values.items() if name not in NOT_IN_KEY}
    key = digest({"config": dependent, "problem": problem.digest, "code": code_version()})
    agent = agent_name(str(HydraConfig.get().runtime.choices["agent"]), values["agent"])
    make_agent(values["agent"], problem, seed, device)  # a wrong value is told before any work
    return Run(
        values={str(name): value for name, value in values.items()},
        problem=problem,
        protocol=protocol,
        agent=agent,
        seed=seed,
        device=device,
        key=key,
        root=Path(str(values["results"])),
        oracle_command=_oracle_command(),
    )


CONTINUED_BY = ("python", "gymnasium", "numpy", "scipy", "stable-baselines3", "tianshou", "torch")
"""What a checkpoint must have in common with who takes it up, for the result to be the same."""


def checkpoint_identity(run: Run) -> dict[str, Any]:
    """What the checkpoints of a run are good for."""
    known = versions()
    return {"key": run.key, "versions": {name: known[name] for name in CONTINUED_BY}}


def manifest(run: Run, reward_scale_g: float) -> dict[str, Any]:
    """Where the result of a run comes from."""
    return {
        **run.identity,
        "problem": {"id": run.problem.id, "version": run.problem.version},
        "git": git(),
        "versions": versions(),
        "hardware": hardware(run.device),
        "reward_scale_g": reward_scale_g,
        "seeds": {
            "agent": run.seed,
            "training_scenarios": run.seed,
            "reference_rows": ROW_SEED,
            "reward_scale": RANDOM_POLICY_SEED,
            "test_scenarios": [0, run.protocol.test_scenarios],
            "ood_scenarios": [0, run.protocol.ood_scenarios],
            "validation_scenarios": [0, run.protocol.validation_scenarios],
        },
        "command": f"python -m benchmark run {shlex.join(_task_overrides())}",
    }


def _task_overrides() -> list[str]:
    return [text.lstrip("+") for text in HydraConfig.get().overrides.task]


def _oracle_command() -> str:
    overrides = [text for text in _task_overrides() if text.startswith(("env=", "env."))]
    return f"python -m benchmark oracle {shlex.join(overrides)}"
