"""Where Stable-Baselines3 stands between two rollouts, without its pickles."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import recursive_getattr
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor

from agents import state
from agents.shards import Shards

_COUNTERS = (
    "num_timesteps",
    "_episode_num",
    "_n_updates",
    "_current_progress_remaining",
)
_ROWS = ("_last_obs", "_last_episode_starts", "_last_original_obs")
_STATISTICS = ("returns", "old_obs", "old_reward")
"""Of ``VecNormalize``, beside its moments."""


class Standing:
    """What distinguishes a moment of a model that learns; take it when a rollout begins.

    A rollout buffer is empty then. Python's, NumPy's and torch's generators belong to it, and the
    one that the space of actions has for itself.
    """

    def __init__(self, model: BaseAlgorithm) -> None:
        """Look at a model that has its environment.

        Args:
            model: Set up for learning.
        """
        self._model = model
        buffer = model.replay_buffer if isinstance(model, OffPolicyAlgorithm) else None
        self._ring: dict[str, Tensor] = {}
        if buffer is not None:
            names = ("observations", "next_observations", "actions", "rewards", "dones")
            # Views: what is written into them is in the buffer.
            self._ring = {name: torch.from_numpy(getattr(buffer, name)) for name in names}
            self._shards = Shards(buffer.buffer_size)
        self._buffer = buffer

    def write(self, folder: Path) -> tuple[list[str], dict[str, Any]]:
        """Write the transitions that are new since the last time.

        Returns:
            The files that hold the replay buffer, and everything else as a tree.
        """
        model, files = self._model, []
        if self._buffer is not None:
            files = self._shards.write(folder, self._ring, self._rows(), self._rows())
        return files, {
            "counters": {name: getattr(model, name) for name in _COUNTERS},
            "rows": {name: getattr(model, name) for name in _ROWS},
            "networks": model.get_parameters(),
            "tensors": {name: recursive_getattr(model, name).detach() for name in self._tensors()},
            "normaliser": self._normaliser(),
            "losses": dict(model.logger.name_to_value),
            "actions": model.action_space.np_random.bit_generator.state,
            "random": state.of_global_random(),
        }

    def read(self, folder: Path, files: Sequence[str], saved: Mapping[str, Any]) -> None:
        """Bring a model that is set up in the same way to the moment that was written."""
        model = self._model
        for name, value in {**saved["counters"], **saved["rows"]}.items():
            setattr(model, name, value)
        model.set_parameters(saved["networks"], exact_match=True, device=model.device)
        with torch.no_grad():
            for name in self._tensors():
                recursive_getattr(model, name).copy_(saved["tensors"][name])
        rows = model.get_vec_normalize_env()
        if rows is not None:
            moments = saved["normaliser"]["moments"]
            rows.ret_rms.mean, rows.ret_rms.var, rows.ret_rms.count = moments
            for name in _STATISTICS:
                setattr(rows, name, saved["normaliser"][name])
        for name, value in saved["losses"].items():
            model.logger.record(name, value)
        if self._buffer is not None:
            self._shards.read(folder, files, self._ring, self._rows())
            size = self._buffer.buffer_size
            self._buffer.pos, self._buffer.full = self._rows() % size, self._rows() >= size
        model.action_space.np_random.bit_generator.state = saved["actions"]
        state.into_global_random(saved["random"])

    def _rows(self) -> int:
        """Rows of transitions since learning began."""
        return int(self._model.num_timesteps) // self._model.n_envs

    def _tensors(self) -> list[str]:
        """Names of the learnt tensors that are in no network: the temperature of SAC."""
        return list(self._model._get_torch_save_params()[1])

    def _normaliser(self) -> dict[str, Any] | None:
        rows: VecNormalize | None = self._model.get_vec_normalize_env()
        if rows is None:
            return None
        moments = rows.ret_rms
        return {
            "moments": (np.float64(moments.mean), np.float64(moments.var), float(moments.count)),
            **{name: getattr(rows, name) for name in _STATISTICS},
        }
