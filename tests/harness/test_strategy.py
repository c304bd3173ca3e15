"""Conditions and decisions are paired, binned and ranked as promised."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.pictures import draw_strategy
from benchmark.strategy import (
    StrategyRecorder,
    base_names,
    bin_by,
    choose_conditions,
    explained,
    pair,
)


class World:
    """Power follows the gain of its own user; the clock says nothing."""

    action_names = ("power[0]", "power[1]")
    observation_names = ("gain[0]", "gain[1]", "ci", "clock")

    def __init__(self) -> None:
        draws = np.random.default_rng(0)
        self.gain, self.ci = draws.random((40, 2)), draws.random(40)

    def quantities(self, names):
        known = {"power": 2 * self.gain, "gain": self.gain, "ci": self.ci}
        return {name: known[name] for name in names}


def recorded() -> StrategyRecorder:
    recorder = StrategyRecorder(World())
    for step in range(3):
        world = World()
        observation = np.hstack((world.gain, world.ci[:, None], np.full((40, 1), step)))
        recorder(world, observation.astype(np.float32), {"carbon_g": world.gain.sum(1)})
    return recorder


def test_components_belong_to_one_quantity():
    assert base_names(("gain[0]", "gain[u,1]", "ci")) == ["gain", "ci"]


def test_a_condition_without_a_name_of_its_own_is_shown_as_it_was_observed():
    recorder = recorded()
    assert recorder.scaled("clock") and not recorder.scaled("gain")
    assert recorder.values("clock").shape == (3, 40)
    assert recorder.values("power").shape == (3, 40, 2)


def test_the_channel_comes_first_then_the_grid_then_what_decisions_depend_on():
    chosen = choose_conditions(recorded(), ["power"], {"ci": "gCO2e/kWh"}.get)
    assert chosen == ["gain", "ci", "clock"]


def test_quantities_of_one_index_are_paired_element_by_element():
    power, gain = pair(np.ones((2, 3, 4)), np.zeros((2, 3, 4)))
    assert power.shape == gain.shape == (24,)
    condition, quantity = pair(np.arange(6.0).reshape(2, 3), np.zeros((2, 3, 4)))
    assert condition.shape == quantity.shape and condition[3] == 0 and condition[4] == 1
    assert pair(np.ones((2, 3, 5)), np.ones((2, 3)))[0].shape == (6,)


def test_bins_hold_equal_counts_and_their_means():
    curve = bin_by(np.arange(120.0), 3 * np.arange(120.0), bins=12)
    assert curve.at.size == 12
    assert curve.mean == pytest.approx(3 * curve.at)
    assert np.all(curve.low <= curve.mean) and np.all(curve.mean <= curve.high)


def test_few_values_are_bins_of_their_own():
    curve = bin_by(np.array([1.0, 1.0, 4.0]), np.array([2.0, 4.0, 9.0]))
    assert curve.at.tolist() == [1, 4] and curve.mean.tolist() == [3, 9]


def test_the_correlation_ratio_is_one_for_a_function_and_about_zero_for_noise():
    draws = np.random.default_rng(1)
    condition = draws.integers(0, 5, 3000).astype(float)
    assert explained(condition, condition**2) == pytest.approx(1)
    assert explained(condition, draws.random(3000)) < 0.01
    assert explained(condition, np.ones(3000)) == 0


def test_the_picture_is_drawn_with_and_without_a_rival(tmp_path):
    recorder = recorded()
    unit_of = {"power": "W"}.get
    draw_strategy(tmp_path / "alone.png", "gdm", recorder, None, unit_of)
    draw_strategy(tmp_path / "both.png", "gdm", recorder, ("rule", recorder), unit_of)
    for name in ("alone.png", "both.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
