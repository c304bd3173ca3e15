"""``gdm_shac`` and ``mlp_shac``: policies learnt through the gradients of the simulation itself."""

from typing import Any

from agents.actor_critic.policy import BoundedPolicy
from agents.gdm.policy import FlowPolicy
from agents.mlp import DeterministicPolicy
from agents.shac.agent import ShortHorizonAgent

NONE = (0.0, 0.0)
"""Exploration: the gradient is exact without."""

__all__ = ["GDMSHAC", "MLPSHAC", "ShortHorizonAgent"]


class GDMSHAC(ShortHorizonAgent):
    """The few-step flow policy of ``gdm`` from no noise: gradients run through its chain too."""

    def __init__(self, *, steps: int, time_size: int, **values: Any) -> None:
        """Build the agent.

        Args:
            steps: Network evaluations for an action.
            time_size: Components of the embedding of time.
            **values: See ``ShortHorizonAgent``.
        """
        self._chain = {"steps": steps, "time_size": time_size}
        super().__init__(**values)

    def _policy(self, **sizes: int) -> BoundedPolicy:
        return FlowPolicy(
            self.observation_size,
            self.action_size,
            exploration=NONE,
            generator=self.generator,
            **self._chain,
            **sizes,
        )


class MLPSHAC(ShortHorizonAgent):
    """A deterministic network in its place: what diffusion adds is what this lacks."""

    def _policy(self, **sizes: int) -> BoundedPolicy:
        return DeterministicPolicy(
            self.observation_size,
            self.action_size,
            exploration=NONE,
            generator=self.generator,
            **sizes,
        )
