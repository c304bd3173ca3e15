"""The document as Markdown with LaTeX, as code forges and notebooks render it."""

from __future__ import annotations

from envs.mathematics import tree as t
from envs.mathematics.blocks import Block, Cell, Equation, Heading, Paragraph, Source, Table
from envs.mathematics.prose import markdown_text, unit_text, within
from envs.mathematics.sections import Document
from envs.problem import Problem


def as_markdown(problem: Problem) -> str:
    """A problem as Markdown with formulas in LaTeX."""
    document = Document(problem)
    parts = [f"# {markdown_text(document.title)}"]
    if document.summary:
        parts.append(markdown_text(document.summary))
    parts += [_block(block) for block in document.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {markdown_text(text)}"
        case Paragraph(pieces):
            return _pieces(pieces)
        case Equation(formula, unit, note):
            shown = f"\\quad [\\text{{{unit_text(unit)}}}]" if unit_text(unit) else ""
            body = _display(formula, shown)
            return f"{markdown_text(note)}:\n\n{body}" if note else body
        case Table(head, rows):
            lines = [
                _line(tuple(markdown_text(cell) for cell in head)),
                _line(("---",) * len(head)),
            ]
            return "\n".join([*lines, *(_line(tuple(map(_pieces, row))) for row in rows)])
        case Source(name, latex, words):
            return f"{markdown_text(name)}: {markdown_text(words)}\n\n```math\n{latex}\n```"


def _display(formula: t.Formula, unit: str) -> str:
    # A fence of its own keeps Markdown from reading underscores and asterisks as its own.
    return f"```math\n{t.latex(formula)}{unit}\n```"


def _pieces(cell: Cell) -> str:
    # Dollar-backtick is the inline form that leaves the formula alone.
    return "".join(
        within(piece, markdown_text)
        if isinstance(piece, str)
        else f"$`{t.latex(piece)}`$".replace("|", r"\vert ")
        for piece in cell
    )


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
