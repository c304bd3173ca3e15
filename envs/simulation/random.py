"""Counter-based randomness: every draw has an address, so nothing depends on batch size or order.

The address is (problem, major version, split, what is drawn, scenario, position). Philox, a
counter-based generator (Salmon et al. 2011), is keyed by the first four. Positions lie on pages,
and the counter is set from page and scenario: neighbouring scenarios come out of one call, and a
path that becomes longer keeps its beginning.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_WORDS_PER_COUNT = 4
"""Philox 4x64 gives four words for each value of its counter."""

_LARGEST_PAGE = 256
"""Pages double in size up to this: few calls for long paths, little waste for short ones."""


def stream_key(problem: str, version: int, split: str, what: str) -> NDArray[np.uint64]:
    """The Philox key of one stream of draws."""
    text = f"{problem}|{version}|{split}|{what}"
    return np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype=np.uint64)


def uniforms(
    key: NDArray[np.uint64], scenarios: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Uniform draws in (0, 1).

    Args:
        key: Of the stream.
        scenarios: Scenario numbers, not negative, shape ``(batch,)``.
        count: Draws for each scenario.

    Returns:
        Array of shape ``(count, batch)``; a column depends only on its scenario number, and is the
        beginning of the column for a larger count.
    """
    batch = len(scenarios)
    out = np.empty((count, batch))
    breaks = np.flatnonzero(np.diff(scenarios) != 1) + 1
    first, page, size = 0, 0, _WORDS_PER_COUNT
    while first < count:
        last = min(first + size, count)
        for start, stop in zip([0, *breaks], [*breaks, batch], strict=True):
            # Philox counts with 256 bits: the page in the upper half, the scenario in the lower.
            counter = (page << 128) + int(scenarios[start]) * (size // _WORDS_PER_COUNT)
            generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
            rows = generator.random((stop - start, size))
            # A double has 53 bits: 0 may come, 1 may not. Inversion needs both ends open.
            np.maximum(rows[:, : last - first].T, 2.0**-54, out=out[first:last, start:stop])
        first, page, size = last, page + 1, min(last, _LARGEST_PAGE)
    return out
