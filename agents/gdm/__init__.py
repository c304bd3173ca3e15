"""``gdm``: a generative diffusion model as policy."""

from typing import Any

from agents.actor_critic.agent import ActorCriticAgent, Training
from agents.actor_critic.algorithm import ActorCritic
from agents.actor_critic.policy import ActorPolicy
from agents.gdm.algorithm import GDMAlgorithm
from agents.gdm.policy import FlowPolicy

__all__ = ["GDM", "FlowPolicy", "GDMAlgorithm"]


class GDM(ActorCriticAgent):
    """The few-step flow policy, learnt by candidates, regression and value gradients."""

    def __init__(
        self,
        observation_size: int,
        action_size: int,
        discount: float,
        seed: int,
        device: str = "cpu",
        *,
        steps: int,
        time_size: int,
        actor_depth: int,
        candidates: int,
        candidate_noise: tuple[float, float],
        temperature: float,
        regression: float,
        saturation: float,
        **training: Any,
    ) -> None:
        """Build the agent.

        Args:
            observation_size: Components of an observation.
            action_size: Components of an action.
            discount: Of one environment step; 0 for one-shot problems.
            seed: Decides everything the agent draws.
            device: ``cpu`` or ``cuda``.
            steps: Network evaluations for an action.
            time_size: Components of the embedding of time.
            actor_depth: Hidden layers of the policy's network.
            candidates: See ``GDMAlgorithm``, as for the four that follow.
            candidate_noise: See there.
            temperature: See there.
            regression: See there.
            saturation: See there.
            **training: See ``Training``.
        """
        self._network: dict[str, Any] = {
            "steps": steps,
            "time_size": time_size,
            "depth": actor_depth,
        }
        self._improvement: dict[str, Any] = {
            "candidates": candidates,
            "candidate_noise": tuple(candidate_noise),
            "temperature": temperature,
            "regression": regression,
            "saturation": saturation,
        }
        super().__init__(
            observation_size=observation_size,
            action_size=action_size,
            discount=discount,
            seed=seed,
            device=device,
            training=Training(**training),
        )

    def _policy(self) -> ActorPolicy:
        return FlowPolicy(
            self.observation_size,
            self.action_size,
            exploration=self.training.exploration,
            generator=self._explorer,
            width=self.training.width,
            **self._network,
        )

    def _algorithm(self, policy: ActorPolicy, **values: Any) -> ActorCritic:
        return GDMAlgorithm(policy=policy, **self._improvement, **values)
