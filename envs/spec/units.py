"""A small closed algebra of physical units, safe on untrusted text.

A dimension is a vector of rational exponents over eleven base dimensions: five of the SI, and
beside them CO2e mass, bit, cycle, request, image and currency. A unit is a dimension and a factor
to the coherent base (m, kg, s, A, K, gCO2e, bit, …). The `pint` library serves as the oracle for
this module in the tests; it is not used here because it executes arithmetic of unbounded cost on
hostile strings.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from envs.spec.diagnostics import Finding, nearest, shorten

BASE_UNITS = ("m", "kg", "s", "A", "K", "gCO2e", "bit", "cycle", "request", "image", "EUR")

_MAX_UNIT_LENGTH = 64
_MAX_EXPONENT = 12
_MAX_MAGNITUDE = 90


@dataclass(frozen=True, slots=True)
class Dimension:
    """Exponents over `BASE_UNITS`."""

    exponents: tuple[Fraction, ...]

    def __mul__(self, other: Dimension) -> Dimension:
        """Dimension of a product."""
        pairs = zip(self.exponents, other.exponents, strict=True)
        return Dimension(tuple(a + b for a, b in pairs))

    def __truediv__(self, other: Dimension) -> Dimension:
        """Dimension of a quotient."""
        pairs = zip(self.exponents, other.exponents, strict=True)
        return Dimension(tuple(a - b for a, b in pairs))

    def __pow__(self, exponent: Fraction) -> Dimension:
        """Dimension of a power."""
        return Dimension(tuple(a * exponent for a in self.exponents))

    @property
    def dimensionless(self) -> bool:
        """Whether every exponent is zero."""
        return not any(self.exponents)

    def __str__(self) -> str:
        """A common name where there is one, otherwise a product of base units."""
        if self.dimensionless:
            return "1 (dimensionless)"
        for name in _COMMON_NAMES:
            if parse_unit(name).dimension == self:
                return f"{name} ({_product(self)})" if name not in BASE_UNITS else name
        return _product(self)


def _product(dimension: Dimension) -> str:
    above, below = [], []
    for name, exponent in zip(BASE_UNITS, dimension.exponents, strict=True):
        size = abs(exponent)
        text = name if size == 1 else f"{name}^{size}"
        if exponent > 0:
            above.append(text)
        elif exponent < 0:
            below.append(text)
    head = "*".join(above) or "1"
    return f"{head}/({'*'.join(below)})" if len(below) > 1 else "/".join([head, *below])


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: text as written, its dimension, and the factor to the coherent base unit."""

    text: str
    dimension: Dimension
    factor: float


DIMENSIONLESS = Dimension((Fraction(0),) * len(BASE_UNITS))


def _base(name: str) -> Dimension:
    return Dimension(tuple(Fraction(int(name == unit)) for unit in BASE_UNITS))


_M, _KG, _S, _A, _K, _CO2, _BIT, _CYCLE, _REQUEST, _IMAGE, _EUR = map(_base, BASE_UNITS)
_JOULE = _KG * _M ** Fraction(2) / _S ** Fraction(2)
_WATT = _JOULE / _S
_VOLT = _WATT / _A

# name: (dimension, factor, whether SI prefixes apply)
_UNITS: dict[str, tuple[Dimension, float, bool]] = {
    "1": (DIMENSIONLESS, 1.0, False),
    "percent": (DIMENSIONLESS, 0.01, False),
    "rad": (DIMENSIONLESS, 1.0, False),
    "m": (_M, 1.0, True),
    "g": (_KG, 1e-3, True),
    "t": (_KG, 1e3, False),
    "s": (_S, 1.0, True),
    "min": (_S, 60.0, False),
    "h": (_S, 3600.0, False),
    "day": (_S, 86_400.0, False),
    "year": (_S, 31_536_000.0, False),
    "A": (_A, 1.0, True),
    "K": (_K, 1.0, False),
    "Pa": (_JOULE / _M ** Fraction(3), 1.0, True),
    "Hz": (DIMENSIONLESS / _S, 1.0, True),
    "J": (_JOULE, 1.0, True),
    "Wh": (_JOULE, 3600.0, True),
    "W": (_WATT, 1.0, True),
    "VA": (_WATT, 1.0, True),
    "var": (_WATT, 1.0, True),
    "V": (_VOLT, 1.0, True),
    "C": (_A * _S, 1.0, False),
    "Ah": (_A * _S, 3600.0, True),
    "ohm": (_VOLT / _A, 1.0, True),
    "gCO2e": (_CO2, 1.0, True),
    "tCO2e": (_CO2, 1e6, False),
    "bit": (_BIT, 1.0, True),
    "byte": (_BIT, 8.0, True),
    "cycle": (_CYCLE, 1.0, True),
    "flop": (_CYCLE, 1.0, True),
    "request": (_REQUEST, 1.0, False),
    "image": (_IMAGE, 1.0, False),
    "EUR": (_EUR, 1.0, False),
    "ct": (_EUR, 0.01, False),
}

_PREFIXES = {
    "T": 1e12,
    "G": 1e9,
    "M": 1e6,
    "k": 1e3,
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "p": 1e-12,
}

_COMMON_NAMES = (
    *BASE_UNITS,
    "J",
    "W",
    "V",
    "ohm",
    "Hz",
    "bit/s",
    "gCO2e/J",
    "gCO2e/s",
    "J/K",
    "W/K",
    "bit/s/Hz",
)

_REFUSED = {
    "degC": "degrees Celsius are not linear: use unit K and from_celsius(21) in expressions",
    "degF": "degrees Fahrenheit are not linear: use unit K",
    "dB": "decibels are not linear: use unit 1 and from_db(9) in expressions",
    "dBm": "decibels are not linear: use unit W and from_dbm(20) in expressions",
    "dBi": "decibels are not linear: use unit 1 and from_db(8) in expressions",
    "gCO2": "write gCO2e: grams of CO2-equivalent",
    "gCO2eq": "write gCO2e: grams of CO2-equivalent",
    "kgCO2": "write kgCO2e: CO2-equivalent",
    "Mb": "write Mbit",
    "B": "write byte",
    "Ω": "write ohm",
    "hour": "write h",
    "seconds": "write s",
    "%": "write percent",
}

_TOKEN = re.compile(
    r"\s*(?:([A-Za-z][A-Za-z0-9]*|1(?![0-9])|[^\x00-\x7f]+|%)|([*/^()·])|(-?[0-9]+))"
)
_QUANTITY = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)\s*(\S.*)?$")


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """Read a unit such as ``Mbit/s`` or ``W/(m^2)``.

    Raises:
        Finding: ``bad-unit`` when the text is no unit of the language.
    """
    if len(text) > _MAX_UNIT_LENGTH:
        raise _bad(text, f"a unit has at most {_MAX_UNIT_LENGTH} characters")
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad(
                text, "write products and quotients of units, for instance 'gCO2e/kWh' or 'm/s^2'"
            )
        tokens.append(match.group().strip())
        position = match.end()
    if not tokens:
        raise _bad(text, "write '1' for a dimensionless quantity")
    dimension, factor, rest = _parse_product(tokens, text)
    if rest:
        raise _bad(text, "a parenthesis is not balanced")
    if any(abs(e) > _MAX_EXPONENT for e in dimension.exponents):
        raise _bad(text, f"exponents go up to {_MAX_EXPONENT}")
    return Unit(text.strip(), dimension, factor)


def _bad(text: str, hint: str) -> Finding:
    return Finding("bad-unit", "a unit of the language", f"'{shorten(text)}'", hint)


def _parse_product(tokens: list[str], text: str) -> tuple[Dimension, float, list[str]]:
    dimension, factor = DIMENSIONLESS, 1.0
    sign = 1
    wants_factor = True
    while tokens and tokens[0] != ")":
        head = tokens[0]
        if head in ("*", "·", "/"):
            if wants_factor:
                raise _bad(text, f"'{head}' needs a unit on its left and on its right")
            sign, wants_factor, tokens = (-1 if head == "/" else 1), True, tokens[1:]
            continue
        if not wants_factor:
            raise _bad(text, "write '*' or '/' between two units")
        part, size, tokens = _parse_power(tokens, text)
        dimension = dimension * part ** Fraction(sign)
        factor *= size**sign
        if abs(math.log10(factor)) > _MAX_MAGNITUDE:
            raise _bad(text, f"a unit is at most 10^{_MAX_MAGNITUDE} of its base units")
        wants_factor = False
    if wants_factor:
        raise _bad(text, "a unit is missing")
    return dimension, factor, tokens


def _parse_power(tokens: list[str], text: str) -> tuple[Dimension, float, list[str]]:
    head, tokens = tokens[0], tokens[1:]
    if head == "(":
        dimension, factor, tokens = _parse_product(tokens, text)
        if not tokens:
            raise _bad(text, "a parenthesis is not closed")
        tokens = tokens[1:]
    else:
        dimension, factor = _named_unit(head, text)
    if tokens and tokens[0] == "^":
        exponent = tokens[1] if len(tokens) > 1 else ""
        if not re.fullmatch(r"-?[0-9]{1,2}", exponent) or abs(int(exponent)) > _MAX_EXPONENT:
            raise _bad(text, f"'^' takes a whole number from -{_MAX_EXPONENT} to {_MAX_EXPONENT}")
        if abs(math.log10(factor)) * abs(int(exponent)) > _MAX_MAGNITUDE:
            raise _bad(text, f"a unit is at most 10^{_MAX_MAGNITUDE} of its base units")
        dimension, factor = dimension ** Fraction(int(exponent)), factor ** int(exponent)
        tokens = tokens[2:]
    return dimension, factor, tokens


def _named_unit(name: str, text: str) -> tuple[Dimension, float]:
    if name in _UNITS:
        dimension, factor, _ = _UNITS[name]
        return dimension, factor
    prefix, rest = name[:1], name[1:]
    if prefix in _PREFIXES and rest in _UNITS and _UNITS[rest][2]:
        dimension, factor, _ = _UNITS[rest]
        return dimension, factor * _PREFIXES[prefix]
    raise _bad(
        text, _REFUSED.get(name) or f"'{shorten(name, 20)}' is no unit; " + nearest(name, _UNITS)
    )


def parse_quantity(text: str) -> tuple[float, Unit]:
    """Read a number with a unit, such as ``30 MHz`` or ``0.5``.

    Returns:
        The number as written and its unit (``1`` when there is none).

    Raises:
        Finding: ``bad-value`` or ``bad-unit``.
    """
    match = _QUANTITY.match(text) if len(text) <= 2 * _MAX_UNIT_LENGTH else None
    number = float(match.group(1)) if match else math.inf
    if match is None or not math.isfinite(number):
        raise Finding(
            "bad-value",
            "a finite number and a unit",
            f"'{shorten(text)}'",
            "write for instance '30 MHz'",
        )
    return number, parse_unit(match.group(2) or "1")
