"""Tuning is equal for every agent, loses nothing, and never meets what agents are judged on."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from benchmark import training, tuning
from benchmark.errors import EXIT_FAILED, BenchmarkError
from benchmark.options import option_names
from benchmark.problems import agent_values
from benchmark.tuning_space import read_space, shipped_point, shipped_space
from tests.trust.conftest import ROOT

LEARNERS = ("gdm", "gdm_paper", "mlp", "ppo", "sac", "td3")
STUDY = ("env=channels", "agent=ppo", "trials=6", "seeds=1", "startup_trials=2")


class Trainings:
    """Stands for training: J falls along the curve to a figure of the trial's own values."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.fate: dict[int, BaseException] = {}

    def __call__(self, problem, protocol, agent, seed, scale, title, publish):
        number = len(self.rates)
        self.rates.append(agent._rates[1])
        assert seed >= 1_000_000
        curve = SimpleNamespace(rows=[])
        for point in range(6):
            final_g = 1 + abs(math.log10(agent._rates[1]) + 3.2)
            curve.rows.append({"objective_g": final_g + 5 - point})
            if point == 1 and number in self.fate:
                raise self.fate[number]
            publish(curve)
        return SimpleNamespace(curve=curve)


@pytest.fixture
def trainings(monkeypatch, tmp_path) -> Trainings:
    monkeypatch.chdir(tmp_path)
    trainings = Trainings()
    monkeypatch.setattr(tuning, "train", trainings)
    monkeypatch.setattr(tuning, "scale_of", lambda *_: 1.0)
    return trainings


def rows(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.glob("results/tuning/channels/ppo-*/trials.csv")
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("agent", LEARNERS)
def test_every_learner_has_six_dimensions_around_its_shipped_values(agent):
    values = agent_values(agent)
    space = read_space(shipped_space(agent)["space"], values)
    assert len(space) == 6
    point = shipped_point(space, values)
    assert all(one.low <= point[one.name] <= one.high for one in space)


def test_every_learner_has_a_space_and_equal_names_have_equal_bounds():
    assert set(option_names("tune")) == set(LEARNERS)
    bounds: dict[str, list] = {}
    for agent in LEARNERS:
        for name, entry in shipped_space(agent)["space"].items():
            bounds.setdefault(name, []).append(entry)
    assert all(entry == entries[0] for entries in bounds.values() for entry in entries)


@pytest.mark.parametrize("agent", LEARNERS)
def test_tuned_values_lie_in_the_space_and_nothing_else_was_changed(agent):
    shipped, tuned = agent_values(agent), agent_values(f"offload_paper/{agent}")
    space = read_space(shipped_space(agent)["space"], tuned)  # refuses what lies outside
    for dimension in space:
        name = dimension.name.partition("[")[0]
        shipped.pop(name, None), tuned.pop(name, None)
    assert tuned == shipped
    text = (ROOT / "conf" / "agent" / "offload_paper" / f"{agent}.yaml").read_text()
    assert text.startswith("# Tuned on offload_paper") and "none of which is reported" in text


def test_the_shipped_values_are_the_first_trial_and_all_trials_are_kept(trainings, command):
    code, out, err = command("tune", *STUDY)
    assert code == 0, err
    found = rows(Path())
    assert len(found) == 6
    assert float(found[0]["learning_rate"]) == agent_values("ppo")["learning_rate"]
    assert found[0]["state"] == "done" and float(found[0]["objective_g_seed1000000"]) > 0
    assert "* the shipped values" in out and "6 of 6 trials" in out
    shown = command("tune", *STUDY, "--show")[1]
    assert shown.splitlines()[-3:] == out.splitlines()[-3:]


def test_a_study_goes_on_as_if_it_had_not_been_interrupted(trainings, command, tmp_path):
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    command("tune", *STUDY, "results=whole/results")
    undisturbed = list(trainings.rates)
    trainings.rates.clear()
    trainings.fate = {2: KeyboardInterrupt()}
    code, _, err = command("tune", *STUDY, "results=broken/results")
    assert code == 130 and "interrupted" in err
    trainings.fate = {}
    assert command("tune", *STUDY, "results=broken/results")[0] == 0
    assert trainings.rates[2] == trainings.rates[3]  # the trial that was lost is run again
    assert trainings.rates[:2] + trainings.rates[3:] == undisturbed
    values = {
        name: sorted(row["validation_objective_g"] for row in rows(tmp_path / name))
        for name in ("whole", "broken")
    }
    assert [row["state"] for row in rows(tmp_path / "broken")].count("lost") == 1
    assert [v for v in values["broken"] if v] == [v for v in values["whole"] if v]


def test_a_trial_that_breaks_down_is_failed_with_its_reason_and_never_the_best(trainings, command):
    trainings.fate = {
        0: BenchmarkError("the objective of validation scenario 3 is not finite", EXIT_FAILED),
        1: ValueError("Expected parameter loc to be finite"),
    }
    code, out, err = command("tune", *STUDY)
    assert code == 0, err
    found = rows(Path())
    assert [row["state"] for row in found[:2]] == ["failed", "failed"]
    assert found[0]["validation_objective_g"] == "" and "not finite" in found[0]["reason"]
    assert "the shipped values did not finish" in out
    assert "trial 1 failed: ValueError" in out


def test_pruned_trials_are_kept_and_the_shipped_values_are_seen_to_the_end(trainings, command):
    command("tune", *STUDY, "trials=12")
    found = rows(Path())
    assert found[0]["state"] == "done" and len(found) == 12
    pruned = [row for row in found if row["state"] == "pruned"]
    assert pruned and all(row["validation_objective_g"] == "" for row in pruned)
    assert all(float(row["last_objective_g"]) > 1 for row in pruned)


def test_the_proposal_is_the_agents_file_with_the_best_values_and_where_they_come_from(
    trainings, command
):
    assert command("tune", *STUDY, "--propose")[0] == 2  # there is no study yet
    command("tune", *STUDY)
    code, out, err = command("tune", *STUDY, "--propose")
    assert code == 0, err
    (path,) = Path().glob("results/tuning/channels/ppo-*/ppo.yaml")
    assert str(path) in out
    text = path.read_text()
    for fact in ("6 trials", "study", "seeds 1000000 to 1000000", "validation j", "channels"):
        assert fact in text.splitlines()[0:4].__str__().lower()
    proposed, shipped = (
        yaml.safe_load(text),
        yaml.safe_load((ROOT / "conf/agent/ppo.yaml").read_text()),
    )
    best = min(
        (row for row in rows(Path()) if row["state"] == "done"),
        key=lambda row: float(row["validation_objective_g"]),
    )
    assert proposed["learning_rate"] == pytest.approx(float(best["learning_rate"]), rel=0.01)
    searched = set(shipped_space("ppo")["space"])
    assert {name for name in shipped if shipped[name] != proposed[name]} <= searched
    assert proposed.keys() == shipped.keys()


def test_only_training_and_validation_scenarios_are_met(monkeypatch, tmp_path, command):
    import envs

    monkeypatch.chdir(tmp_path)
    splits: list[str] = []
    make, evaluate = envs.make_vector, training.evaluate

    def making(problem, **values):
        splits.append(values["split"])
        return make(problem, **values)

    def evaluating(problem, act, scenarios, split):
        splits.append(split)
        return evaluate(problem, act, scenarios, split)

    monkeypatch.setattr(envs, "make_vector", making)
    monkeypatch.setattr(training, "evaluate", evaluating)
    small = (
        "trials=2",
        "seeds=1",
        "env.num_envs=32",
        "env.validation_scenarios=16",
        "protocol.env_steps=128",
        "protocol.reward_scale_scenarios=64",
    )
    code, _, err = command("tune", "env=channels", "agent=ppo", *small)
    assert code == 0, err
    assert set(splits) == {"train", "validation"}
    # What a real search cost is kept with every trial.
    found = rows(tmp_path)
    assert [row["state"] for row in found] == ["done", "done"]
    assert all(float(row["seconds"]) > 0 and row["code_version"] for row in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("agent=random",), "there is no space to search for agent=random; known: gdm"),
        (("agent=ppo", "trials=0"), "trials must be a whole number above 0"),
        (("agent=ppo", "trails=3"), "did you mean 'trials'?"),
        (("agent=ppo", "agent.learning_rate=1"), "is the first trial, and must lie in"),
        (("agent=ppo", "--show"), "there is no study with these values"),
        (("agent=ppo", "--show", "--propose"), "choose one of --show and --propose"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(trainings, command, arguments, message):
    code, _, err = command("tune", "env=channels", *arguments)
    assert code == 2 and message in err, err
    assert not Path("results").exists()


def test_a_sweep_gives_each_agent_its_own_space(trainings, command):
    trainings.fate = {0: ValueError("no matter"), 1: ValueError("no matter")}
    code, out, err = command("tune", "-m", "env=channels", "agent=ppo,td3", "trials=1", "seeds=1")
    assert code == 0, err
    assert "2 of 2 runs are done" in out
    studies = {path.name.split("-")[0] for path in Path().glob("results/tuning/channels/*")}
    assert studies == {"ppo", "td3"}
