"""Which days of a recording belong to which split.

The days are dealt out in blocks of six runs: four for train, one for validation, one for test. All
seasons thus occur in every split, and no day in two. An episode starts at a day from which it stays
within a run, with all that forecasts look ahead, so that it never meets a seam.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

RUNS = ("train",) * 4 + ("validation", "test")
SPARE_DAYS = 3
"""A run is that much longer than an episode, if the recording is long enough."""


def starting_days(days: int, needed: int) -> Mapping[str, NDArray[np.int64]]:
    """The days on which an episode may start, for each split.

    ``ood`` has the days of ``test``.

    Args:
        days: Of the recording, at least six times ``needed``.
        needed: That an episode takes, with what it looks ahead.
    """
    run = min(needed + SPARE_DAYS, days // len(RUNS))
    day = np.arange(days)
    place = day // run % len(RUNS)
    kind = np.where(place < 4, 0, place - 3)  # 0 train, 1 validation, 2 test
    inside = day[: days - needed + 1]
    whole = np.ones(len(inside), dtype=bool)
    for ahead in range(1, needed):
        # Train runs of one block touch each other; a run of another split lies between blocks.
        whole &= kind[inside + ahead] == kind[inside]
    starts = {
        split: inside[whole & (kind[inside] == number)]
        for number, split in enumerate(("train", "validation", "test"))
    }
    return {**starts, "ood": starts["test"]}
