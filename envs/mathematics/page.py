"""The document as one HTML page: MathML, no script, nothing fetched."""

from __future__ import annotations

from envs.mathematics import tree as t
from envs.mathematics.blocks import Block, Cell, Equation, Heading, Paragraph, Source, Table
from envs.mathematics.prose import html_text, unit_text, within
from envs.mathematics.sections import Document
from envs.problem import Problem

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2321; --faint: #5d6763; --paper: #fdfdfb;
  --rule: #dfe4e0; --tint: #f2f5f1; --accent: #2c6e4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9e5; --faint: #9aa7a0; --paper: #151917;
  --rule: #303834; --tint: #1c2320; --accent: #7cc7a0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 54rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2.75rem 0 .75rem; padding-bottom: .3rem; color: var(--accent);
  border-bottom: 1px solid var(--rule); }
p { margin: .6rem 0; overflow-wrap: anywhere; }
.summary { font-size: 1.08rem; color: var(--faint); margin-bottom: 1.5rem; }
.equation { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: center;
  gap: 0 1.25rem; margin: .5rem 0; }
.equation > .formula { overflow-x: auto; overflow-y: hidden; padding: .25rem 0 .4rem; }
.equation > .unit { color: var(--faint); font-size: .86rem; white-space: nowrap; }
.equation > .note { grid-column: 1 / -1; color: var(--faint); font-size: .9rem; margin-top: .35rem;
  overflow-wrap: anywhere; }
math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "Libertinus Math",
  "TeX Gyre Termes Math", "DejaVu Math TeX Gyre", math;
  font-size: 1.14em; }
math[display="block"] { text-align: left; display: block math; margin: 0; width: max-content; }
mtable.lines mtd { text-align: left; padding: .25rem 0; }
mtable.cases mtd { text-align: left; padding: .15rem .6rem .15rem .2rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th { text-align: left; font-weight: 600; color: var(--faint); font-size: .84rem; }
th, td { padding: .4rem .9rem .4rem .25rem; border-bottom: 1px solid var(--rule);
  vertical-align: baseline; }
td:first-child { white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--tint); }
td.words { color: var(--faint); overflow-wrap: break-word; }
td { max-width: 26rem; }
td.words:last-child { min-width: 13rem; }
@media print { main { max-width: none; padding: 0; } }
@media (max-width: 36rem) { main { padding: 1.5rem 1rem 4rem; } h1 { font-size: 1.5rem; }
  table { font-size: .88rem; } math { font-size: 1.05em; }
  .equation { grid-template-columns: minmax(0, 1fr); }
  .equation > .unit { text-align: right; margin-top: -.35rem; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def as_page(problem: Problem) -> str:
    """A problem as a page that needs nothing but itself.

    Raises:
        ModuleNotFoundError: It uses formulas of the field, and ``latex2mathml`` is missing.
    """
    document = Document(problem)
    title = html_text(document.title)
    summary = f'<p class="summary">{html_text(document.summary)}</p>' if document.summary else ""
    body = "\n".join(_block(block) for block in document.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{summary}\n{body}\n</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{html_text(text)}</h2>"
        case Paragraph(pieces):
            return f"<p>{_pieces(pieces)}</p>"
        case Equation(formula, unit, note):
            return _equation(t.mathml(formula), unit_text(unit), note)
        case Table(head, rows):
            top = "".join(f"<th>{html_text(cell)}</th>" for cell in head)
            body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
            return (
                f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
                f"<tbody>{body}</tbody></table></div>"
            )
        case Source(name, latex, words):
            return _equation(_converted(latex), "", f"{name}: {words}")


def _equation(formula: str, unit: str, note: str) -> str:
    shown = f'<div class="unit">{html_text(unit)}</div>' if unit else ""
    words = f'<div class="note">{html_text(note)}</div>' if note else ""
    return f'<div class="equation">{words}<div class="formula">{formula}</div>{shown}</div>'


def _cell(cell: Cell) -> str:
    kind = ' class="words"' if all(isinstance(piece, str) for piece in cell) else ""
    return f"<td{kind}>{_pieces(cell)}</td>"


def _pieces(cell: Cell) -> str:
    return "".join(
        within(piece, html_text) if isinstance(piece, str) else t.mathml(piece, block=False)
        for piece in cell
    )


def _converted(latex: str) -> str:
    """LaTeX of our own registry as MathML."""
    from latex2mathml.converter import convert

    converted: str = convert(latex, display="block")
    return converted
