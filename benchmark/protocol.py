"""What every agent is given: how long to learn, and on what it is judged."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from typing import Any, NamedTuple

from benchmark.errors import BenchmarkError, unknown
from benchmark.store import digest

CHECKPOINTS = ("final", "selected")
ACTIONS = ("deterministic", "stochastic")
SPLITS = ("test", "ood")

CONDITIONS = ("num_envs", "transitions_per_update", "width")
"""What a problem's config gives every agent, and what a version therefore freezes too."""

FROZEN = "frozen.json"
"""By version and problem: the digest of the conditions. ``scripts/freeze.py`` adds to it."""


class Variant(NamedTuple):
    """One way to judge a run: which weights, which action, which scenarios."""

    checkpoint: str
    action: str
    split: str

    @classmethod
    def parse(cls, text: object) -> "Variant":
        """Read ``checkpoint.action.split``.

        Raises:
            BenchmarkError: A part is unknown.
        """
        parts = str(text).split(".")
        known = {"checkpoint": CHECKPOINTS, "action": ACTIONS, "split": SPLITS}
        if len(parts) != len(known):
            message = "protocol.variants must be like selected.deterministic.ood, not"
            raise BenchmarkError(f"{message} {text!r}")
        for part, (kind, names) in zip(parts, known.items(), strict=True):
            if part not in names:
                raise BenchmarkError(f"protocol.variants: {unknown(kind, part, names)}")
        return cls(*parts)

    def __str__(self) -> str:
        """As it is written in a config."""
        return ".".join(self)


HEADLINE = Variant("final", "deterministic", "test")
"""What the score of a run is taken on. Every other variant stands beside it."""

RANDOM_POLICY_SEED = 0
"""Of the random actions that measure the reward's scale, the same for every agent and seed."""


@dataclass(frozen=True)
class Protocol:
    """The conditions of a run, the same for every agent on a problem.

    Attributes:
        name: The version, ``v1``, or ``quick``, or your own.
        env_steps: Transitions an agent learns from, over all environments.
        num_envs: Training environments side by side.
        test_scenarios: Held-out episodes the score is taken on: the first of the test split.
        validation_scenarios: Episodes each point of the learning curve is taken on.
        evaluations: Points of the learning curve, after the first.
        reward_scale_scenarios: Episodes of the train split that measure the reward's scale.
        reference_env_steps: Transitions the best constant is sought with, whatever the agent has.
        ood_scenarios: Held-out episodes of the shifted split: the first of it.
        variants: What is judged beside the headline.
    """

    name: str
    env_steps: int
    num_envs: int
    test_scenarios: int
    validation_scenarios: int
    evaluations: int
    reward_scale_scenarios: int
    reference_env_steps: int
    ood_scenarios: int = 500
    variants: tuple[Variant, ...] = ()

    @classmethod
    def from_config(cls, values: Mapping[str, Any]) -> "Protocol":
        """Check what the config says.

        Raises:
            BenchmarkError: A value is missing, or is not a whole number above 0.
        """
        known = {field.name for field in fields(cls)}
        if missing := sorted(known - set(values)):
            raise BenchmarkError(f"the protocol lacks {', '.join(missing)}")
        for name in sorted(known - {"name", "variants"}):
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise BenchmarkError(
                    f"protocol.{name} must be a whole number above 0, not {value!r}"
                )
        listed = values["variants"]
        if isinstance(listed, str) or not isinstance(listed, Sequence):
            raise BenchmarkError(f"protocol.variants must be a list, not {listed!r}")
        variants = dict.fromkeys(Variant.parse(text) for text in listed)  # each once, in order
        if HEADLINE in variants:
            raise BenchmarkError(f"protocol.variants: {HEADLINE} is the headline; leave it out")
        return cls(**{**{name: values[name] for name in known}, "variants": tuple(variants)})

    @property
    def evaluation_interval(self) -> int:
        """Transitions between two points of the learning curve."""
        return max(1, self.env_steps // self.evaluations)

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return {**asdict(self), "variants": [str(variant) for variant in self.variants]}


def conditions_digest(protocol: Protocol, env: Mapping[str, Any]) -> str:
    """What names the conditions of a run: runs with another digest never share a table.

    Args:
        protocol: Resolved.
        env: The resolved values of the problem's config.
    """
    shared = {name: env.get(name) for name in CONDITIONS}
    return digest({"protocol": protocol.as_dict(), "env": shared})[:16]


def is_frozen(protocol: Protocol, env: Mapping[str, Any]) -> bool:
    """Whether a run has exactly the conditions its protocol's version published for the problem."""
    published = frozen().get(protocol.name, {})
    return published.get(str(env.get("name"))) == conditions_digest(protocol, env)


def frozen() -> dict[str, dict[str, str]]:
    """The published conditions: a digest by version and problem."""
    text = (resources.files("benchmark") / FROZEN).read_text()
    return {str(version): dict(problems) for version, problems in json.loads(text).items()}


def selected_point(curve: Sequence[Mapping[str, Any]]) -> int:
    """Which point of the learning curve is the validation-selected checkpoint.

    The rule, fixed beforehand: the least mean validation J; of equals the last. The least of
    several noisy means is lower than what it is the mean of, so that it is never reported: the
    selected weights are judged on held-out scenarios like any others.

    Args:
        curve: Points with ``objective_g``, at least one.
    """
    return min(range(len(curve)), key=lambda at: (curve[at]["objective_g"], -at))
