"""Fetching a public trace from a server that speaks HTTP, on this machine's own loopback."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

import envs
from benchmark import data, download
from benchmark.errors import BenchmarkError
from benchmark.problems import load_problem
from tests.traces import files

CONTENT = files.carbon(files.carbon_of_days(40)).encode()
OTHER = files.carbon(files.carbon_of_days(41)).encode()
NAME = "carbon_de_2023"


@dataclass
class Server:
    """What is served, how it misbehaves, and what was asked for."""

    content: bytes = CONTENT
    tag: str | None = '"one"'
    ranges: bool = True
    stop_after: int | None = None
    status: int = 200
    location: str | None = None
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", data.URL_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # noqa: N802
            state.asked.append(self.headers.get("Range"))
            if state.location and self.path != "/moved.csv":
                self.send_response(302)
                self.send_header("Location", state.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if state.status != 200:
                self.send_error(state.status)
                return
            content, begin = state.content, 0
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            if match and state.ranges and self.headers.get("If-Range") == state.tag:
                begin = int(match[1])
                if begin >= len(content):
                    self.send_error(416)
                    return
            self.send_response(206 if begin else 200)
            if begin:
                span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            if state.tag:
                self.send_header("ETag", state.tag)
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            if state.stop_after is not None:
                self.wfile.write(content[begin : begin + state.stop_after])
                self.close_connection = True
                return
            self.wfile.write(content[begin:])

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_address[1]}/file.csv"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOWCARBON_DATA", str(tmp_path))
    return tmp_path


def fetch(server: Server, *more: str) -> int:
    return data.data(["fetch", NAME, "--url", server.url, *more])


def refused(server: Server, *more: str) -> BenchmarkError:
    with pytest.raises(BenchmarkError) as caught:
        fetch(server, *more)
    return caught.value


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_list_shows_publisher_licence_and_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert data.data(["list"]) == 0
    shown = capsys.readouterr().out
    for trace in data.public_traces().values():
        for part in (trace.name, trace.publisher, trace.licence, trace.page):
            assert part in shown
    assert str(folder) in shown


def test_every_entry_is_whole_and_its_file_could_be_a_trace() -> None:
    for trace in data.public_traces().values():
        assert trace.title and trace.publisher and trace.licence
        assert download.check_address(trace.page) == "https"
        assert trace.url is None or download.check_address(trace.url) == "https"
        assert trace.sha256 is None or re.fullmatch("[0-9a-f]{64}", trace.sha256)
        assert Path(trace.file).name == trace.file and trace.file.endswith((".csv", ".epw"))


def test_a_file_is_fetched_with_its_licence_shown_and_its_digest_recorded(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(server) == 0
    shown = capsys.readouterr().out
    trace = data.public_traces()[NAME]
    assert trace.licence in shown
    assert "960 rows" in shown
    assert (folder / trace.file).read_bytes() == CONTENT
    record = json.loads((folder / f"{trace.file}.json").read_text())
    assert record["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert record["url"] == server.url
    assert names(folder) == {trace.file, f"{trace.file}.json"}


def test_what_was_fetched_is_a_trace_by_its_name_and_by_its_path(
    server: Server, folder: Path
) -> None:
    fetch(server)
    file = data.public_traces()[NAME].file
    by_name = envs.load("offload", {"processes": {"ci": {"trace": {"file": str(folder / file)}}}})
    document = json.loads(json.dumps(by_name.document))
    document["processes"]["ci"]["trace"]["file"] = file
    assert envs.parse(json.dumps(document)).digest == by_name.digest


@pytest.mark.parametrize(
    "line",
    [
        'ci.trace="PATH"',
        'ci.trace={file: "PATH", column: direct, utc_offset: 1 h}',
        'ci.trace={DE: "PATH", GB: "PATH"}',
    ],
)
def test_the_command_lines_of_the_page_are_accepted(
    server: Server, folder: Path, line: str
) -> None:
    fetch(server)
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    assert f"'env.processes.{line.split('=')[0]}=" in page
    text = "env.processes." + line.replace("PATH", str(folder / data.public_traces()[NAME].file))
    override = OverridesParser.create().parse_override(text)
    processes = {"ci": {"trace": override.value()}}
    config = OmegaConf.create({"name": "offload", "parameters": {}, "processes": processes})
    assert load_problem(config).digest != envs.load("offload").digest


def test_a_second_fetch_asks_for_nothing(server: Server, folder: Path) -> None:
    fetch(server)
    assert fetch(server) == 0
    assert server.asked == [None]


def test_an_interrupted_fetch_goes_on_where_it_stopped(server: Server, folder: Path) -> None:
    server.stop_after = 10_000
    error = refused(server)
    assert "10000 of" in error.message
    assert error.code == 1
    assert names(folder) == {"carbon_de_2023.csv.part", "carbon_de_2023.csv.part.json"} | {
        ".carbon_de_2023.csv.lock"
    }
    server.stop_after = None
    assert fetch(server) == 0
    assert server.asked == [None, "bytes=10000-"]
    assert (folder / "carbon_de_2023.csv").read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["no ranges", "another edition", "no mark", "another address"])
def test_what_cannot_be_continued_is_begun_again(server: Server, folder: Path, change: str) -> None:
    if change == "no mark":
        server.tag = None
    server.stop_after = 10_000
    refused(server)
    server.stop_after = None
    if change == "no ranges":
        server.ranges = False
    elif change == "another edition":
        server.tag, server.content = '"two"', OTHER
    elif change == "another address":
        server.url += "?again"
    assert fetch(server) == 0
    assert (folder / "carbon_de_2023.csv").read_bytes() == server.content


def test_a_part_longer_than_the_file_is_dropped(server: Server, folder: Path) -> None:
    server.stop_after = 10_000
    refused(server)
    server.stop_after, server.content = None, CONTENT[:5000]
    assert "changed" in refused(server).message
    server.content = CONTENT
    assert fetch(server) == 0


def test_another_file_than_recorded_is_refused_and_not_kept(server: Server, folder: Path) -> None:
    fetch(server)
    file = folder / "carbon_de_2023.csv"
    file.unlink()
    server.content = OTHER
    error = refused(server)
    assert hashlib.sha256(CONTENT).hexdigest() in error.message
    assert not file.exists()
    assert fetch(server, "--force") == 0
    assert file.read_bytes() == OTHER


def test_a_file_that_was_changed_here_is_told(server: Server, folder: Path) -> None:
    fetch(server)
    (folder / "carbon_de_2023.csv").write_bytes(OTHER)
    assert "not the file that was recorded" in refused(server).message


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such file"), (403, "refused"), (500, "500")]
)
def test_a_refusal_of_the_server_is_told_plainly(
    server: Server, folder: Path, status: int, words: str
) -> None:
    server.status = status
    error = refused(server)
    assert words in error.message
    assert "--url" in error.message
    assert error.code == 1
    assert not (folder / "carbon_de_2023.csv").exists()


def test_what_is_no_trace_is_told_after_the_fetch(server: Server, folder: Path) -> None:
    server.content = b"<html>please log in</html>"
    error = refused(server)
    assert "no such file" in error.message
    assert "log in" not in error.message


def test_a_redirection_is_followed_on_the_web_only(server: Server, folder: Path) -> None:
    server.location = server.url.replace("file.csv", "moved.csv")
    assert fetch(server) == 0
    server.location = "file:///etc/passwd"
    assert "refuses" in refused(server, "--force").message


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y", "x", "https:///x", "http://a b"]
)
def test_an_address_that_is_not_of_the_web_is_refused(folder: Path, url: str) -> None:
    with pytest.raises(BenchmarkError, match="https://"):
        data.data(["fetch", NAME, "--url", url])


def test_without_a_network_it_says_so_and_what_to_do(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = re.sub(r":\d+/", ":1/", server.url)
    monkeypatch.setenv(data.URL_VARIABLE, closed)
    with pytest.raises(BenchmarkError) as caught:
        data.data(["fetch", NAME])
    assert "cannot be reached" in caught.value.message
    assert "env.processes" in caught.value.message
    assert caught.value.code == 1


def test_a_publisher_that_wants_an_account_is_named_with_its_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(data.URL_VARIABLE, raising=False)
    with pytest.raises(BenchmarkError) as caught:
        data.data(["fetch", NAME])
    assert data.public_traces()[NAME].page in caught.value.message
    assert "--url" in caught.value.message


def test_too_large_a_file_is_not_taken(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 1000)
    assert "at most 1000" in refused(server).message


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(BenchmarkError, match="did you mean 'carbon_de_2023'"):
        data.data(["fetch", "carbon_de"])
