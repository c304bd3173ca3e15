"""Typeset formulas as a small tree, and the two ways to write it down."""

from __future__ import annotations

import html
from dataclasses import dataclass

from envs.mathematics.prose import latex_text, visible

_SPACES = {r"\,": "0.17em", r"\;": "0.28em", r"\quad": "1.2em"}

GREEK = {
    name: chr(code)
    for name, code in {
        "alpha": 0x3B1, "beta": 0x3B2, "gamma": 0x3B3, "delta": 0x3B4, "epsilon": 0x3B5,
        "eta": 0x3B7, "theta": 0x3B8, "kappa": 0x3BA, "mu": 0x3BC, "pi": 0x3C0, "rho": 0x3C1,
        "sigma": 0x3C3, "tau": 0x3C4, "phi": 0x3C6, "psi": 0x3C8, "omega": 0x3C9,
        "Delta": 0x394,
    }.items()
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """An upright name: several letters are one thing, not a product."""

    text: str


@dataclass(frozen=True)
class Letter:
    """An italic letter, Latin or the name of a Greek one."""

    text: str


@dataclass(frozen=True)
class Number:
    """A number as it is read."""

    text: str


@dataclass(frozen=True)
class Text:
    """Words, labels and units, upright, from anybody's hand."""

    text: str


@dataclass(frozen=True)
class Operator:
    """A sign between or before things: its LaTeX and its character."""

    latex: str
    character: str


@dataclass(frozen=True)
class Row:
    """Things side by side."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Script:
    """A base with something below or above on its right."""

    base: Formula
    below: Formula | None = None
    above: Formula | None = None


@dataclass(frozen=True)
class Fraction:
    """One over another."""

    above: Formula
    below: Formula


@dataclass(frozen=True)
class Root:
    """A square root."""

    inner: Formula


@dataclass(frozen=True)
class Fenced:
    """Something between signs that grow with it."""

    left: str
    inner: Formula
    right: str


@dataclass(frozen=True)
class Under:
    """A large operator with its range below it."""

    operator: Operator | Word
    below: Formula


@dataclass(frozen=True)
class Cases:
    """Values with their conditions."""

    rows: tuple[tuple[Formula, Formula], ...]


@dataclass(frozen=True)
class Lines:
    """A long formula on several lines: what stands left of the sign, then the lines."""

    left: Formula
    lines: tuple[Formula, ...]


Formula = (
    Word | Letter | Number | Text | Operator | Row | Script | Fraction | Root | Fenced | Under
    | Cases | Lines
)  # fmt: skip

_LATEX_FENCES = {"{": r"\{", "}": r"\}", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil"}
_LATEX_FENCES |= {"⌉": r"\rceil", "": ".", "|": r"\lvert", "‖": r"\rvert"}


def latex(formula: Formula) -> str:
    """A formula as LaTeX, for amsmath and for what pages render."""
    match formula:
        case Word(text):
            return rf"\mathrm{{{latex_text(text)}}}"
        case Letter(text):
            return rf"\{text}" if text in GREEK else text
        case Number(text):
            return _latex_number(text)
        case Text(text):
            return rf"\text{{{latex_text(text)}}}"
        case Operator(command, _):
            return command
        case Row(parts):
            return " ".join(latex(part) for part in parts)
        case Script(base, below, above):
            low = f"_{{{latex(below)}}}" if below is not None else ""
            high = f"^{{{latex(above)}}}" if above is not None else ""
            return f"{latex(base)}{low}{high}"
        case Fraction(above, below):
            return rf"\frac{{{latex(above)}}}{{{latex(below)}}}"
        case Root(inner):
            return rf"\sqrt{{{latex(inner)}}}"
        case Fenced(left, inner, right):
            a, b = _LATEX_FENCES.get(left, left), _LATEX_FENCES.get(right, right)
            return rf"\left{a} {latex(inner)} \right{b}"
        case Under(operator, below):
            sign = latex(operator)
            if isinstance(operator, Word):
                sign = rf"\operatorname*{{{latex_text(operator.text)}}}"
            return rf"{sign}_{{{latex(below)}}}"
        case Cases(rows):
            body = r" \\ ".join(f"{latex(value)} & {latex(when)}" for value, when in rows)
            return rf"\begin{{cases}} {body} \end{{cases}}"
        case Lines(left, lines):
            body = " \\\\\n&\\quad ".join(latex(line) for line in lines)
            return f"\\begin{{aligned}}\n{latex(left)} &= {body}\n\\end{{aligned}}"


def _latex_number(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return mantissa
    power = rf"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \times {power}"


def mathml(formula: Formula, block: bool = True) -> str:
    """A formula as MathML Core, which browsers show without any script."""
    display = ' display="block"' if block else ""
    return f"<math{display}>{_mathml(formula)}</math>"


def _mathml(formula: Formula) -> str:
    match formula:
        case Word(text):
            return f'<mi mathvariant="normal">{_safe(text)}</mi>'
        case Letter(text):
            return f"<mi>{GREEK.get(text, _safe(text))}</mi>"
        case Number(text):
            return _mathml_number(text)
        case Text(text):
            return f"<mtext>{_safe(text)}</mtext>"
        case Operator(command, _) if command in _SPACES:
            return f'<mspace width="{_SPACES[command]}"></mspace>'
        case Operator(_, character):
            return f"<mo>{_safe(character)}</mo>"
        case Row(parts):
            return f"<mrow>{''.join(_mathml(part) for part in parts)}</mrow>"
        case Script(base, below, above):
            return _scripts(base, below, above)
        case Fraction(above, below):
            return f"<mfrac>{_mathml(above)}{_mathml(below)}</mfrac>"
        case Root(inner):
            return f"<msqrt>{_mathml(inner)}</msqrt>"
        case Fenced(left, inner, right):
            a, b = (_fence(sign) for sign in (left, right))
            return f"<mrow>{a}{_mathml(inner)}{b}</mrow>"
        case Under(operator, below):
            sign = operator if isinstance(operator, Word) else None
            name = (
                f'<mo movablelimits="false" lspace="0.17em" rspace="0.17em">{_safe(sign.text)}</mo>'
                if sign
                else f'<mo movablelimits="false">{_mathml(operator)[4:-5]}</mo>'
            )
            return f"<munder>{name}{_mathml(below)}</munder>"
        case Cases(rows):
            body = "".join(
                f"<mtr><mtd>{_mathml(value)}</mtd><mtd>{_mathml(when)}</mtd></mtr>"
                for value, when in rows
            )
            return f'<mrow><mo stretchy="true">{{</mo><mtable class="cases">{body}</mtable></mrow>'
        case Lines(left, lines):
            first = f"<mtr><mtd>{_mathml(left)}<mo>=</mo>{_mathml(lines[0])}</mtd></mtr>"
            rest = "".join(
                f'<mtr><mtd><mspace width="2em"></mspace>{_mathml(line)}</mtd></mtr>'
                for line in lines[1:]
            )
            return f'<mtable class="lines" displaystyle="true">{first}{rest}</mtable>'


def _fence(sign: str) -> str:
    shown = "|" if sign == "‖" else sign
    return f'<mo stretchy="true" fence="true">{_safe(shown)}</mo>' if shown else ""


def _scripts(base: Formula, below: Formula | None, above: Formula | None) -> str:
    if below is not None and above is not None:
        return f"<msubsup>{_mathml(base)}{_mathml(below)}{_mathml(above)}</msubsup>"
    if below is not None:
        return f"<msub>{_mathml(base)}{_mathml(below)}</msub>"
    return f"<msup>{_mathml(base)}{_mathml(above)}</msup>" if above is not None else _mathml(base)


def _mathml_number(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    sign = "<mo>−</mo>" if mantissa.startswith("-") else ""
    size = f"<mn>{mantissa.lstrip('-')}</mn>"
    if not exponent:
        return f"<mrow>{sign}{size}</mrow>" if sign else size
    minus = "<mo>−</mo>" if exponent.startswith("-") else ""
    high = f"<mrow>{minus}<mn>{exponent.lstrip('+-').lstrip('0') or '0'}</mn></mrow>"
    power = f"<msup><mn>10</mn>{high}</msup>"
    return (
        f"<mrow>{power}</mrow>"
        if mantissa == "1"
        else f"<mrow>{sign}{size}<mo>×</mo>{power}</mrow>"
    )


def _safe(text: str) -> str:
    return html.escape(visible(text))
