"""Agents that are killed while they write a checkpoint, and one that waits to be let on."""

import os
import signal
from pathlib import Path
from threading import Event
from typing import Any

from agents.mlp import MLP


class Doomed(MLP):
    """Its process is killed with -9 in the middle of its third checkpoint, where it is told to."""

    written = 0

    def checkpoint(self, folder: Path) -> list[str]:
        files = super().checkpoint(folder)
        self.written += 1
        if self.written == 3 and "DOOMED" in os.environ:
            path = folder / files[0]
            path.write_bytes(path.read_bytes()[:100])
            os.kill(os.getpid(), signal.SIGKILL)
        return files


class Patient:
    """Knows nothing of checkpoints, and does not begin before a file is there."""

    def __init__(self, action_size: int, **values: Any) -> None:
        self.action_size = action_size

    def learn(self, env: Any, budget: Any, monitor: Any) -> None:
        pause = Event()
        while not Path(os.environ["GATE"]).exists():
            pause.wait(0.02)
        monitor.update(budget.env_steps, 0)

    def act(self, observation: Any, env: Any, deterministic: bool = True) -> Any:
        return env.action_space.sample() * 0

    def save(self, folder: Path) -> None:
        (folder / "agent.json").write_text("{}")

    def load(self, folder: Path) -> None:
        pass
