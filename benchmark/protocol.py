"""What every agent is given: how long to learn, and on what it is judged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmark.errors import BenchmarkError

RANDOM_POLICY_SEED = 0
"""Of the random actions that measure the reward's scale, the same for every agent and seed."""


@dataclass(frozen=True)
class Protocol:
    """The conditions of a run, the same for every agent on a problem.

    Attributes:
        name: ``main`` or ``quick``, or your own.
        env_steps: Transitions an agent learns from, over all environments.
        num_envs: Training environments side by side.
        test_scenarios: Held-out episodes the score is taken on: the first of the test split.
        validation_scenarios: Episodes each point of the learning curve is taken on.
        evaluations: Points of the learning curve, after the first.
        reward_scale_scenarios: Episodes of the train split that measure the reward's scale.
        reference_env_steps: Transitions the best constant is sought with, whatever the agent has.
    """

    name: str
    env_steps: int
    num_envs: int
    test_scenarios: int
    validation_scenarios: int
    evaluations: int
    reward_scale_scenarios: int
    reference_env_steps: int

    @classmethod
    def from_config(cls, values: Mapping[str, Any]) -> "Protocol":
        """Check what the config says.

        Raises:
            BenchmarkError: A value is missing, or is not a whole number above 0.
        """
        known = {field.name for field in fields(cls)}
        if missing := sorted(known - set(values)):
            raise BenchmarkError(f"the protocol lacks {', '.join(missing)}")
        for name in sorted(known - {"name"}):
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BenchmarkError(
                    f"protocol.{name} must be a whole number above 0, not {value!r}"
                )
        return cls(**{name: values[name] for name in known})

    @property
    def evaluation_interval(self) -> int:
        """Transitions between two points of the learning curve."""
        return max(1, self.env_steps // self.evaluations)

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return asdict(self)
