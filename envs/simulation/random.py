"""Counter-based randomness: every draw has an address, so nothing depends on batch size or order.

The address is (problem, major version, split, what is drawn, scenario, position). Philox, a
counter-based generator (Salmon et al. 2011), is keyed by the first four and its counter is set from
the scenario, so neighbouring scenarios come out of one call.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_WORDS_PER_COUNT = 4
"""Philox 4x64 gives four words for each value of its counter."""


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
        Array of shape ``(count, batch)``; a column depends only on its scenario number.
    """
    blocks = -(-count // _WORDS_PER_COUNT)
    batch = len(scenarios)
    out = np.empty((count, batch))
    breaks = np.flatnonzero(np.diff(scenarios) != 1) + 1
    for start, stop in zip([0, *breaks], [*breaks, batch], strict=True):
        counter = int(scenarios[start]) * blocks
        generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
        rows = generator.random((stop - start, blocks * _WORDS_PER_COUNT))
        out[:, start:stop] = rows[:, :count].T
    # A double has 53 bits: 0 may come, 1 may not. Inversion needs both ends open.
    return np.maximum(out, 2.0**-54, out=out)
