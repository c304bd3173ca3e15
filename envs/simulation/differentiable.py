"""The vector environment on tensors: gradients flow from rewards back to actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium

from envs.problem import Problem
from envs.simulation.batch import to_numpy
from envs.simulation.vector import ProblemVectorEnv

if TYPE_CHECKING:
    from torch import Tensor


class DifferentiableVectorEnv(ProblemVectorEnv):
    """Many scenarios of a problem, simulated by torch.

    Beside the steps on arrays that every vector environment has, it steps on tensors: what follows
    from an action, in this step and in later ones, is a differentiable function of it. Whole
    numbers pass gradients straight through where the problem says so.
    """

    def __init__(self, problem: Problem, num_envs: int = 1, **options: Any) -> None:
        """Make the environments; see `ProblemVectorEnv` for the options, but the backend."""
        super().__init__(problem, num_envs, **{**options, "backend": "torch"})

    def observed(self) -> Tensor:
        """What is observed now, float32 of shape ``(num_envs, observation_size)``."""
        seen: Tensor = self.simulation.observation.float()
        return seen

    def step_tensors(self, actions: Tensor) -> tuple[Tensor, bool]:
        """Act on tensors, with gradients.

        Args:
            actions: ``(num_envs, action_size)`` in [-1, 1].

        Returns:
            Rewards, float32 of shape ``(num_envs,)``, and whether the episodes ended. New ones have
            then begun: `observed` is the first observation of those.
        """
        if not self._started:
            raise gymnasium.error.ResetNeeded("call reset() before step_tensors()")
        simulation = self.simulation
        self._last.before(to_numpy(actions))
        ended = simulation.step(actions)
        rewards: Any = -(simulation.carbon_g + simulation.penalty_g) / self.reward_scale
        if ended:
            simulation.reset()
        return rewards.float(), ended

    def cut(self) -> None:
        """Let what follows lead back to this moment and no further."""
        self.simulation.cut()
