"""Scenario sampling, the batched step, and its Gymnasium skins."""

from envs.simulation.scenarios import Scenarios, sample_scenarios

__all__ = ["Scenarios", "sample_scenarios"]
