"""Draft the edits between what was answered for a problem of the library and what is shipped.

    python scripts/library_edits.py channels > envs/formulation/library/channels/edits.yaml

Each edit's reason is left as TODO, for a person who knows it. Split a section that was replaced
whole where single edits say more.
"""

import sys
from dataclasses import replace

import envs
from envs.formulation.edits import differences, write_edits
from envs.formulation.recordings import of_library


def main(name: str) -> None:
    """Print the edits of one problem."""
    recording = next(r for r in of_library() if r.name == name)
    edits = differences(recording.answered(), envs.load(name).document)
    print(write_edits(replace(edit, why="TODO") for edit in edits), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
