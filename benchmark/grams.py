"""Grams, in the multiple that reads well."""

from collections.abc import Iterable

MULTIPLES = ((1e3, "kg", 1e-3), (1.0, "g", 1.0), (1e-3, "mg", 1e3), (0.0, "µg", 1e6))
"""Least magnitude in grams, unit, and units per gram."""


def unit_for(values_g: Iterable[float]) -> tuple[str, float]:
    """The unit that suits the middle of the values, and how many of it make a gram."""
    ordered = sorted(abs(value) for value in values_g)
    middle = ordered[len(ordered) // 2]
    return next((unit, factor) for least, unit, factor in MULTIPLES if middle >= least)
