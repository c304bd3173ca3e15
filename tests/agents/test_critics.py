"""The scales, the ensemble and the one-step model that the critics are made of."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.actor_critic.critic import Critics, Ensemble
from agents.actor_critic.transition import Transition
from agents.protocol import Budget
from tests.agents.stubs import Storage
from tests.agents.test_contract import Witness, make

OBSERVATION, ACTION = 3, 2


def ensemble(compression: float, members: int = 2, action_size: int = ACTION) -> Ensemble:
    torch.manual_seed(0)
    made = Ensemble(OBSERVATION, action_size, 16, 2, members, compression)
    with torch.no_grad():
        made.head.normal_()
        made.head_bias.normal_()
    return made


def inputs(rows: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return (
        torch.randn(rows, OBSERVATION, generator=random),
        torch.rand(rows, ACTION, generator=random) * 2.0 - 1.0,
    )


@pytest.mark.parametrize("compression", [0.0, 5.0])
def test_values_survive_a_change_of_scale(compression: float) -> None:
    critic, (observations, actions) = ensemble(compression), inputs()
    critic.follow(torch.randn(100) * 3.0 - 5.0, 0.1)
    before = critic.to_reward(critic(observations, actions))
    critic.adopt(critic.mean + 0.7, critic.scale * 0.3)
    after = critic.to_reward(critic(observations, actions))
    assert torch.allclose(before, after, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("compression", [0.0, 5.0])
def test_rewards_and_the_networks_scale_convert_back_and_forth(compression: float) -> None:
    critic, rewards = ensemble(compression), torch.linspace(-100.0, 100.0, 41)
    critic.follow(rewards, 0.1)
    assert torch.allclose(critic.to_reward(critic.from_reward(rewards)), rewards, atol=1e-2)
    assert torch.all(critic.from_reward(rewards).diff() > 0.0)


def test_members_are_independent_networks() -> None:
    critic, (observations, actions) = ensemble(0.0), inputs()
    values = critic(observations, actions)
    (gradient,) = torch.autograd.grad(values[0].sum(), critic.head)
    assert values.shape == (2, 32) and not torch.allclose(values[0], values[1])
    assert gradient[0].any() and not gradient[1].any()


def test_candidates_are_valued_as_if_they_came_alone() -> None:
    critic, (observations, actions) = ensemble(5.0), inputs()
    pool = torch.stack((actions, -actions, 0.5 * actions), dim=1)
    together = critic(observations, pool)
    for candidate in range(3):
        alone = critic(observations, pool[:, candidate])
        assert torch.allclose(together[:, :, candidate], alone, atol=1e-5)


def test_a_target_that_tracks_all_the_way_agrees_with_its_source() -> None:
    source, target, (observations, actions) = ensemble(5.0), ensemble(5.0), inputs()
    source.follow(torch.randn(50) - 4.0, 0.1)
    target.track(source, 1.0)
    assert torch.equal(target(observations, actions), source(observations, actions))
    assert torch.equal(target.scale, source.scale) and torch.equal(target.unit, source.unit)


def test_the_model_finds_what_the_action_moves_and_lets_nothing_else_through() -> None:
    torch.manual_seed(0)
    model = Transition(OBSERVATION, ACTION, 32, 1)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    going_on = torch.ones(128)
    for _ in range(400):  # the first component is moved, the second drifts, the third is weather
        observations, actions = torch.randn(128, OBSERVATION), torch.rand(128, ACTION) * 2.0 - 1.0
        following = observations.clone()
        following[:, 0] += 0.2 * actions[:, 1]
        following[:, 1] += 0.1
        following[:, 2] = torch.randn(128)
        optimiser.zero_grad()
        model.loss(observations, actions, following, going_on, 0.02).backward()
        optimiser.step()
    assert model.influence[0] > 0.8 and model.influence[1:].abs().max() < 0.1
    at = actions.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(model(observations, at)[:, 0].sum(), at)
    assert gradient[:, 1].mean() == pytest.approx(0.2, abs=0.05)


def foreseeing() -> Critics:
    """Critics with foresight; what a step earns is judged with the flag of the last step."""
    torch.manual_seed(0)
    action = Ensemble(OBSERVATION + 1, ACTION, 16, 2, 2, 5.0)
    with torch.no_grad():
        action.head.normal_()
    state = ensemble(0.0, members=1, action_size=0)
    return Critics(action, state, Transition(OBSERVATION, ACTION, 16, 1))


def test_nothing_follows_the_end_of_an_episode() -> None:
    critics, (observations, actions) = foreseeing(), inputs()
    ended, going_on = torch.zeros(32), torch.ones(32)
    at_the_end = critics.flagged(observations, ended)
    reward = critics.action.to_reward(critics.action(at_the_end, actions).mean(0))
    assert torch.allclose(critics(observations, actions, ended), reward)
    assert not torch.allclose(critics(observations, actions, going_on), reward)


def test_what_the_last_step_earns_is_not_smeared_over_the_steps_before() -> None:
    critics, (observations, actions) = foreseeing(), inputs()
    optimiser = torch.optim.Adam(critics.action.parameters(), 1e-2)
    ended = (torch.arange(32) % 8 == 0).float()
    for _ in range(200):
        flagged = critics.flagged(observations, 1.0 - ended)
        error = critics.action(flagged, actions) - 5.0 * ended
        optimiser.zero_grad()
        error.square().mean().backward()
        optimiser.step()
    before = critics.action(critics.flagged(observations, torch.ones(32)), actions)
    after = critics.action(critics.flagged(observations, torch.zeros(32)), actions)
    assert before.abs().mean() < 0.5 < 4.0 < after[:, ended > 0].mean()


@pytest.mark.parametrize("name", ["gdm", "mlp"])
def test_with_foresight_one_seed_gives_one_policy_and_it_can_be_saved(
    name: str, tmp_path: Path
) -> None:
    def trained() -> object:
        agent = make(name, Storage(16), discount=0.99)
        agent.learn(Storage(16), Budget(env_steps=960), Witness())
        return agent

    first, second = trained(), trained()
    assert first.algorithm.critics.model is not None
    for key, value in first.algorithm.named_parameters():
        assert torch.equal(value, dict(second.algorithm.named_parameters())[key]), key
    first.save(tmp_path)
    loaded = make(name, Storage(16), seed=5, discount=0.99)
    loaded.load(tmp_path)
    observation, _ = Storage(8, seed=3).reset()
    for deterministic in (True, False):
        env = Storage(8)
        actions = [agent.act(observation, env, deterministic) for agent in (first, second)]
        assert np.array_equal(*actions)
    assert np.array_equal(loaded.act(observation, env), first.act(observation, env))
