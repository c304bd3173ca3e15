"""Specs that nobody should accept: one sound spec, broken in one place at a time.

Each case names the diagnostic codes it may be refused with. The codes, and what they mean:

| code | refused because |
|---|---|
| yaml-syntax | not UTF-8, not YAML, or more than one document |
| yaml-alias, yaml-tag, yaml-duplicate | an anchor or alias, a tag, a key given twice |
| too-large, too-deep | a document or an expression over its budget |
| unknown-key, missing-key | a key the language does not have, or needs |
| bad-value | a value of the wrong kind, or out of its range |
| bad-name, name-taken | no name of the language; a name used twice or built in |
| unknown-name, unknown-function | a reference to nothing |
| bad-expression | no arithmetic of the language |
| bad-unit, unit-mismatch | no unit of the language; two dimensions that differ |
| index-mismatch, bad-shape | sets or array shapes that do not fit |
| bad-bounds | bounds in the wrong order, or unfit for their scale |
| cycle | a quantity that depends on itself |
| domain, overflow | a division by what may be 0, a log of less, a number too large |
| not-known-yet | something used before it is known |
| leaves-bounds | a state that may leave its bounds |
| bad-distribution, bad-trace | a distribution that is none; a recorded series that is not there |
| budget | sets and operations whose product is too large |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.hostile.corpus import arithmetic, documents, dynamics, ranges, vocabulary
from tests.hostile.corpus.spec import BASE_TEXT, CODES, Case

__all__ = ["BASE_TEXT", "CODES", "GROUPS", "Case", "cases"]

GROUPS: tuple[Callable[[], Iterator[Case]], ...] = (
    documents.documents,
    documents.structure,
    vocabulary.names,
    vocabulary.sets,
    vocabulary.times,
    arithmetic.expressions,
    arithmetic.units,
    arithmetic.dimensions,
    ranges.shapes,
    ranges.bounds,
    ranges.domains,
    dynamics.order,
    dynamics.distributions,
    dynamics.traces,
)


def cases() -> list[Case]:
    """The whole corpus."""
    return [case for group in GROUPS for case in group()]
