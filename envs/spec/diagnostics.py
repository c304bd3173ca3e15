"""Typed diagnostics: what is wrong with a spec, where, and what to do about it.

The same text is shown to a person and given to a language model to repair its answer, so it must
teach.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding in a spec.

    Attributes:
        code: Short kebab-case kind, for instance ``unit-mismatch``.
        path: Place in the document, dotted, for instance ``equations.rate.expr``.
        expected: What the language asks for at this place.
        actual: What was found.
        hint: What to do about it.
    """

    code: str
    path: str
    expected: str
    actual: str
    hint: str

    def __str__(self) -> str:
        """Render as three short lines: place and code, expectation, remedy."""
        return (
            f"{self.path}: {self.code}\n"
            f"  expected {self.expected}; found {self.actual}\n"
            f"  hint: {self.hint}"
        )


class SpecError(ValueError):
    """A spec was refused.

    Attributes:
        diagnostics: Everything that was found, in document order of discovery; never empty.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Collect the diagnostics into one message."""
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics))


class Finding(Exception):
    """A diagnostic without its path yet, raised where only the local cause is known.

    Whoever knows the place in the document catches it and calls `at`.
    """

    def __init__(self, code: str, expected: str, actual: str, hint: str) -> None:
        """Keep the parts of a `Diagnostic` that are known here."""
        super().__init__(f"{code}: expected {expected}; found {actual}; {hint}")
        self.code = code
        self.expected = expected
        self.actual = actual
        self.hint = hint

    def at(self, path: str) -> Diagnostic:
        """Complete the diagnostic with its place in the document."""
        return Diagnostic(self.code, path, self.expected, self.actual, self.hint)


def shorten(value: object, limit: int = 60) -> str:
    """Show a value from an untrusted document on one short printable line."""
    text = (value or "nothing") if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists the known ones when none is near."""
    options = sorted(set(known))
    match = difflib.get_close_matches(name[:80], options, n=1, cutoff=0.6)
    if match:
        return f"did you mean '{match[0]}'?"
    if not options:
        return "none is known here"
    return "known here: " + shorten(", ".join(options), 300)
