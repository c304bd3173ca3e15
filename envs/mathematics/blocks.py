"""What a document is made of: headings, sentences, formulas and tables."""

from __future__ import annotations

from dataclasses import dataclass

from envs.mathematics import tree as t

Piece = str | t.Formula
"""Plain words of anybody, or a formula within a sentence."""
Cell = tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """A sentence or a few."""

    pieces: Cell


@dataclass(frozen=True)
class Equation:
    """A formula on its own, with what it is and its unit."""

    formula: t.Formula
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Source:
    """A formula known as LaTeX only: those of the field are registered so."""

    name: str
    latex: str
    words: str


Block = Heading | Paragraph | Equation | Table | Source
