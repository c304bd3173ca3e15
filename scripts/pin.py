"""Write the exact versions of everything the project needs, as installed here.

    python scripts/pin.py > constraints.txt

Walks the requirements of `pyproject.toml` (run time and every extra) through the installed
distributions. Local version suffixes (`2.13.0+cpu`) are dropped: a constraint must hold for every
build of a version.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Everything the suite is tested with, exactly: `pip install -c constraints.txt -e .`
# Written by `python scripts/pin.py > constraints.txt`; Linux, Python {python}.
"""


def direct_requirements() -> list[Requirement]:
    """The requirements of `pyproject.toml`: build, run time and every extra."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        document = tomllib.load(file)
    project = document["project"]
    extras = project["optional-dependencies"].values()
    texts = project["dependencies"] + [text for extra in extras for text in extra]
    requirements = [Requirement(text) for text in texts + document["build-system"]["requires"]]
    # An extra may name others of this project, which are in the list themselves.
    return [requirement for requirement in requirements if requirement.name != project["name"]]


def closure(requirements: list[Requirement]) -> dict[str, str]:
    """Pin the requirements and all they need in turn, as `{canonical name: "Name==version"}`."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    pending = [
        (requirement, extra) for requirement in requirements for extra in _extras(requirement)
    ]
    while pending:
        requirement, extra = pending.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        distribution = metadata.distribution(name)
        pins[name] = f"{distribution.metadata['Name']}=={Version(distribution.version).public}"
        for text in distribution.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                pending += [(needed, wanted) for wanted in _extras(needed)]
    return pins


def _extras(requirement: Requirement) -> list[str]:
    return ["", *requirement.extras]


def main() -> None:
    """Print the constraints file."""
    pins = closure(direct_requirements())
    print(HEADER.format(python=f"{sys.version_info.major}.{sys.version_info.minor}"), end="")
    print(*(pins[name] for name in sorted(pins)), sep="\n")


if __name__ == "__main__":
    main()
