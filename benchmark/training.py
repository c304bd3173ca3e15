"""Training alone: an agent learns under a protocol, and nothing is written or tested."""

from collections.abc import Callable
from typing import Any

import envs
from agents import Agent, Budget, Differentiates
from benchmark.evaluation import evaluate
from benchmark.monitor import LearningCurve, LearningMonitor
from benchmark.progress import ProgressBar
from benchmark.protocol import Protocol
from benchmark.references import act_of


def environment(
    problem: envs.Problem,
    protocol: Protocol,
    agent: Agent,
    seed: int,
    reward_scale_g: float,
) -> envs.ProblemVectorEnv:
    """What an agent learns in: a differentiable environment if it asks for one.

    Args:
        problem: What is learnt on.
        protocol: How many environments there are.
        agent: Who will learn.
        seed: Of the training scenarios.
        reward_scale_g: What rewards are divided by.
    """
    options: dict[str, Any] = {"num_envs": protocol.num_envs}
    if isinstance(agent, Differentiates):
        options = {"num_envs": agent.differentiable_envs, "backend": "torch"}
        options["device"] = str(agent.device)
    return envs.make_vector(
        problem, split="train", seed=seed, reward_scale=reward_scale_g, **options
    )


def train(
    problem: envs.Problem,
    protocol: Protocol,
    agent: Agent,
    seed: int,
    reward_scale_g: float,
    title: str,
    publish: Callable[[LearningCurve], None] = lambda curve: None,
) -> LearningMonitor:
    """Let an agent learn, looked at on the validation scenarios as in any run.

    Args:
        problem: What is learnt on.
        protocol: For how long.
        agent: Learns; it is what it has learnt afterwards.
        seed: Of the training scenarios.
        reward_scale_g: What rewards are divided by.
        title: What stands beside the progress.
        publish: Called with the learning curve when it has grown; what it raises ends the training.

    Returns:
        The monitor, with the learning curve up to its last point.
    """
    act = act_of(agent)
    env = environment(problem, protocol, agent, seed, reward_scale_g)
    try:
        with ProgressBar(title, protocol.env_steps) as progress:
            monitor = LearningMonitor(
                protocol,
                lambda: evaluate(problem, act, protocol.validation_scenarios, "validation"),
                progress,
                publish,
            )
            agent.learn(env, Budget(protocol.env_steps), monitor)
            monitor.finish()
    finally:
        env.close()
    return monitor
