"""What a folder claims is tested, and nothing it says is run."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from benchmark.problems import agent_values
from benchmark.seal import seal
from tests.trust.conftest import ROOT, SMALL, benchmark, example


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text())


def change_json(folder: Path, name: str, **values: object) -> None:
    (folder / name).write_text(json.dumps({**read(folder, name), **values}))
    seal(folder)


def change_config(folder: Path, *path: str, value: object) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    inner = config
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    seal(folder)


def change_weights(folder: Path, change) -> None:
    path = folder / "weights" / "weights.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    seal(folder)


def change_episodes(folder: Path, change) -> None:
    with (folder / "episodes.csv").open() as file:
        rows = list(csv.reader(file))
    change(rows)
    with (folder / "episodes.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    seal(folder)


def scale_objective(scenario: int, factor: float):
    def change(rows: list[list[str]]) -> None:
        rows[scenario + 1][1] = repr(float(rows[scenario + 1][1]) * factor)

    return change


def test_a_run_is_equal_to_the_digit_on_the_machine_that_made_it(run, command):
    code, out, err = command("verify", run)
    assert code == 0, err
    assert "same machine, versions and code" in out and "badge: re-evaluated" in out
    verification = read(run, "verification.json")
    assert verification["badge"] == "re-evaluated"
    assert verification["max_relative_difference"] == 0 and verification["scenarios"] == 40
    assert verification["verified_at"] and verification["machine"] and verification["versions"]


def test_training_again_gives_the_same_episodes_and_the_highest_badge(run, command):
    code, _, err = command("verify", run, "--retrain")
    assert code == 0, err
    verification = read(run, "verification.json")
    assert verification["badge"] == "retrained"
    assert verification["retrained"]["max_relative_difference"] == 0


def test_weights_that_another_training_gave_are_no_retraining(run, command):
    change_config(run, "seed", value=5)
    code, _, err = command("verify", run, "--retrain")
    assert code == 1 and "trained again" in err
    assert read(run, "verification.json")["badge"] == "re-evaluated"


def test_the_first_scenario_that_differs_is_named_and_the_badge_withdrawn(run, command):
    change_episodes(run, scale_objective(7, 0.5))
    code, _, err = command("verify", run)
    assert code == 1 and "1 of 40 scenarios differ; the first is scenario 7: objective_g" in err
    assert read(run, "verification.json")["badge"] == "self-reported"


def test_the_last_digit_counts_here_and_a_millionth_elsewhere(run, command):
    change_episodes(run, scale_objective(3, 1 + 1e-9))
    assert command("verify", run)[0] == 1
    change_json(run, "manifest.json", versions={"python": "3.11.0"})
    code, out, err = command("verify", run)
    assert code == 0, err
    assert "made elsewhere" in out and "python 3.11.0, here" in out
    assert 0 < read(run, "verification.json")["max_relative_difference"] < 1e-6
    change_episodes(run, scale_objective(3, 1 + 1e-5))
    assert command("verify", run)[0] == 1


@pytest.mark.parametrize("figure", ["objective_g", "score", "gap_closed", "violated_share"])
def test_a_figure_that_its_own_episodes_do_not_give_is_found(run, command, figure):
    change_json(run, "result.json", **{figure: 0.9876})
    code, _, err = command("verify", run)
    assert code == 1 and f"result.json reports {figure} 0.9876" in err


def altered_file(folder):
    with (folder / "result.json").open("a") as file:
        file.write(" ")


def link(folder):
    (folder / "manifest.json").rename(folder.parent / "elsewhere.json")
    (folder / "manifest.json").symlink_to(folder.parent / "elsewhere.json")


def pipe(folder):
    (folder / "episodes.csv").unlink()
    os.mkfifo(folder / "episodes.csv")


def giant(folder):
    with (folder / "config.yaml").open("ab") as file:
        file.truncate(10**12)


def outside(folder):
    with (folder / "SHA256SUMS").open("a") as file:
        file.write("0" * 64 + "  ../secret.json\n")


def pickled(folder):
    (folder / "weights" / "model.pkl").write_bytes(b"cos\nsystem\n")


def not_finite(folder):
    change_weights(folder, lambda tensors: next(iter(tensors.values())).fill(np.nan))


def another_shape(folder):
    def change(tensors):
        name = next(name for name, tensor in tensors.items() if tensor.size > 1)
        tensors[name] = np.zeros(1, np.float32)

    change_weights(folder, change)


def cut_off(folder):
    path = folder / "weights" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    seal(folder)


def aliases(folder):
    with (folder / "config.yaml").open("a") as file:
        file.write("bomb: &a [1]\nagain: [*a, *a]\n")
    seal(folder)


def tagged(folder):
    with (folder / "config.yaml").open("a") as file:
        file.write("evil: !!python/object/apply:os.system ['true']\n")
    seal(folder)


def nested(folder):
    change_config(folder, "agent", "network", value={"_target_": "os.getcwd"})


def crowd(folder):
    asked = {**agent_values("mlp_shac"), "width": 32, "num_envs": 10**9}
    change_config(folder, "agent", value=asked)


REFUSED = {
    altered_file: "is not the file whose digest is in SHA256SUMS",
    link: "it is a link",
    pipe: "expected a file",
    giant: "expected at most 262,144 bytes",
    outside: "names no file of a submission",
    pickled: "weights are files that end in .safetensors or .json",
    not_finite: "holds values that are not finite",
    another_shape: "cannot be loaded: ValueError: weights/weights.safetensors",
    cut_off: "expected safetensors",
    aliases: "anchor &a",
    tagged: "expected",
    crowd: "agent.num_envs: expected at most 65,536",
    nested: "agent.network: expected a number, a word, or a list of them",
    lambda f: (f / "manifest.json").unlink(): "manifest.json is missing",
    lambda f: change_config(f, "agent", "_target_", value="os.system"): "--allow os.system",
    lambda f: change_config(f, "agent", "_partial_", value=True): "agent._partial_",
    lambda f: change_config(f, "agent", "policy", value="x"): "policy: in the file or among",
    lambda f: change_config(f, "agent", "network", value=[10**6] * 9): "networks of at most",
    lambda f: change_config(f, "agent", "batch_size", value="x"): "cannot be made",
    lambda f: change_config(f, "seed", value=-1): "seed: expected a whole number",
    lambda f: change_config(f, "env", "name", value="../x"): "there is no problem '../x'",
    lambda f: change_config(f, "env", "spec", value="/etc/passwd"): "problem.yaml is missing",
    lambda f: change_config(
        f, "env", "processes", value={"gain": {"trace": "/etc/passwd"}}
    ): "expected the plain name of a file",
    lambda f: change_config(f, "env", "parameters", value={"power": 2}): "unknown-name",
    lambda f: change_config(
        f, "protocol", "test_scenarios", value=10**12
    ): "protocol.test_scenarios: expected at most 100,000",
    lambda f: change_config(f, "protocol", "test_scenarios", value=41): "expected 41 scenarios",
    lambda f: change_json(f, "result.json", digest="0" * 64): "it was made on problem 000000000000",
    lambda f: change_episodes(f, lambda rows: rows[2].__setitem__(1, "nan")): "expected a number",
    lambda f: change_episodes(f, lambda rows: rows[2].pop()): "line 3 has",
    lambda f: change_episodes(f, lambda rows: rows.reverse()): "expected columns scenario",
    lambda f: change_episodes(f, lambda rows: rows[1].__setitem__(0, "7")): "expected scenario 0",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: REFUSED[change][:40])
def test_a_folder_that_is_not_sound_is_refused_with_one_clear_error(run, command, change):
    (run / "verification.json").write_text('{"badge": "retrained"}')
    change(run)
    code, _, err = command("verify", run)
    assert code == 2 and err.startswith("benchmark: ") and "Traceback" not in err, err
    assert REFUSED[change] in err
    # A badge that came with the folder is none.
    assert not (run / "verification.json").exists()


def test_a_damaged_agent_file_is_refused(run, command):
    (run / "weights" / "agent.json").write_text("[" * 100_000)
    seal(run)
    code, _, err = command("verify", run)
    assert code == 2 and "expected JSON" in err


def test_a_folder_that_is_not_there_or_not_finished_is_told(tmp_path, command):
    assert "there is no folder" in command("verify", tmp_path / "nowhere")[2]
    unfinished = tmp_path / "seed0-abc.partial"
    unfinished.mkdir()
    code, _, err = command("verify", unfinished)
    assert code == 2 and "is not finished" in err


def test_the_documented_agent_is_short_learns_and_is_verified_when_the_user_allows_it(
    place, command, monkeypatch
):
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    assert len(example().splitlines()) <= 60
    (folder,) = (place / "results" / "channels" / "my_agent.Linear").iterdir()
    result = read(folder, "result.json")
    assert result["agent"] == "my_agent.Linear" and result["env_steps"] >= 640
    assert "elite: 0.3" in (folder / "config.yaml").read_text()
    code, _, err = command("verify", folder)
    assert code == 2 and "--allow my_agent.Linear" in err
    code, _, err = command("verify", folder, "--allow", "my_agent.Linear", "--retrain")
    assert code == 0, err
    assert read(folder, "verification.json")["badge"] == "retrained"


def test_a_spec_of_ones_own_is_part_of_the_submission(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    library = ROOT / "envs" / "library" / "channels.yaml"
    (tmp_path / "mine.yaml").write_text(library.read_text())
    code, _, err = command("run", "env=spec", "env.spec=mine.yaml", "agent=ppo", *SMALL)
    assert code == 0, err
    (folder,) = tmp_path.glob("results/*/ppo/seed0-*")
    (tmp_path / "mine.yaml").unlink()
    code, _, err = command("verify", folder)
    assert code == 0, err
    assert "problem.yaml" in (folder / "SHA256SUMS").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["gdm", "gdm_paper", "mlp", "sac", "td3", "gdm_shac", "constant"])
def test_every_agent_of_the_suite_can_be_retrained_to_the_digit(agent, tmp_path):
    size = ("protocol.env_steps=4096",) if agent != "constant" else ()
    done = benchmark("run", "env=channels", f"agent={agent}", *SMALL, *size, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "results" / "channels" / agent).iterdir()
    verified = benchmark("verify", str(folder), "--retrain", cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert read(folder, "verification.json")["badge"] == "retrained"
