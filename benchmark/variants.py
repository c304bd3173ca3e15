"""A finished run judged in the other ways its protocol asks for, beside the headline."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents import Agent
from benchmark.evaluation import Episodes, evaluate
from benchmark.plan import Run
from benchmark.problems import make_agent
from benchmark.protocol import HEADLINE, Variant
from benchmark.references import act_of


def judge(
    run: Run, agent: Agent, headline: Episodes, selected: Path, taken_at: Mapping[str, int]
) -> dict[Variant, Episodes]:
    """Episodes of every variant of the protocol.

    Args:
        run: What was asked for.
        agent: As it is when it has learnt.
        headline: Its episodes on the test scenarios, which are not run again.
        selected: Where the weights of the selected checkpoint lie.
        taken_at: Environment steps of each checkpoint; the same weights are judged once.
    """
    agents = {"final": agent}
    judged = {HEADLINE: headline}
    for variant in run.protocol.variants:
        if taken_at[variant.checkpoint] == taken_at["final"]:
            twin = variant._replace(checkpoint="final")
        else:
            twin = variant
        if twin.checkpoint == "selected" and not selected.is_dir():
            print(f"benchmark: {variant} is left out: no weights in {selected}", file=sys.stderr)
            continue
        if twin.checkpoint not in agents:
            loaded = make_agent(run.values["agent"], run.problem, run.seed, run.device)
            loaded.load(selected / "weights")
            agents[twin.checkpoint] = loaded
        if twin not in judged:
            test = variant.split == "test"
            count = run.protocol.test_scenarios if test else run.protocol.ood_scenarios
            act = act_of(agents[twin.checkpoint], variant.action == "deterministic")
            judged[twin] = evaluate(run.problem, act, count, variant.split)
        judged[variant] = judged[twin]
    return {variant: judged[variant] for variant in run.protocol.variants if variant in judged}


def long_columns(variants: Mapping[Variant, Episodes]) -> dict[str, list[Any]]:
    """One row for each variant and scenario, as ``variants.csv`` holds it."""
    columns: dict[str, list[Any]] = {
        name: [] for name in (*Variant._fields, "scenario", "objective_g", "carbon_g", "penalty_g")
    }
    for variant, episodes in variants.items():
        for name, value in variant._asdict().items():
            columns[name] += [value] * episodes.scenarios.size
        for name in ("objective_g", "carbon_g", "penalty_g"):
            columns[name] += getattr(episodes, name).tolist()
        columns["scenario"] += episodes.scenarios.tolist()
    return columns
