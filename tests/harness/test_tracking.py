"""A tracker can neither end nor hold up a run, and what it was told can be read back."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from benchmark import tracking, tracking_wandb
from benchmark.errors import BenchmarkError
from benchmark.tracking import NoTracker, ProcessTracker, make_tracker, without_secrets

IDENTITY = {"env": "channels", "agent": "gdm", "seed": 3, "key": "0123456789abcdef"}
WANDB = {"name": "wandb", "mode": "offline", "project": "test", "entity": None, "finish_s": 100}
TENSORBOARD = {"name": "tensorboard", "finish_s": 100}
ROWS = [{"env_steps": 10, "objective_g": 2.0}, {"env_steps": 20, "objective_g": 1.5, "loss": 0.25}]
FIGURES = {"objective_g": 1.25, "carbon_g": 1.0, "penalty_g": 0.25, "score": 0.5}
RESULT = {
    "status": "done",
    "agent": "gdm",
    **FIGURES,
    "gap_closed": None,
    "violated_share": 0.0,
    "versus_base": {"difference_g": 0.125, "beats": True},
    "reference_rows": {"random": {**FIGURES, "gap_closed": None, "violated_share": 1.0}},
    "alarms": [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a finished run."""
    folder = tmp_path / "run"
    folder.mkdir()
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    figure.savefig(folder / "learning_curve.png")
    (folder / "episodes.csv").write_text("scenario,objective_g\n0,1.0\n1,1.5\n")
    (folder / "result.json").write_text(json.dumps(RESULT))
    return folder


def tell(settings: dict, folder: Path, root: Path, config: dict | None = None) -> None:
    tracker = make_tracker(settings, IDENTITY, config or {"seed": 3}, root)
    for row in ROWS:
        tracker.log(row)
    tracker.finish(RESULT, folder)


HEADER, BLOCK = 7, 32 * 1024
FIRST, MIDDLE = 2, 3


def records(root: Path) -> list:
    """The records of a run's file, a log like LevelDB's; wandb has no reader in Python."""
    from wandb.proto import wandb_internal_pb2

    (path,) = root.glob("wandb/offline-run-*/*.wandb")
    data, at, whole, found = path.read_bytes(), HEADER, b"", []
    assert data[:4] == b":W&B"
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:  # padding
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind not in (FIRST, MIDDLE):
            found.append(wandb_internal_pb2.Record.FromString(whole))
            whole = b""
    return found


def values_of(items: Iterable) -> dict:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_an_offline_run_of_wandb_holds_all_that_it_was_told(tmp_path, folder, capsys):
    tell(WANDB, folder, tmp_path, {"seed": 3, "agent": {"width": 64}})
    assert capsys.readouterr().err == ""
    found = records(tmp_path)
    (run,) = (record.run for record in found if record.HasField("run"))
    config = values_of(run.config.update)
    assert config["agent"] == {"width": 64} and run.display_name == "channels/gdm seed 3"
    history = [values_of(one.history.item) for one in found if one.HasField("history")]
    assert [row["objective_g"] for row in history if "objective_g" in row] == [2.0, 1.5]
    assert [row["_step"] for row in history][:2] == [10, 20]
    shown = {name: value for row in history for name, value in row.items()}
    assert shown["standing._type"] == "table-file" and shown["standing.nrows"] == 2
    assert shown["episodes.nrows"] == 2
    assert shown["learning_curve._type"] == "image-file"
    (media,) = tmp_path.glob("wandb/offline-run-*/files/media/images/learning_curve*.png")
    assert media.read_bytes() == (folder / "learning_curve.png").read_bytes()
    told = [values_of(one.summary.update) for one in found if one.HasField("summary")]
    summary = {name: value for values in told for name, value in values.items()}
    assert summary["score"] == 0.5 and "gap_closed" not in summary
    artifacts = [
        record.request.log_artifact.artifact if record.HasField("request") else record.artifact
        for record in found
        if record.HasField("artifact") or record.request.HasField("log_artifact")
    ]
    (kept,) = (artifact for artifact in artifacts if artifact.type == "run")
    assert {entry.path for entry in kept.manifest.contents} == {
        "episodes.csv",
        "learning_curve.png",
        "result.json",
    }


def test_what_wandb_writes_tells_nothing_of_the_machine_and_no_secret(
    tmp_path, folder, monkeypatch
):
    monkeypatch.setenv("SOME_API_KEY", "sesame-open-1234")
    config = {"agent": {"note": "sesame-open-1234"}, "tracking": {"password": "hunter2hunter2"}}
    tell(WANDB, folder, tmp_path, config)
    written = b"".join(path.read_bytes() for path in tmp_path.glob("wandb/**/*") if path.is_file())
    assert b"sesame-open-1234" not in written and b"hunter2hunter2" not in written
    assert b"(left out)" in written
    (run,) = (record.run for record in records(tmp_path) if record.HasField("run"))
    assert run.host == tracking_wandb.HOST and not run.git.remote_url
    assert not list(tmp_path.glob("wandb/**/wandb-metadata.json"))


def test_secrets_are_known_by_their_name_or_by_the_environment(monkeypatch):
    monkeypatch.setenv("HUB_TOKEN", "abcdefghij")
    config = {"a": {"api_key": "x", "list": ["abcdefghij", "y"]}, "tokens": 5, "seed": 1}
    assert without_secrets(config) == {
        "a": {"api_key": "(left out)", "list": ["(left out)", "y"]},
        "tokens": 5,
        "seed": 1,
    }


def test_tensorboard_files_hold_curve_result_and_pictures(tmp_path, folder, capsys):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # a run that is repeated does not leave two curves
        tell(TENSORBOARD, folder, tmp_path, {"seed": 3, "agent": {"width": 64}})
    assert capsys.readouterr().err == ""
    (place,) = tmp_path.glob("tensorboard/channels/gdm/*")
    events = EventAccumulator(str(place)).Reload()
    curve = [(one.step, one.value) for one in events.Scalars("validation/objective_g")]
    assert curve == [(10, 2.0), (20, 1.5)]
    assert [one.value for one in events.Scalars("training/loss")] == [0.25]
    assert [one.value for one in events.Scalars("result/score")] == [0.5]
    assert [one.value for one in events.Scalars("result/versus_base.difference_g")] == [0.125]
    assert events.Images("learning_curve")[0].width == 100
    (text,) = events.Tensors("config/text_summary")
    assert b"width: 64" in text.tensor_proto.string_val[0]


@pytest.fixture
def silent_server():
    """It accepts, and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                held.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield server.getsockname()[1]
    server.close()
    for connection in held:
        connection.close()


@pytest.fixture
def refusing_port():
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("endpoint", ["silent_server", "refusing_port"])
def test_a_dead_endpoint_is_told_once_and_left_behind(
    endpoint, request, tmp_path, folder, monkeypatch, capsys
):
    port = request.getfixturevalue(endpoint)
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("WANDB_API_KEY", 40 * "a")
    tracker = make_tracker({**WANDB, "mode": "online", "finish_s": 3}, IDENTITY, {}, tmp_path)
    assert isinstance(tracker, ProcessTracker)
    for row in ROWS:
        tracker.log(row)
    tracker.finish(RESULT, folder)
    told = capsys.readouterr().err
    assert told.count("W&B") == 1 and told.count("\n") == 1
    process = tracker._process
    assert isinstance(process, subprocess.Popen) and process.returncode is not None


def test_a_tracker_that_fails_is_told_once_with_the_reason(tmp_path, folder, capsys):
    (tmp_path / "tensorboard").write_text("a file where a folder should be")
    tell(TENSORBOARD, folder, tmp_path)
    told = capsys.readouterr().err
    assert told.startswith("benchmark: TensorBoard was left out: ") and told.count("\n") == 1
    assert "Error" in told


def test_a_missing_extra_is_one_line_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BenchmarkError, match=r"pip install .* '\.\[tensorboard\]'"):
        make_tracker(TENSORBOARD, IDENTITY, {}, tmp_path)


def test_tracking_is_off_unless_asked_for(tmp_path):
    assert isinstance(make_tracker({"name": "none"}, IDENTITY, {}, tmp_path), NoTracker)
    with pytest.raises(BenchmarkError, match="did you mean 'wandb'"):
        make_tracker({"name": "wandbb"}, IDENTITY, {}, tmp_path)
