"""What the harness may ask of an agent, and what an agent may ask of the harness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

Observations: TypeAlias = NDArray[np.float32]
"""Observations, ``(batch, observation_size)``."""

Actions: TypeAlias = NDArray[np.float32]
"""Actions in ``Box(-1, 1)``, ``(batch, action_size)``."""

Environment: TypeAlias = VectorEnv[Any, Any, Any]
"""A vector environment whose episodes run in lock step and reset in the step that ends them."""


@dataclass(frozen=True)
class Budget:
    """How much an agent may spend while it learns.

    Attributes:
        env_steps: Transitions, counted over all environments.
    """

    env_steps: int


class Monitor(Protocol):
    """Where an agent reports its progress, and learns when to stop."""

    def update(self, env_steps: int, gradient_steps: int, **scalars: float) -> bool:
        """Take note of the progress so far.

        Args:
            env_steps: Transitions so far, over all environments.
            gradient_steps: Updates of the networks so far.
            **scalars: Whatever the agent can tell about its learning: losses, norms.

        Returns:
            False when the agent must stop learning and return.
        """
        ...


Checkpoint: TypeAlias = Callable[[Path], Sequence[str]]
"""Writes where learning stands into a folder, and returns the names of the files it consists of.

A file that an earlier call named may be named again and is then not changed.
"""


@runtime_checkable
class Keeper(Protocol):
    """A monitor that keeps checkpoints too."""

    def keep(self, write: Checkpoint) -> None:
        """Take a checkpoint if one is due.

        Args:
            write: Writes it. It changes nothing: what is learnt does not depend on when it is
                called, or whether.
        """
        ...


def offer(monitor: Monitor, write: Checkpoint) -> None:
    """Let a monitor that keeps checkpoints take one; an agent calls it between two updates."""
    if isinstance(monitor, Keeper):
        monitor.keep(write)


class Agent(Protocol):
    """A learner or a reference row.

    An agent is constructed as ``Target(observation_size=…, action_size=…, discount=…, seed=…,
    device=…, **values)``, the values being those of its ``conf/agent/NAME.yaml``.
    """

    def learn(self, env: Environment, budget: Budget, monitor: Monitor) -> None:
        """Learn from the environment until the budget is spent or the monitor says stop."""
        ...

    def act(
        self, observation: Observations, env: Environment, deterministic: bool = True
    ) -> Actions:
        """Choose actions in ``Box(-1, 1)``.

        Args:
            observation: ``(batch, observation_size)``.
            env: The environment observed. Learners ignore it; reference rows may read it.
            deterministic: Act as in evaluation, the same for the same observation; else sample the
                policy.

        Returns:
            float32 actions, ``(batch, action_size)``.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write what was learnt into an existing folder as safetensors and JSON."""
        ...

    def load(self, folder: Path) -> None:
        """Read what ``save`` wrote; the agent then acts as the saved one did.

        Raises:
            ValueError: The folder holds an agent of another shape.
        """
        ...


@runtime_checkable
class Differentiates(Protocol):
    """What an agent has beside ``Agent`` if it learns through the environment.

    The environment given to ``learn`` is then a ``DifferentiableEnvironment``.

    Attributes:
        differentiable_envs: How many side by side: gradients need few, and memory for each.
        device: Where they are simulated, ``cpu`` or ``cuda``.
    """

    differentiable_envs: int
    device: Any


class DifferentiableEnvironment(Protocol):
    """What such a vector environment has beside Gymnasium's interface: steps on torch tensors."""

    def observed(self) -> Any:
        """What is observed now, ``(num_envs, observation_size)``, with gradients."""
        ...

    def step_tensors(self, actions: Any) -> tuple[Any, bool]:
        """Rewards ``(num_envs,)``, with gradients, and whether episodes ended and began anew."""
        ...

    def cut(self) -> None:
        """Let gradients of what follows lead back to this moment and no further."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """What an agent has beside ``Agent`` if an interrupted ``learn`` of it can be continued.

    Its ``learn`` offers ``checkpoint`` to the monitor between updates. An agent without these two
    starts afresh.
    """

    def checkpoint(self, folder: Path) -> Sequence[str]:
        """Write where learning stands; see ``Checkpoint``."""
        ...

    def resume(self, folder: Path, files: Sequence[str]) -> None:
        """Let ``learn`` go on from a checkpoint instead of beginning.

        The environment given to ``learn`` is then at the moment of the checkpoint.

        Args:
            folder: Where the checkpoint lies.
            files: What ``checkpoint`` returned.

        Raises:
            ValueError: It is of an agent of another make.
        """
        ...
