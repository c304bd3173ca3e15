"""Other ways to write the same problem: each must be accepted as equivalent."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from envs.formulation.evaluation import algebra, wordings
from envs.formulation.evaluation.mutants import Document


@dataclass(frozen=True)
class Rewrite:
    """A spec that says the same.

    Attributes:
        kind: What was done.
        document: The whole spec.
    """

    kind: str
    document: Document


def rewrites(document: Document, seeds: int = 6) -> Iterator[Rewrite]:
    """Every kind once, then all kinds together in random choice and order."""
    for name, change in KINDS.items():
        for seed in range(seeds if name in _RANDOM else 1):
            yield Rewrite(name, change(copy.deepcopy(document), random.Random(seed)))
    for seed in range(3 * seeds):
        rng = random.Random(1000 + seed)
        chosen = rng.sample(sorted(_TOGETHER), 4)
        # Names last: the other kinds look items up by their sections only, lists would hide them.
        result = copy.deepcopy(document)
        for name in [*chosen, *_LAST]:
            result = KINDS[name](result, rng)
        yield Rewrite(" + ".join(["all names", *chosen]), result)


KINDS: dict[str, Callable[[Document, random.Random], Document]] = {
    "renamed": wordings.renamed,
    "items in another order": wordings.reordered,
    "elements in another order": wordings.elements_reordered,
    "other names of elements": wordings.other_labels,
    "other units": wordings.other_units,
    "equations inlined": algebra.inlined,
    "equations split": algebra.split,
    "algebra": algebra.algebra,
    "choices written otherwise": algebra.choices,
    "distributed": algebra.distributed,
    "constants moved to parameters": algebra.constants_named,
    "parameters inlined": algebra.parameters_inlined,
    "noise scaled apart": algebra.noise_apart,
    "constraint by element": algebra.constraint_by_element,
    "unused parts and wider state bounds": wordings.unused_parts,
    "lists of named items": wordings.listed,
}
"""What is done, by name."""

_RANDOM = frozenset({"renamed", "items in another order", "other units", "algebra"})
_LAST = ("renamed", "other names of elements", "lists of named items")
_TOGETHER = frozenset(KINDS) - {*_LAST, "unused parts and wider state bounds"}
