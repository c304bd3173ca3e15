"""What was formulated before: stored, and recalled as a further example for a similar request."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

from envs.formulation.files import write_text
from envs.formulation.loop import Formulation
from envs.formulation.writing import to_yaml

SIMILAR = 0.3
"""Cosine of two requests' words from which an earlier answer is an example."""
MOST = 200


def user_folder() -> Path:
    """Where a user's own things lie: ``$XDG_DATA_HOME/lowcarbon-bench``."""
    base = os.environ.get("XDG_DATA_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share"
    return home / "lowcarbon-bench"


class StoredMemory:
    """Accepted formulations in one JSON file, the latest last."""

    def __init__(self, path: Path) -> None:
        """Use a file; it need not be there."""
        self._path = path

    def recall(self, request: str) -> tuple[str, str] | None:
        """Request and spec of the most similar earlier formulation, if one is similar enough."""
        entries = self._entries()
        if not entries:
            return None
        scores = similarities(request, [words for words, _ in entries])
        best = max(range(len(entries)), key=scores.__getitem__)
        return entries[best] if scores[best] >= SIMILAR else None

    def store(self, formulation: Formulation) -> None:
        """Keep an accepted formulation; an earlier one of the same request goes."""
        if not formulation.accepted:
            return
        request = formulation.transcript.request
        kept = [entry for entry in self._entries() if entry[0].split() != request.split()]
        document = {k: v for k, v in (formulation.document or {}).items() if k != "provenance"}
        kept.append((request, to_yaml(document)))
        write_text(self._path, json.dumps(kept[-MOST:], indent=1, ensure_ascii=False) + "\n")

    def _entries(self) -> list[tuple[str, str]]:
        """What is stored; a file that is none of ours is taken for an empty memory."""
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return []
        pairs = data if isinstance(data, list) else []
        return [
            (pair[0], pair[1])
            for pair in pairs
            if isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)
        ]


def similarities(request: str, others: list[str]) -> list[float]:
    """Cosines between the weighted words of a request and those of others."""
    words: Any = importlib.import_module("sklearn.feature_extraction.text")
    weights = words.TfidfVectorizer(stop_words="english", sublinear_tf=True)
    try:
        table = weights.fit_transform([request, *others])
    except ValueError:  # no word in any of them
        return [0.0] * len(others)
    row = (table[1:] @ table[0].T).toarray().ravel()
    return [float(value) for value in row]
