"""The off-policy agents are tianshou algorithms, not look-alikes."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from tianshou.algorithm.algorithm_base import OffPolicyAlgorithm, Policy
from tianshou.algorithm.modelfree.ddpg import ActorCriticOffPolicyAlgorithm
from tianshou.data import Collector, CollectStats, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OffPolicyTrainerParams

from tests.agents.stubs import Channels
from tests.agents.test_contract import make

NAMES = ("gdm", "gdm_paper", "mlp")


class Walk(gymnasium.Env):
    """Ten steps towards the origin."""

    observation_space = spaces.Box(-np.inf, np.inf, (10,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (10,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple:
        super().reset(seed=seed)
        self.at, self.time = self.np_random.normal(size=10), 0
        return self.at.astype(np.float32), {}

    def step(self, action: np.ndarray) -> tuple:
        self.at, self.time = self.at + 0.3 * action, self.time + 1
        reward = -float(np.square(self.at).sum())
        return self.at.astype(np.float32), reward, self.time == 10, False, {}


@pytest.mark.parametrize("name", NAMES)
def test_they_are_subclasses_of_tianshous_own_classes(name: str) -> None:
    agent = make(name, Channels(4))
    assert isinstance(agent.algorithm, ActorCriticOffPolicyAlgorithm | OffPolicyAlgorithm)
    assert isinstance(agent.algorithm.policy, Policy)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("discount", [0.0, 0.95])
def test_tianshous_own_trainer_trains_them(name: str, discount: float) -> None:
    algorithm = make(name, Channels(4), discount=discount).algorithm
    envs = DummyVectorEnv([Walk for _ in range(4)])
    before = {key: value.clone() for key, value in algorithm.policy.named_parameters()}
    collector = Collector[CollectStats](
        algorithm, envs, VectorReplayBuffer(1_000, 4), exploration_noise=True
    )
    algorithm.run_training(
        OffPolicyTrainerParams(
            training_collector=collector,
            max_epochs=1,
            epoch_num_steps=80,
            collection_step_num_env_steps=40,
            update_step_num_gradient_steps_per_sample=0.1,
            batch_size=32,
            test_in_training=False,
        )
    )
    assert algorithm.updates > 0
    after = dict(algorithm.policy.named_parameters())
    assert any(not torch.equal(before[key], after[key]) for key in before)
