"""The protocol: what is frozen stays frozen, and a run is judged in every way it says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import envs
from benchmark.conditions import conditions_of
from benchmark.errors import BenchmarkError
from benchmark.evaluation import evaluate, reward_scale
from benchmark.options import option_names
from benchmark.protocol import Protocol, Variant, frozen, selected_point
from benchmark.scoring import compare, placement
from benchmark.statistics import Values
from benchmark.variants import judge
from tests.harness.conftest import SMALL, bench  # noqa: F401  (a fixture)

MEANING = Path(__file__).parent / "protocol_v1.json"
PROBLEM = Path(__file__).parent / "protocol_v1.yaml"
VALUES = {
    "name": "test",
    "env_steps": 1,
    "num_envs": 1,
    "test_scenarios": 1,
    "ood_scenarios": 1,
    "validation_scenarios": 1,
    "evaluations": 1,
    "reward_scale_scenarios": 1,
    "reference_env_steps": 1,
    "variants": [],
}


@pytest.mark.parametrize("env", sorted(frozen()["v1"]))
def test_the_published_conditions_of_a_problem_are_what_its_files_say(env):
    assert conditions_of("v1", env) == frozen()["v1"][env], (
        f"the conditions of v1 on {env} have changed: publish them as a new version"
    )


def test_every_shipped_problem_has_published_conditions():
    missing = set(option_names("env")) - set(frozen()["v1"])
    assert not missing, f"publish their conditions: python scripts/freeze.py v1 ({missing})"


def meaning() -> dict[str, object]:
    """What v1 means, in figures: scenarios, J, scale, score, comparison and selection."""
    problem = envs.load(PROBLEM)

    def fixed(observation: np.ndarray, env: object) -> np.ndarray:
        # Low enough that demand is missed here and there, so that scenarios differ.
        return np.full((len(observation), len(problem.action_names)), -0.7, np.float32)

    played = {split: evaluate(problem, fixed, 3, split) for split in ("validation", "test", "ood")}
    worse, objective, better = (np.linspace(a, b, 50) for a, b in ((9, 11), (5, 6), (2, 3)))
    curve: list[dict[str, float]] = [{"objective_g": g} for g in (4.0, 2.0, 3.0, 2.0, 5.0)]
    found: dict[str, object] = {
        split: {
            "objective_g": figures(episodes.objective_g),
            "violated_share": episodes.violated,
        }
        for split, episodes in played.items()
    }
    return {
        **found,
        "reward_scale_g": float(f"{reward_scale(problem, 16, 0):.8g}"),
        "score": float(f"{placement(worse, objective, better).value:.8g}"),
        "beats": compare("row", worse, objective).as_dict()["beats"],
        "refused": placement(worse, objective, worse - 0.01 * (np.arange(50) - 20)).value is None,
        "selected": selected_point(curve),
    }


def figures(values: Values) -> list[float]:
    return [float(f"{value:.8g}") for value in values]


def test_what_v1_means_is_what_it_meant_when_it_was_published():
    assert meaning() == json.loads(MEANING.read_text()), (
        "v1 no longer means what it did: keep what it meant, or publish a new version"
    )


def test_the_selected_checkpoint_is_the_last_of_the_least_means():
    curve = [{"objective_g": value} for value in (3.0, 1.0, 2.0, 1.0, 4.0)]
    assert selected_point(curve) == 3


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (["final.greedy.test"], "unknown action 'greedy'"),
        (["test"], "must be like selected.deterministic.ood"),
        (["final.deterministic.test"], "is the headline"),
        ("final.stochastic.test", "must be a list"),
    ],
)
def test_a_variant_that_is_none_is_refused_by_name(variants, message):
    with pytest.raises(BenchmarkError, match=message):
        Protocol.from_config({**VALUES, "variants": variants})


def test_a_variant_that_is_named_twice_is_judged_once():
    twice = ["final.stochastic.ood"] * 2
    protocol = Protocol.from_config({**VALUES, "variants": twice})
    assert protocol.variants == (Variant("final", "stochastic", "ood"),)
    assert protocol.as_dict()["variants"] == twice[:1]


EVERY = (
    "[final.stochastic.test,final.deterministic.ood,selected.deterministic.test,"
    "selected.stochastic.ood]"
)


@pytest.fixture(scope="module")
def judged(bench, tmp_path_factory):  # noqa: F811
    place = tmp_path_factory.mktemp("judged")
    choose = f"protocol.variants={EVERY}"
    done = bench(
        "run",
        "env=channels",
        "agent=closed",
        *SMALL,
        "protocol.ood_scenarios=40",
        choose,
        cwd=place,
    )
    assert done.returncode == 0, done.stderr
    (folder,) = (place / "results" / "channels" / "closed").iterdir()
    return folder, json.loads((folder / "result.json").read_text())


def test_a_run_is_judged_in_every_way_its_protocol_says(judged):
    folder, result = judged
    names = [".".join(v[k] for k in ("checkpoint", "action", "split")) for v in result["variants"]]
    assert names == EVERY.strip("[]").split(",")
    with (folder / "variants.csv").open() as file:
        rows = list(csv.DictReader(file))
    for variant in result["variants"]:
        own = [
            float(row["objective_g"])
            for row in rows
            if all(row[k] == variant[k] for k in ("checkpoint", "action", "split"))
        ]
        assert len(own) == variant["scenarios"] == (40 if variant["split"] == "ood" else 5_000)
        assert np.mean(own) == pytest.approx(variant["objective_g"])
        assert variant["versus_base"]["against"] == result["base"]
        assert (variant["gap_closed"] is None) == (variant["split"] == "ood")


def test_weights_that_were_selected_and_are_the_last_have_the_headlines_figures(judged):
    _, result = judged
    (same,) = [
        v for v in result["variants"] if v["checkpoint"] == "selected" and v["split"] == "test"
    ]
    assert same["env_steps"] == result["env_steps"]
    assert same["objective_g"] == result["objective_g"]


def test_selected_weights_that_could_not_be_kept_are_left_out_and_told(tmp_path, capsys):
    variants = [Variant("selected", "deterministic", "test")]
    run = SimpleNamespace(protocol=SimpleNamespace(variants=variants))
    taken_at = {"final": 2, "selected": 1}
    assert judge(run, None, None, tmp_path / "selected", taken_at) == {}  # type: ignore[arg-type]
    assert "selected.deterministic.test is left out" in capsys.readouterr().err


def test_changed_conditions_are_told_from_published_ones(judged):
    _, result = judged
    assert result["protocol"] == "quick" and result["frozen"] is False
    assert result["conditions"] != conditions_of("quick", "channels")
