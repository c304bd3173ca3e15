"""A checkpoint is whole or it is not one."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from agents import state
from benchmark.checkpoints import KEPT, Checkpoints

IDENTITY = {"key": "ab", "versions": {"torch": "1"}}


def opened(folder: Path, identity: dict = IDENTITY) -> Checkpoints:
    return Checkpoints(folder, identity, 0)


def take(checkpoints: Checkpoints, number: int, shards: tuple[str, ...] = ()) -> None:
    def write(folder: Path) -> list[str]:
        name = f"agent-{number}.safetensors"
        (folder / name).write_bytes(b"weights %d" % number)
        for shard in shards:
            if not (folder / shard).exists():
                (folder / shard).write_bytes(shard.encode())
        return [name, *shards]

    checkpoints.offer(write, lambda: {"number": number}, lambda: {"clock": np.array([number])})


def number(folder: Path, identity: dict = IDENTITY) -> int | None:
    found = opened(folder, identity).latest()
    return None if found is None else int(found.harness["number"])


def filled(folder: Path) -> Checkpoints:
    checkpoints = opened(folder)
    for count, shards in ((1, ("a",)), (2, ("a", "b")), (3, ("b", "c"))):
        take(checkpoints, count, shards)
    return checkpoints


def test_the_last_checkpoint_is_found_with_everything_it_holds(tmp_path):
    filled(tmp_path)
    found = opened(tmp_path).latest()
    assert found is not None and found.harness == {"number": 3}
    assert found.env["clock"].tolist() == [3]
    assert {"agent-3.safetensors", "b", "c"} < set(found.files)


def test_only_what_the_last_two_name_stays_on_the_disk(tmp_path):
    filled(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(list(tmp_path.glob("manifest-*"))) == KEPT
    assert {"a", "b", "c", "agent-2.safetensors", "agent-3.safetensors"} < names
    assert "agent-1.safetensors" not in names


@pytest.mark.parametrize("damage", ["torn", "gone", "changed", "shard", "manifest", "unreadable"])
def test_after_a_damaged_one_the_one_before_is_taken(tmp_path, damage):
    filled(tmp_path)
    agent, manifest = tmp_path / "agent-3.safetensors", tmp_path / "manifest-00000003.json"
    if damage == "torn":
        agent.write_bytes(agent.read_bytes()[:4])
    if damage == "gone":
        agent.unlink()
    if damage == "changed":
        agent.write_bytes(b"weights 4")
    if damage == "shard":
        (tmp_path / "c").write_bytes(b"")
    if damage == "manifest":
        manifest.write_text(manifest.read_text()[:40])
    if damage == "unreadable":
        manifest.write_text("[]")
    assert number(tmp_path) == 2


def test_a_process_killed_while_it_writes_leaves_the_one_before(tmp_path):
    checkpoints = filled(tmp_path)

    class Killed(BaseException):
        pass

    def write(folder: Path) -> list[str]:
        (folder / "agent-4.safetensors").write_bytes(b"half")
        raise Killed

    with pytest.raises(Killed):
        checkpoints.offer(write, lambda: {"number": 4}, lambda: {"clock": np.array([4])})
    assert number(tmp_path) == 3
    assert not (tmp_path / "agent-4.safetensors").exists()


def test_where_none_is_whole_the_run_starts_afresh_and_says_so(tmp_path, capsys):
    filled(tmp_path)
    for path in tmp_path.glob("agent-*"):
        path.write_bytes(b"")
    assert number(tmp_path) is None
    assert "starts afresh" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [{"key": "cd"}, {"versions": {"torch": "2"}}])
def test_a_checkpoint_of_another_run_or_of_other_versions_is_not_taken(tmp_path, other):
    filled(tmp_path)
    assert number(tmp_path, {**IDENTITY, **other}) is None


def test_it_goes_on_after_the_one_that_was_taken_up(tmp_path):
    filled(tmp_path)
    again = opened(tmp_path)
    assert again.latest() is not None
    take(again, 4, ("c", "d"))
    assert number(tmp_path) == 4


def test_a_full_disk_is_told_once_and_the_run_goes_on(tmp_path, capsys):
    checkpoints = filled(tmp_path)

    def write(folder: Path) -> list[str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    for _ in range(3):
        checkpoints.offer(write, dict, dict)
    assert capsys.readouterr().err.count("No space left") == 1
    assert number(tmp_path) == 3


def test_nothing_there_is_no_checkpoint(tmp_path):
    assert number(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


def test_a_tree_comes_back_as_it_went(tmp_path):
    tree = {
        "none": None,
        "numbers": (True, 3, 0.1, float("inf"), 2**127 + 1),
        "by number": {0: {"step": np.float64(0.1)}, 1: []},
        "arrays": [np.arange(3), np.zeros((0, 2), np.float32), np.array([True])],
    }
    state.write(tmp_path / "tree.safetensors", tree)
    back = state.read(tmp_path / "tree.safetensors")
    assert repr(back) == repr(tree)
    assert [array.dtype for array in back["arrays"]] == [array.dtype for array in tree["arrays"]]


def test_what_would_need_a_pickle_is_refused(tmp_path):
    with pytest.raises(TypeError, match="object"):
        state.write(tmp_path / "tree.safetensors", {"thing": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_can_be_read_by_a_person(tmp_path):
    filled(tmp_path)
    manifest = json.loads((tmp_path / "manifest-00000003.json").read_text())
    assert manifest["files"]["c"]["bytes"] == 1 and len(manifest["files"]["c"]["sha256"]) == 64
