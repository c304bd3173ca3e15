"""The constants of rules: what the tuning script plays is what the shipped rules do."""

import numpy as np
import pytest

import envs
from scripts import tune_heuristics


@pytest.mark.parametrize("name", ["irs", "irs_beamforming", "offload_paper", "v2g"])
def test_a_rule_played_with_its_own_constants_is_the_shipped_rule(name: str) -> None:
    problem, rules = envs.load(name), tune_heuristics.Rules(name)
    shipped = {constant: value for constant, (value, _) in rules.given.items()}
    scenarios, rule = np.arange(5), problem.heuristics[-1]
    env = envs.make_vector(problem, len(scenarios), split="train")
    env.reset(options={"scenarios": scenarios})
    for _ in range(problem.horizon):
        info = env.step(env.heuristic_actions(rule))[4]
    (played,) = rules.play(rule, [shipped], scenarios)
    np.testing.assert_allclose(played, info["totals"]["objective_g"], rtol=1e-9)
    assert rules.constants_of(rule)


def test_candidates_of_a_batch_have_their_own_constants() -> None:
    rules = tune_heuristics.Rules("offload_paper")
    shipped = {constant: value for constant, (value, _) in rules.given.items()}
    other = {**shipped, "fixed_band": 1.3 * shipped["fixed_band"]}
    same, changed, again = rules.play("fixed", [shipped, other, shipped], np.arange(20))
    np.testing.assert_array_equal(same, again)
    assert (changed != same).any()
