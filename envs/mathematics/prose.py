"""Texts of strangers (titles, sources, labels) made harmless for each place they are shown in."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!~^=:@])")
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def visible(text: str) -> str:
    """One line in which what steers a display (controls, direction, no width) is spelled out."""
    return "".join(
        f"⟨U+{ord(c):04X}⟩"
        if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
        else c
        for c in " ".join(text.split())
    )


def markdown_text(text: str) -> str:
    """Plain words in Markdown: neither markup nor HTML nor mathematics."""
    parts = []
    for character in visible(text):
        if character in "<>&$|":
            parts.append(f"&#{ord(character)};")
        else:
            parts.append(
                _MARKDOWN.sub(r"\\\1", character) if character in "\\`*_{}[]#~" else character
            )
    line = "".join(parts)
    # At the beginning of a line these would make a list, a heading or a rule.
    return re.sub(r"^([-+=]|[0-9]+[.)])", r"\\\1", line)


def html_text(text: str) -> str:
    """Plain words in HTML."""
    return html.escape(visible(text))


def latex_text(text: str) -> str:
    """Plain words within a text group: no command, no change of mode, no end of a block."""
    special = {
        "\\": r"\backslash ", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
        "_": r"\_", "%": r"\%", "^": "ˆ", "~": "˜", "`": "'", "<": "‹", ">": "›",
    }  # fmt: skip
    return "".join(special.get(character, character) for character in visible(text))


def within(text: str, written: Callable[[str], str]) -> str:
    """A part of a sentence: written as it must be, with the spaces at its ends."""
    before, after = (" " if side == " " else "" for side in (text[:1], text[-1:]))
    return f"{before}{written(text)}{after if text.strip() else ''}"


def unit_text(unit: str) -> str:
    """A unit as it is printed: ``gCO2e/kWh`` and ``m^2`` become gCO₂e/kWh and m²."""
    if unit == "1":
        return ""
    if re.fullmatch(r"1/[A-Za-z]+", unit):
        unit = f"{unit[2:]}^-1"
    shown = unit.replace("CO2e", "CO₂e").replace("*", "·").replace("percent", "%")
    shown = re.sub(r"\bu(?=[A-Za-z])", "µ", shown).replace("ohm", "Ω")
    return re.sub(r"\^(-?[0-9]+)", lambda m: m.group(1).translate(_SUPERSCRIPTS), shown)


def number_text(value: float) -> str:
    """A number with the digits it was given with, in at most ten places."""
    text = f"{value:.10g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def plain_number(value: float) -> str:
    """A number within a sentence, with a real minus and a power of ten."""
    mantissa, _, exponent = number_text(value).partition("e")
    size = mantissa.replace("-", "−")
    return f"{size}·10{exponent.translate(_SUPERSCRIPTS)}" if exponent else size
