"""A run folder with everything it needs to act and to learn again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import envs
from agents import Agent
from benchmark.comparison import differ
from benchmark.energy import EnergyMeter
from benchmark.errors import EXIT_FAILED, BenchmarkError
from benchmark.evaluation import Episodes, evaluate
from benchmark.manifest import code_version, hardware, versions
from benchmark.problems import resolve_device
from benchmark.protocol import Protocol
from benchmark.references import act_of, scale_of
from benchmark.seal import WEIGHTS
from benchmark.strangers import agent_of, problem_of, protocol_of, whole_number
from benchmark.submission import Submission, check_weights, read_submission
from benchmark.training import train

LARGEST_SEED = 2**63 - 1
MOST_THREADS = 256

ELSEWHERE = 1e-6
"""Relative difference of a figure that another machine or version may make."""

RETRAINED_ELSEWHERE = 0.02
"""Relative difference of mean J after training again on another machine: rounding there leads to
another policy, as another seed would."""


@dataclass(frozen=True)
class Case:
    """A submission, its problem and its protocol.

    Attributes:
        submission: What was handed in.
        problem: Its problem.
        protocol: Its protocol.
        device: Where its agent acts.
        elsewhere: In what this is not the machine, the versions and the code it was made with.
        allowed: A class the user lets run.
        root: Where reference rows are kept.
        place: A folder for what has to lie in files.
    """

    submission: Submission
    problem: envs.Problem
    protocol: Protocol
    device: str
    elsewhere: tuple[str, ...]
    allowed: str | None
    root: Path
    place: Path

    @property
    def tolerance(self) -> float:
        """Largest relative difference of a figure that is found again."""
        return ELSEWHERE if self.elsewhere else 0.0

    @property
    def seed(self) -> int:
        """Of the agent and its training scenarios."""
        return whole_number(self.submission, "seed", LARGEST_SEED)

    def trained(self) -> Agent:
        """The agent with the weights that were handed in.

        Raises:
            BenchmarkError: They are damaged, or those of another agent.
        """
        submission = self.submission
        check_weights(submission.folder, submission.weights)
        agent = self._agent()
        weights = self.place / WEIGHTS
        weights.mkdir()
        for name, data in submission.weights.items():
            (weights / name).write_bytes(data)
        try:
            agent.load(weights)
        except Exception as error:  # whatever a third party's load may raise
            text = " ".join(str(error).split()).replace(str(weights), WEIGHTS)
            raise BenchmarkError(
                f"{submission.folder / WEIGHTS} cannot be loaded: {type(error).__name__}: "
                f"{text[:400]}"
            ) from error
        return agent

    def evaluated(self, agent: Agent) -> Episodes:
        """The agent on the held-out scenarios.

        Raises:
            BenchmarkError: It cannot act on them.
        """
        try:
            return evaluate(self.problem, act_of(agent), self.protocol.test_scenarios, "test")
        except (ArithmeticError, LookupError, ValueError, TypeError, RuntimeError) as error:
            raise BenchmarkError(
                f"{self.submission.folder}: the agent cannot act: {error}", EXIT_FAILED
            ) from error

    def retrained(self, meter: EnergyMeter | None = None) -> dict[str, Any]:
        """Train again from the config, and compare what was learnt.

        Args:
            meter: Measures the training alone.

        Returns:
            ``objective_g``, ``relative_difference`` of the mean, ``max_relative_difference`` of any
            figure, and ``message``: why it is not the same; None when it is.
        """
        scale = scale_of(self.problem, self.protocol, self.root)
        agent = self._agent()
        title = f"{self.problem.name} again"
        if meter is None:
            train(self.problem, self.protocol, agent, self.seed, scale, title)
        else:
            with meter:
                train(self.problem, self.protocol, agent, self.seed, scale, title)
        stored, found = self.submission.episodes, self.evaluated(agent).columns()
        difference = differ(stored, found, self.tolerance)
        mean_g = float(np.mean(found["objective_g"]))
        claimed_g = float(np.mean(stored["objective_g"]))
        relative = abs(mean_g - claimed_g) / max(abs(mean_g), abs(claimed_g), 1e-12)
        message = None
        if not self.elsewhere:
            message = difference.where and f"trained again, {difference.where}"
        elif relative > RETRAINED_ELSEWHERE:
            message = (
                f"trained again, mean J is {mean_g:.6g} g, in the folder {claimed_g:.6g} g: "
                f"{relative:.2%} apart, more than {RETRAINED_ELSEWHERE:.0%}"
            )
        return {
            "objective_g": mean_g,
            "relative_difference": relative,
            "max_relative_difference": difference.finite,
            "message": message,
        }

    def _agent(self) -> Agent:
        return agent_of(self.submission, self.problem, self.device, self.allowed)


def open_case(folder: Path, allowed: str | None, root: Path, place: Path) -> Case:
    """Read a run folder, and set torch up as it was.

    Args:
        folder: Of a finished run, or a submission.
        allowed: A class the user lets run.
        root: Where reference rows are kept.
        place: An empty folder for what has to lie in files.

    Raises:
        BenchmarkError: The folder is refused.
    """
    submission = read_submission(folder)
    import torch

    torch.set_num_threads(max(whole_number(submission, "threads", MOST_THREADS), 1))
    problem = problem_of(submission, place)
    protocol = protocol_of(submission)
    on_cuda = submission.config.get("device") == "cuda" and torch.cuda.is_available()
    device = resolve_device("cuda" if on_cuda else "cpu")
    elsewhere = _differences(submission, device)
    return Case(submission, problem, protocol, device, elsewhere, allowed, root, place)


def _differences(submission: Submission, device: str) -> tuple[str, ...]:
    manifest = submission.manifest
    found = []
    for name, now in (("hardware", hardware(device)), ("versions", versions())):
        then = manifest.get(name)
        then = then if isinstance(then, dict) else {}
        found += [
            f"{key} {str(then.get(key))[:60]}, here {now.get(key)}"
            for key in sorted(then.keys() | now.keys())
            if then.get(key) != now.get(key)
        ]
    if manifest.get("code_version") != code_version():
        found.append(f"code {str(manifest.get('code_version'))[:12]}, here {code_version()[:12]}")
    return tuple(found)
