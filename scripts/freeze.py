"""Publish the conditions of a protocol's version for the problems that have none yet.

    python scripts/freeze.py v1

A problem that is published already is left as it is: changed conditions are a new version.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmark.conditions import conditions_of
from benchmark.options import option_names
from benchmark.protocol import FROZEN, frozen

PATH = Path(__file__).parents[1] / "benchmark" / FROZEN


def main() -> None:
    """Add what is missing, and say what was added."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("version", help="a file of conf/protocol, without .yaml")
    version = parser.parse_args().version
    published = frozen()
    problems = published.setdefault(version, {})
    for name in option_names("env"):
        if name not in problems:
            problems[name] = conditions_of(version, name)
            print(f"{version}: {name} {problems[name]}")
    PATH.write_text(json.dumps(published, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
