"""What the folder of a finished run consists of for others, and its checksums."""

import hashlib
from pathlib import Path

from benchmark.store import write_text

CHECKSUMS = "SHA256SUMS"
"""As ``sha256sum`` writes it, so that ``sha256sum -c`` checks it too."""

CONFIG, MANIFEST, RESULT, EPISODES = "config.yaml", "manifest.json", "result.json", "episodes.csv"
REQUIRED = (CONFIG, MANIFEST, RESULT, EPISODES)
PROBLEM = "problem.yaml"
"""The spec, where the problem is none of the library."""

WEIGHTS = "weights"
MOST_WEIGHTS = 16


def seal(folder: Path) -> None:
    """Write the checksums of everything a submission consists of."""
    names = [*REQUIRED, PROBLEM, *(f"{WEIGHTS}/{name}" for name in listed(folder / WEIGHTS))]
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if (folder / name).is_file()
    ]
    write_text(folder / CHECKSUMS, "".join(lines))


def listed(folder: Path) -> list[str]:
    """Names of what lies in a folder; none where there is none."""
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
