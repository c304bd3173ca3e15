"""A replay ring on the device that takes a whole row of environments at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tianshou.data import Batch
from torch import Tensor

from agents.shards import Shards


class RowReplay:
    """The most recent transitions of environments that run in lock step.

    A row is one step of all environments. Observations are stored once: the state a row bootstraps
    from is found ``n_step`` rows further on. The n-step return of a row is accumulated as the rows
    after it arrive, so that drawing a sample costs three gathers whatever ``n_step`` is. Because
    episodes end in lock step, ends and discounts belong to rows.

    A row can be drawn once its return is complete and the state it bootstraps from is stored.
    """

    def __init__(
        self,
        *,
        capacity: int,
        num_envs: int,
        observation_size: int,
        action_size: int,
        discount: float,
        n_step: int,
        generator: torch.Generator,
    ) -> None:
        """Reserve the ring on the generator's device.

        Args:
            capacity: Transitions kept, rounded down to whole rows.
            num_envs: Environments in a row.
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one step.
            n_step: Rewards summed before bootstrapping.
            generator: Draws the samples.
        """
        rows = max(capacity // num_envs, n_step + 2)
        device = generator.device
        self._generator = generator
        self._rows, self._num_envs = rows, num_envs
        self._discount, self._n_step = discount, n_step
        self.observations = torch.zeros(rows, num_envs, observation_size, device=device)
        self.actions = torch.zeros(rows, num_envs, action_size, device=device)
        self.rewards = torch.zeros(rows, num_envs, device=device)
        self.continues = torch.zeros(rows, device=device)
        self.returns = torch.zeros(rows, num_envs, device=device)
        self.bootstraps = torch.zeros(rows, device=device)
        self._added = 0
        self._pending = 0
        self._shards = Shards(rows)
        self.never_bootstraps = True

    @property
    def _position(self) -> int:
        """Where the next row goes."""
        return self._added % self._rows

    @property
    def _filled(self) -> int:
        return min(self._added, self._rows)

    def __len__(self) -> int:
        """Transitions that can be drawn."""
        return (self._filled - self._pending) * self._num_envs

    def add(self, observations: Tensor, actions: Tensor, rewards: Tensor, terminated: bool) -> None:
        """Append one step of all environments.

        Args:
            observations: ``(num_envs, observation_size)``, before the step.
            actions: ``(num_envs, action_size)``.
            rewards: ``(num_envs,)``.
            terminated: Whether the episodes ended with this step.
        """
        position = self._position
        self.observations[position] = observations
        self.actions[position] = actions
        self.rewards[position] = rewards
        self.returns[position] = rewards
        self.continues[position] = 0.0 if terminated else self._discount
        self.bootstraps[position] = self._discount**self._n_step
        # Rows of this episode that still wait: those whose return this reward belongs to, this row
        # among them.
        waiting = min(self._pending + 1, self._n_step)
        for age in range(1, waiting):
            self.returns[position - age] += self._discount**age * rewards
        if terminated:
            for age in range(waiting):
                self.bootstraps[position - age] = 0.0
            self._pending = 0
        else:
            self._pending = waiting
            self.never_bootstraps = self.never_bootstraps and self._discount == 0.0
        self._added += 1

    def sample(self, batch_size: int | None) -> tuple[Batch, Tensor]:
        """Draw transitions uniformly, with replacement.

        Args:
            batch_size: How many; None for every transition once, in the order of storage.

        Returns:
            The batch, as tianshou's updates expect it (``obs``, ``act``, ``rew``, ``obs_next``),
            with ``continues``, the discount of what follows (0 where the episode ends);
            ``returns``, the sums of n rewards; ``obs_later``, the observation n steps on, and
            ``bootstrap``, the discount of its value (0 where the episode ended before). Where
            nothing ever follows there is neither ``obs_next`` nor ``obs_later``. And the indices
            drawn.
        """
        if batch_size is None:
            drawn = torch.arange(len(self), device=self.returns.device)
        else:
            drawn = torch.randint(
                len(self), (batch_size,), generator=self._generator, device=self.returns.device
            )
        oldest = self._position if self._filled == self._rows else 0
        row = (drawn // self._num_envs + oldest) % self._rows
        column = drawn % self._num_envs
        observations = self.observations.flatten(0, 1)

        def after(rows: int) -> Tensor:
            return observations[(row + rows) % self._rows * self._num_envs + column]

        index = row * self._num_envs + column
        batch = Batch(
            obs=observations[index],
            act=self.actions.flatten(0, 1)[index],
            rew=self.rewards.flatten()[index],
            returns=self.returns.flatten()[index],
            continues=self.continues[row],
            bootstrap=self.bootstraps[row],
        )
        if not self.never_bootstraps:
            batch.obs_next = after(1)
            batch.obs_later = batch.obs_next if self._n_step == 1 else after(self._n_step)
        return batch, index

    def checkpoint(self, folder: Path) -> tuple[list[str], dict[str, Any]]:
        """Write the rows that are new since the last checkpoint.

        Args:
            folder: Where they go.

        Returns:
            The files that hold the ring, and what ``resume`` needs beside them: the rows that still
            wait for rewards to come among it.
        """
        columns, final = self._columns(), self._added - self._pending
        files = self._shards.write(folder, columns, self._added, final)
        waiting = self._waiting(final)
        return files, {
            "added": self._added,
            "pending": self._pending,
            "never_bootstraps": self.never_bootstraps,
            "waiting": {name: column[waiting] for name, column in columns.items()},
        }

    def resume(self, folder: Path, files: Sequence[str], saved: Mapping[str, Any]) -> None:
        """Bring an empty ring of the same size to where ``checkpoint`` was called."""
        self._added, self._pending = saved["added"], saved["pending"]
        self.never_bootstraps = saved["never_bootstraps"]
        columns = self._columns()
        self._shards.read(folder, files, columns, self._added)
        waiting = self._waiting(self._added - self._pending)
        for name, values in saved["waiting"].items():
            columns[name][waiting] = values.to(columns[name].device)

    def _waiting(self, final: int) -> Tensor:
        return torch.arange(final, self._added, device=self.returns.device) % self._rows

    def _columns(self) -> dict[str, Tensor]:
        return {
            "observations": self.observations,
            "actions": self.actions,
            "rewards": self.rewards,
            "continues": self.continues,
            "returns": self.returns,
            "bootstraps": self.bootstraps,
        }
