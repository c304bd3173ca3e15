"""What Stable-Baselines3 calls while it learns."""

from collections.abc import Callable

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from agents.protocol import Checkpoint, Monitor, offer


class Report(BaseCallback):
    """Tells the monitor, and stops when it says so."""

    def __init__(
        self, monitor: Monitor, gradient_steps: Callable[[], int], checkpoint: Checkpoint
    ) -> None:
        """Report to a monitor.

        Args:
            monitor: Is told.
            gradient_steps: Counts the updates so far.
            checkpoint: Writes where learning stands.
        """
        super().__init__()
        self._monitor, self._gradient_steps = monitor, gradient_steps
        self._checkpoint = checkpoint

    def _on_rollout_start(self) -> None:
        # Steps are reported before their transition is stored: only here is everything in place.
        offer(self._monitor, self._checkpoint)

    def _on_step(self) -> bool:
        scalars = {
            name.removeprefix("train/"): float(value)
            for name, value in self.logger.name_to_value.items()
            if name.startswith("train/") and isinstance(value, int | float | np.number)
        }
        return self._monitor.update(self.num_timesteps, self._gradient_steps(), **scalars)
