"""The folder of a run as it may come from a stranger: read strictly, and nothing in it executed.

A run leaves such a folder; another suite may write one. ``docs/verify.md`` describes the format.
"""

import csv
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import envs
from benchmark.errors import BenchmarkError
from benchmark.seal import (
    CHECKSUMS,
    CONFIG,
    EPISODES,
    MANIFEST,
    MOST_WEIGHTS,
    PROBLEM,
    REQUIRED,
    RESULT,
    WEIGHTS,
    listed,
)
from envs.spec.reader import read as read_yaml

LIMITS = {
    ".yaml": 256 * 1024,
    ".json": 4 * 1024**2,
    ".csv": 256 * 1024**2,
    ".safetensors": 512 * 1024**2,
}
"""Bytes of a file, by its ending."""

_SUMS_LIMIT = 16 * 1024
_WEIGHT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(json|safetensors)")
_SUM_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Submission:
    """What the folder of a run holds, read once; nothing is looked up in it afterwards.

    Attributes:
        folder: Where it was read.
        config: The resolved config.
        manifest: Where the result comes from.
        result: The result as it was reported.
        episodes: The held-out episodes by column.
        weights: Files of ``weights/`` by name.
        spec: The problem's own spec; None for a problem of the library.
        seal: Digest of its checksums, which names this submission.
    """

    folder: Path
    config: dict[str, Any]
    manifest: dict[str, Any]
    result: dict[str, Any]
    episodes: dict[str, NDArray[np.float64]]
    weights: dict[str, bytes]
    spec: bytes | None
    seal: str


def read_submission(folder: Path) -> Submission:
    """Read the folder of a run, or of a stranger.

    Raises:
        BenchmarkError: Something is missing, too large, altered, or not what it should be.
    """
    if not folder.is_dir():
        raise BenchmarkError(f"there is no folder {folder}")
    if not (folder / CHECKSUMS).exists() and folder.suffix == ".partial":
        raise BenchmarkError(f"{folder} is not finished: run it to its end before it is verified")
    sums = _bytes(folder / CHECKSUMS, _SUMS_LIMIT)
    expected = _sums(folder / CHECKSUMS, sums)
    found: dict[str, bytes] = {}
    for name in sorted({*expected, *REQUIRED, *_present(folder)}):
        data = _bytes(folder / name, LIMITS[Path(name).suffix])
        if name not in expected:
            raise BenchmarkError(f"{folder / CHECKSUMS} does not list {name}")
        if hashlib.sha256(data).hexdigest() != expected[name]:
            raise BenchmarkError(f"{folder / name} is not the file whose digest is in {CHECKSUMS}")
        found[name] = data
    return Submission(
        folder=folder,
        config=_config(folder / CONFIG, found[CONFIG]),
        manifest=_json(folder / MANIFEST, found[MANIFEST]),
        result=_json(folder / RESULT, found[RESULT]),
        episodes=read_episodes(folder / EPISODES, found[EPISODES]),
        weights={
            name.removeprefix(f"{WEIGHTS}/"): data
            for name, data in found.items()
            if name.startswith(f"{WEIGHTS}/")
        },
        spec=found.get(PROBLEM),
        seal=hashlib.sha256(sums).hexdigest(),
    )


def read_episodes(path: Path, data: bytes) -> dict[str, NDArray[np.float64]]:
    """Columns of ``episodes.csv``: finite numbers, scenarios from 0 on, each once.

    Raises:
        BenchmarkError: It is anything else.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode("ascii"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{path}: expected plain comma-separated text: {error}") from error
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    if len(set(header)) != len(header) or header[:2] != ["scenario", "objective_g"] or not body:
        raise BenchmarkError(f"{path}: expected columns scenario, objective_g, … and a row each")
    for number, row in enumerate(body):
        if len(row) != len(header):
            raise BenchmarkError(
                f"{path}: line {number + 2} has {len(row)} fields, expected {len(header)}"
            )
        for name, text in zip(header, row, strict=True):
            if not _NUMBER.fullmatch(text) or not np.isfinite(float(text)):
                raise BenchmarkError(
                    f"{path}: line {number + 2}, {name}: expected a number, found {text[:40]!r}"
                )
        if row[0] != str(number):
            raise BenchmarkError(
                f"{path}: line {number + 2}: expected scenario {number}, found {row[0][:40]}"
            )
    values = np.array([[float(text) for text in row] for row in body], dtype=np.float64)
    return {name: values[:, place] for place, name in enumerate(header)}


def _present(folder: Path) -> list[str]:
    """The optional files that are there, each by an allowed name."""
    names = [PROBLEM] if os.path.lexists(folder / PROBLEM) else []
    weights = folder / WEIGHTS
    if weights.is_symlink() or not weights.is_dir():
        raise BenchmarkError(f"{weights}: expected a folder with the agent's weights")
    entries = listed(weights)
    if len(entries) > MOST_WEIGHTS:
        raise BenchmarkError(f"{weights}: expected at most {MOST_WEIGHTS} files")
    for entry in entries:
        if not _WEIGHT_NAME.fullmatch(entry):
            raise BenchmarkError(
                f"{weights / entry}: weights are files that end in .safetensors or .json"
            )
    return names + [f"{WEIGHTS}/{entry}" for entry in entries]


def _sums(path: Path, data: bytes) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        match = _SUM_LINE.fullmatch(line)
        name = match[2] if match else ""
        place, _, file = name.rpartition("/")
        plain = name in (*REQUIRED, PROBLEM)
        if not plain and not (place == WEIGHTS and _WEIGHT_NAME.fullmatch(file)):
            raise BenchmarkError(
                f"{path}: '{line[:100]}' names no file of a submission: {', '.join(REQUIRED)}, "
                f"{PROBLEM}, {WEIGHTS}/*.safetensors, {WEIGHTS}/*.json"
            )
        assert match is not None
        sums[name] = match[1]
    return sums


def _bytes(path: Path, limit: int) -> bytes:
    """A regular file within a limit; no link is followed, and no pipe waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BenchmarkError(f"{path}: expected a file")
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise BenchmarkError(
            f"{path} is missing; docs/verify.md says what a submission consists of"
        ) from error
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else error.strerror
        raise BenchmarkError(f"{path} cannot be read: {reason}") from error
    if len(data) > limit:
        raise BenchmarkError(f"{path}: expected at most {limit:,} bytes")
    return data


def _config(path: Path, data: bytes) -> dict[str, Any]:
    try:
        return read_yaml(data)
    except envs.SpecError as error:
        first = error.diagnostics[0]
        raise BenchmarkError(
            f"{path}: {first.path}: expected {first.expected}, found {first.actual}"
        ) from error


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BenchmarkError(f"{path}: expected JSON: {error}") from error
    if not isinstance(value, dict):
        raise BenchmarkError(f"{path}: expected a JSON object")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def check_weights(folder: Path, weights: Mapping[str, bytes]) -> None:
    """Every tensor is finite, and every settings file is JSON.

    Args:
        folder: Where they come from, for the message.
        weights: Files by name.

    Raises:
        BenchmarkError: One is damaged, or holds a value that is not finite.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    for name, data in weights.items():
        path = folder / WEIGHTS / name
        if name.endswith(".json"):
            _json(path, data)
            continue
        try:
            tensors = load(data)
        except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
            raise BenchmarkError(f"{path}: expected safetensors: {error}") from error
        for key, tensor in tensors.items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                raise BenchmarkError(f"{path}: {key} holds values that are not finite")
