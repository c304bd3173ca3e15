"""A spec from a stranger reads nothing but series beside it, and no message repeats a file."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import envs
from envs.spec.diagnostics import Finding
from envs.traces import read_series
from tests.hostile.guard import guarded
from tests.language import tiny
from tests.traces import files

SECRET = "hunter2-do-not-tell"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec's place in it, a secret beside it, and an empty data folder."""
    inside = tmp_path / "specs"
    inside.mkdir()
    files.write(tmp_path / "outside.csv", files.carbon(files.carbon_of_days(30)))
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("LOWCARBON_DATA", str(tmp_path / "data"))
    return inside


def refused(folder: Path, file: Any, changes: Any = None, **trace: Any) -> envs.Diagnostic:
    path = folder / "spec.yaml"
    process = {"unit": "gCO2e/kWh", "trace": {"file": file, **trace}}
    path.write_text(json.dumps(tiny.document(processes={"ci": process})), encoding="utf-8")
    with guarded(), pytest.raises(envs.SpecError) as caught:
        envs.load(path, changes)
    text = str(caught.value)
    assert SECRET not in text
    assert text.replace("\n", "").isprintable()
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    "file",
    [
        "../outside.csv",
        "sub/../../outside.csv",
        "./../outside.csv",
        "..",
        ".hidden.csv",
        "~/outside.csv",
        "$HOME/outside.csv",
        "sub\\..\\outside.csv",
        "outside.csv\x00.csv",
        "spec.yaml",
        "a/" * 400 + "b.csv",
        "//outside.csv",
        "file:outside.csv",
    ],
)
def test_a_spec_reaches_nothing_outside(folder: Path, file: str) -> None:
    assert refused(folder, file).code == "bad-trace"


def test_an_absolute_path_in_a_spec_is_refused_though_the_file_is_there(folder: Path) -> None:
    outside = str(folder.parent / "outside.csv")
    assert refused(folder, outside).code == "bad-trace"
    assert refused(folder, {"a": outside}).code == "bad-trace"


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_not(folder: Path) -> None:
    (folder / "out.csv").symlink_to(folder.parent / "outside.csv")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    for file in ("out.csv", "up/outside.csv", "loop.csv"):
        assert refused(folder, file).code == "bad-trace"


def test_what_the_shifted_split_names_is_held_to_the_same(folder: Path) -> None:
    files.write(folder / "ci.csv", files.carbon(files.carbon_of_days(30)))
    outside = str(folder.parent / "outside.csv")
    process = {"unit": "gCO2e/kWh", "trace": {"file": "ci.csv"}}
    shift = {"ood": {"processes": {"ci": {"trace": {"file": outside}}}}}
    document = tiny.document(processes={"ci": process}, splits=shift)
    path = folder / "spec.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(envs.SpecError) as caught:
        envs.load(path)
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("bad-trace", "splits.ood.processes.ci.trace")


def test_a_path_that_the_user_gives_may_lie_anywhere_and_frees_no_other(folder: Path) -> None:
    outside = str(folder.parent / "outside.csv")
    processes = {
        "ci": {"unit": "gCO2e/kWh", "sample": {"uniform": [0, 1]}},
        "other": {"unit": "gCO2e/kWh", "trace": {"file": outside}},
    }
    path = folder / "spec.yaml"
    change = {"processes": {"ci": {"trace": outside}}}
    path.write_text(json.dumps(tiny.document(processes=processes)), encoding="utf-8")
    with pytest.raises(envs.SpecError) as caught:
        envs.load(path, change)
    assert [d.path for d in caught.value.diagnostics] == ["processes.other.trace"]
    del processes["other"]
    path.write_text(json.dumps(tiny.document(processes=processes)), encoding="utf-8")
    assert envs.load(path, change).name == "tiny"


def test_a_document_without_a_folder_reads_the_data_folder_alone(folder: Path) -> None:
    process = {"unit": "gCO2e/kWh", "trace": {"file": "ci.csv"}}
    document = json.dumps(tiny.document(processes={"ci": process}))
    with pytest.raises(envs.SpecError):
        envs.parse(document)
    files.write(folder.parent / "data" / "ci.csv", files.carbon(files.carbon_of_days(30)))
    assert envs.parse(document).name == "tiny"


def test_folders_pipes_and_devices_are_no_files(folder: Path) -> None:
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    for file in ("folder.csv", "pipe.csv"):
        assert refused(folder, file).code == "bad-trace"
    for path in ("/dev/zero", "/dev/stdin", str(folder), str(folder / "none.csv"), "\x00"):
        change = {"processes": {"ci": {"trace": path}}}
        assert refused(folder, "x.csv", change).code == "bad-trace"


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


CONTENTS: dict[str, bytes] = {
    "nothing": b"",
    "blank lines": b"\n\n\n",
    "a heading": b"a,b\n",
    "a secret": f"{SECRET}\n{SECRET}\n".encode(),
    "a secret in a column": f"time,{SECRET}\n2023-01-01,{SECRET}\n".encode(),
    "a secret among numbers": files.plain(np.ones(99)).replace("9,1.0", f"9,{SECRET}").encode(),
    "secret columns": f"{SECRET},{SECRET}b\n1,2\n3,4\n".encode(),
    "bytes": bytes(range(256)) * 100,
    "NULs": b"\x00" * 10_000,
    "one long line": b"1," * 50_000,
    "an open quote": b'a,b\n"' + b"x\n" * 5000,
    "too many rows": b"a\n" + b"1\n" * 300_000,
    "weather without hours": b"LOCATION,x\n",
    "weather cut short": files.weather(np.ones(48), np.ones(48))[:1500].encode(),
    "carbon without intensity": files.carbon(np.ones(48)).replace("(LCA)", "").encode(),
    "sessions without ends": files.SESSION_HEAD.encode() + b"\n2019-05-01,,1,1\n",
    "dates far apart": b"time,x\n0001-01-01,1\n0001-01-02,1\n9999-01-01,1\n",
    "the same date twice": b"time,x\n2023-01-01,1\n2023-01-01,1\n",
    "dates with and without a zone": b"time,x\n2023-01-01T00:00Z,1\n2023-01-01T01:00,1\n",
    "a gzip cut short": gzip.compress(files.plain(np.ones(999)).encode())[:-20],
    "a gzip of nothing": b"\x1f\x8b",
    "a gzip with rubbish": gzip.compress(b"a\n1\n") + b"rubbish",
    "values that overflow": b"x\n" + b"1e300\n" * 500,
    "line ends alone": b"\n" * (1 << 24),
    "separators alone": b"\x1c" * (1 << 22),
    "JSON of something": json.dumps({"_items": [{"a": SECRET}], "b": SECRET}).encode(),
    "JSON that is deep": b'{"_items":' + b"[" * 100_000,
    "JSON with a zone that is a path": json.dumps(
        {
            "_items": [
                {
                    "connectionTime": "Wed, 01 May 2019 08:18:45 GMT",
                    "disconnectTime": "Wed, 01 May 2019 18:18:45 GMT",
                    "timezone": "../../../etc/passwd",
                    "kWhDelivered": 1,
                }
            ]
        }
    ).encode(),
    "a zip cut short": zipped({"a.csv": b"a\n1\n" * 999})[:-30],
    "a zip of two": zipped({"a.csv": b"a\n1\n", "b.csv": b"a\n1\n"}),
    "a zip of none": zipped({SECRET: b"x"}),
    "a zip of a bomb": zipped({"../a.csv": b"1," * (1 << 25)}),
}


@pytest.mark.parametrize("what", CONTENTS)
@pytest.mark.parametrize("column", [None, "x", "life_cycle"])
def test_a_hostile_file_is_refused_without_being_repeated(
    folder: Path, what: str, column: str | None
) -> None:
    (folder / "ci.csv").write_bytes(CONTENTS[what])
    named = {} if column is None else {"column": column}
    found = refused(folder, "ci.csv", **named)
    assert found.code in ("bad-trace", "budget", "unit-mismatch")
    assert len(str(found)) < 1000


def test_a_file_that_unpacks_to_much_more_than_it_is_costs_little(folder: Path) -> None:
    (folder / "ci.csv.gz").write_bytes(gzip.compress(b"1," * (1 << 25)))
    assert refused(folder, "ci.csv.gz").code == "budget"


@pytest.mark.parametrize(
    "trace",
    [
        {"interval": "0 h"},
        {"interval": "-1 h"},
        {"interval": "1 m"},
        {"interval": "exit()"},
        {"interval": 1e300},
        {"utc_offset": "20 h"},
        {"utc_offset": "1 W"},
        {"utc_offset": "0.00001 s"},
        {"sha256": "0"},
        {"sha256": "0" * 64},
        {"sha256": {"a": "0" * 64}},
        {"column": ""},
        {"column": 3},
        {"column": {"a": "life_cycle"}},
        {"column": "x" * 2000},
        {"shell": "id"},
    ],
    ids=str,
)
def test_a_bad_trace_of_a_good_file_is_refused(folder: Path, trace: dict[str, Any]) -> None:
    files.write(folder / "ci.csv", files.carbon(files.carbon_of_days(30)))
    refused(folder, "ci.csv", **trace)


@pytest.mark.parametrize("file", ["", {}, {"a": 1}, {"a": ""}, 3, None, ["ci.csv"]], ids=str)
def test_what_names_no_file_is_refused(folder: Path, file: Any) -> None:
    assert refused(folder, file).code in ("bad-trace", "bad-value")


SOUND = {
    "carbon": files.carbon(files.carbon_of_days(8)).encode(),
    "weather": files.weather(np.full(192, 10.0), np.full(192, 50.0)).encode(),
    "sessions": files.sessions([("2019-05-03 08:00", "2019-05-03 10:00", 20, 10.0)] * 20).encode(),
    "plain": files.plain(np.linspace(0, 1, 192)).encode(),
}


@pytest.mark.parametrize("what", SOUND)
def test_a_file_damaged_anywhere_is_read_or_refused(what: str) -> None:
    rng, sound = np.random.default_rng(0), SOUND[what]
    columns = [None, "life_cycle", "wet_bulb", "connected", "energy", "cpu_load", "day_of_year"]
    for _ in range(60):
        data = bytearray(sound)
        for place in rng.integers(0, len(data), rng.integers(1, 8)):
            data[place] = int(rng.choice([0, 10, 44, 45, 46, 34, 57, 101, 255]))
        cut = bytes(data[: rng.integers(1, len(data))]) if rng.random() < 0.3 else bytes(data)
        for column in columns:
            with guarded():
                try:
                    series = read_series(cut, column)
                except Finding as finding:
                    assert finding.code in ("bad-trace", "budget")
                else:
                    assert np.isfinite(series.values).all()
