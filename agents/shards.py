"""A replay ring on disk, in files that are written once: a checkpoint adds what is new."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

_NAME = re.compile(r"replay-(\d+)-(\d+)\.safetensors")


class Shards:
    """The rows of a ring by their number since learning began, a span of them in each file."""

    def __init__(self, capacity: int) -> None:
        """Begin with none.

        Args:
            capacity: Rows of the ring.
        """
        self._capacity = capacity
        self._spans: list[tuple[int, int]] = []

    def write(
        self, folder: Path, columns: Mapping[str, Tensor], added: int, final: int
    ) -> list[str]:
        """Write the rows that no file holds yet.

        Args:
            folder: Where the files lie.
            columns: The ring, its rows along the first axis.
            added: Rows since learning began.
            final: How many of them will not change any more.

        Returns:
            The files that together hold what is final and still in the ring. A file of which the
            ring has overwritten every row is no longer among them.
        """
        oldest = max(added - self._capacity, 0)
        first = max(self._spans[-1][1] if self._spans else 0, oldest)
        if final > first:
            rows = torch.arange(first, final) % self._capacity
            span = (first, final)
            new = {name: column[rows.to(column.device)].cpu() for name, column in columns.items()}
            save_file(new, folder / _name(span))
            self._spans.append(span)
        self._spans = [span for span in self._spans if span[1] > oldest]
        return [_name(span) for span in self._spans]

    def read(
        self, folder: Path, files: Sequence[str], columns: Mapping[str, Tensor], added: int
    ) -> None:
        """Fill the ring from what ``write`` wrote, and go on from there.

        Args:
            folder: Where the files lie.
            files: The files of a checkpoint, others among them.
            columns: The ring to be filled.
            added: Rows there were when the checkpoint was taken.
        """
        found = [match for match in map(_NAME.fullmatch, files) if match]
        self._spans = sorted((int(match[1]), int(match[2])) for match in found)
        oldest = max(added - self._capacity, 0)
        for first, last in self._spans:
            kept = max(first, oldest)
            rows = torch.arange(kept, last) % self._capacity
            for name, values in load_file(folder / _name((first, last))).items():
                column = columns[name]
                column[rows.to(column.device)] = values[kept - first :].to(column.device)


def _name(span: tuple[int, int]) -> str:
    return f"replay-{span[0]:010}-{span[1]:010}.safetensors"
