"""One file over HTTP: resumed where it was cut off, checked, and whole or absent."""

import hashlib
import http.client
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from benchmark.errors import EXIT_FAILED, BenchmarkError
from benchmark.progress import ProgressBar
from benchmark.store import locked, write_json

MAX_BYTES = 256 * 1024 * 1024
TIMEOUT_S = 30
_PIECE = 1 << 16


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to HTTP alone, and never from an encrypted to an open connection."""

    def redirect_request(
        self, request: Any, file: Any, code: int, message: str, headers: Any, address: str
    ) -> Any:
        schemes = [check_address(url) for url in (request.full_url, address)]
        if schemes == ["https", "http"]:
            raise BenchmarkError("the server sends us from https to http; refused", EXIT_FAILED)
        return super().redirect_request(request, file, code, message, headers, address)


def check_address(url: str) -> str:
    """The scheme of an address of the web.

    Raises:
        BenchmarkError: It is none.
    """
    match = re.match(r"(https?)://[^/\s]+", url)
    if match is None or not url.isprintable() or " " in url:
        raise BenchmarkError(
            f"an address beginning with https:// or http:// is needed, not '{url}'"
        )
    return match[1]


def download(url: str, target: Path, sha256: str | None) -> str:
    """Download a file; a second call after an interruption goes on where the first stopped.

    What has arrived lies beside the target with the suffix ``.part``.

    Args:
        url: Where the file is.
        target: Where it shall lie; replaced only by a whole file.
        sha256: What its bytes must hash to; None takes what comes.

    Returns:
        The SHA-256 of the file.

    Raises:
        BenchmarkError: The server cannot be reached, refuses, stops early, or sends another file.
    """
    check_address(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part, notes = (target.with_name(target.name + suffix) for suffix in (".part", ".part.json"))
    lock = target.with_name(f".{target.name}.lock")
    with locked(lock, busy=f"another process is fetching {target.name}"):
        _receive(url, part, notes)
        found = file_digest(part)
        if sha256 not in (None, found):
            _forget(part, notes)
            raise BenchmarkError(
                f"{url} holds another file: sha256 {found}, expected {sha256}; nothing was kept. "
                "If the publisher has a new edition, fetch it under --force, which records it anew",
                EXIT_FAILED,
            )
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
        _forget(part, notes)
    lock.unlink(missing_ok=True)
    return found


def _receive(url: str, part: Path, notes: Path) -> None:
    """Bring the partial file to its full length."""
    known = _notes(notes) if part.exists() else {}
    # Only a part of the very same file may be continued: same address and same mark.
    begun = part.stat().st_size if known.get("url") == url and known.get("mark") else 0
    headers = {"User-Agent": "lowcarbon-bench", "Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": known["mark"]}
    opener = urllib.request.build_opener(_Redirects)
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S) as reply:
            begun, total = _extent(reply.status, reply.headers, begun)
            write_json(notes, {"url": url, "mark": _mark(reply.headers)})
            with part.open("r+b" if begun else "wb") as file:
                file.truncate(begun)
                file.seek(begun)
                got = _copy(reply, file, part.name.removesuffix(".part"), begun, total)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            # What we have does not fit what is there now.
            _forget(part, notes)
            raise BenchmarkError(
                f"{url} has changed; run again to start over", EXIT_FAILED
            ) from None
        what = {404: "there is no such file", 403: "access is refused", 401: "an account is needed"}
        reason = what.get(error.code, "the server refuses")
        raise BenchmarkError(
            f"{url}: {reason} (HTTP {error.code}); give another address with --url", EXIT_FAILED
        ) from None
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        raise BenchmarkError(
            f"{url} cannot be reached ({_plain(cause)}). What has arrived is kept. Without a "
            "network, fetch the file elsewhere and name it: 'env.processes.NAME.trace=\"PATH\"'",
            EXIT_FAILED,
        ) from None
    if total is not None and got != total:
        raise BenchmarkError(
            f"{url}: {got} of {total} bytes came; run again to fetch the rest", EXIT_FAILED
        )


def _extent(status: int, headers: Mapping[str, str], begun: int) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is."""
    if status == 206:
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", ""))
        if match is None or int(match[1]) != begun:
            raise BenchmarkError("the server sends another part than was asked for", EXIT_FAILED)
        total: int | None = int(match[3])
    else:
        length = headers.get("Content-Length", "")
        begun, total = 0, int(length) if length.isdigit() else None
    if total is not None and total > MAX_BYTES:
        raise BenchmarkError(f"the file has {total} bytes; at most {MAX_BYTES} are taken")
    return begun, total


def _copy(reply: Any, file: IO[bytes], name: str, got: int, total: int | None) -> int:
    """Copy the body; the length of the file after it."""
    with ProgressBar(f"fetching {name}", total or MAX_BYTES) as bar:
        while True:
            try:
                piece = reply.read(_PIECE)
            except http.client.IncompleteRead as error:
                piece = error.partial
            if not piece:
                return got
            got += len(piece)
            if got > MAX_BYTES:
                raise BenchmarkError(f"the file has more than {MAX_BYTES} bytes; none is taken")
            file.write(piece)
            if total:
                bar.update(got)


def _mark(headers: Mapping[str, str]) -> str | None:
    """What tells this edition of the file from another: a strong entity tag or a date."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _notes(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _plain(cause: object) -> str:
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(text.split())
