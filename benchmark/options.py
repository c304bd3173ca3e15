"""The options of the config groups that ship with the package."""

from importlib import resources
from pathlib import Path


def option_names(group: str) -> list[str]:
    """The options of a config group that ships with the package; none where there is no group."""
    folder = resources.files("conf") / group
    if not folder.is_dir():
        return []
    names = [Path(entry.name) for entry in folder.iterdir()]
    yaml = [name.stem for name in names if name.suffix == ".yaml"]
    return sorted(name for name in yaml if not name.startswith("_"))
