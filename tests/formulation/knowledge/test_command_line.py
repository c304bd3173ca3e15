"""``python -m benchmark kb`` as a user meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli import main
from tests.formulation.knowledge.documents import pdf, write
from tests.formulation.retrieval.servers import served
from tests.structure.project import ROOT


def kb(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``kb`` in a process of its own, at home in the test's folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(cwd), "COLUMNS": "80"}
    environment.pop("XDG_DATA_HOME", None)
    return subprocess.run(
        [sys.executable, "-m", "benchmark", "kb", *arguments],
        cwd=cwd,
        env={**environment, **more},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )


def test_a_document_is_added_listed_found_and_removed(tmp_path: Path) -> None:
    write(tmp_path, "ferry.pdf", pdf("The electric ferry Aurelia crosses on 4 MWh", title="Ferry"))
    added = kb("add", "ferry.pdf", cwd=tmp_path)
    assert added.returncode == 0, added.stderr
    name = added.stdout.split()[1].rstrip(":")
    assert (tmp_path / ".local/share/lowcarbon-bench/knowledge/documents").is_dir()
    assert f"{name}: Ferry (from ferry.pdf)" in kb("list", cwd=tmp_path).stdout
    found = kb("search", "the ferry Aurelia", "--limit", "1", cwd=tmp_path)
    assert found.stdout.startswith(f"{name}#0  Ferry")
    assert "4 MWh" in found.stdout
    assert kb("remove", name, cwd=tmp_path).returncode == 0
    assert "0 of your own" in kb("list", cwd=tmp_path).stdout


def test_another_folder_may_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, folder = write(tmp_path, "a.md", "# Tides\n\nThe moon pulls.\n"), tmp_path / "mine"
    assert main(["kb", "add", str(file), f"kb={folder}"]) == 0
    assert list((folder / "documents").iterdir())
    assert main(["kb", "list", f"kb={folder}"]) == 0
    assert "1 of your own in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "missing.pdf"), "missing.pdf cannot be read: No such file"),
        (("add", "odd.doc"), "odd.doc: expected one of .pdf"),
        (("remove", "nothing"), "no document 'nothing'"),
        (("search", "x", "--method", "magic"), "invalid choice: 'magic'"),
        (("search", "x", "--limit", "0"), "from 1 to 50"),
        (("list", "kb="), "kb= needs a folder"),
        ((), "required: command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_told_in_one_line(
    tmp_path: Path,
    arguments: tuple[str, ...],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    try:
        code: object = main(["kb", *arguments])
    except SystemExit as stopped:
        code = stopped.code
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert reason in shown.err
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_told_what_is_added_or_asked(tmp_path: Path) -> None:
    """Tracing of the splitter's library stays off, whatever the environment asks for."""
    told: list[str] = []

    def listen(method: str, path: str, body: object, headers: dict[str, str]) -> tuple[int, object]:
        told.append(path)
        return 200, {}

    write(tmp_path, "a.md", "# Secret\n\nOur own figures.\n")
    with served(listen) as url:
        asked = {
            f"{name}_{key}": value
            for name in ("LANGSMITH", "LANGCHAIN")
            for key, value in {"TRACING": "true", "TRACING_V2": "true", "ENDPOINT": url}.items()
        }
        asked |= {"LANGSMITH_API_KEY": "key", "LANGCHAIN_API_KEY": "key"}
        proxies = {name: url for name in ("http_proxy", "https_proxy", "all_proxy")}
        assert kb("add", "a.md", cwd=tmp_path, **asked, **proxies).returncode == 0
        assert kb("search", "secret figures", cwd=tmp_path, **asked, **proxies).returncode == 0
    assert told == []


def test_a_missing_extra_is_one_line_with_the_command(tmp_path: Path) -> None:
    write(tmp_path, "sklearn.py", "raise ImportError('not here')\n")
    done = kb("search", "sun", cwd=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 2
    assert "pip install 'lowcarbon-bench[formulate]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_evaluation_prints_every_method_and_the_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["kb", "eval"]) == 0
    shown = capsys.readouterr().out
    for word in ("bm25", "dense", "hybrid", "precision@4", "recall@4", "MRR", "default: hybrid"):
        assert word in shown
    assert all(len(line.rstrip()) <= 80 for line in shown.splitlines())


def test_importing_envs_needs_nothing_of_this(tmp_path: Path) -> None:
    names = ["sklearn", "bm25s", "qdrant_client", "openai", "pypdf", "langchain_text_splitters"]
    code = (
        "import sys, envs, envs.formulation.knowledge, envs.formulation.retrieval\n"
        f"print([name for name in {names} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
