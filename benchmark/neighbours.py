"""Our packages have common names: say so when another distribution's stands before one of them."""

import importlib
import importlib.util
from pathlib import Path

from benchmark.errors import BenchmarkError

MARKS = {"agents": ("Agent", "Budget"), "conf": (), "envs": ("load", "make_vector")}
"""What a package of that name must have when it does not lie beside this one."""


def check_neighbours() -> None:
    """Look where ``agents``, ``conf`` and ``envs`` come from.

    Raises:
        BenchmarkError: One of them is not ours, or not there.
    """
    home = Path(__file__).resolve().parents[1]
    for name, marks in MARKS.items():
        found = importlib.util.find_spec(name)
        places = [] if found is None else list(found.submodule_search_locations or [])
        folder = Path(places[0]).resolve() if places else None
        if folder == home / name:
            continue
        if folder is None:
            raise BenchmarkError(f"the package '{name}' is not installed; it belongs in {home}")
        if not marks or not _has(name, marks):
            raise BenchmarkError(
                f"another package '{name}', in {folder}, stands before ours, in {home / name}: "
                "run from another folder, rename that one, or uninstall what it belongs to"
            )


def _has(name: str, marks: tuple[str, ...]) -> bool:
    try:
        module = importlib.import_module(name)
    except Exception:
        return False  # it is not ours, so how it fails is none of our business
    return all(hasattr(module, mark) for mark in marks)
