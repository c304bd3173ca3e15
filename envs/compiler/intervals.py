"""Interval arithmetic: what an expression can be, so that domains are proven before a run."""

from __future__ import annotations

import math
from collections.abc import Callable

from envs.spec.diagnostics import Finding

Interval = tuple[float, float]

LIMIT = 1e200


def checked(interval: Interval, what: str) -> Interval:
    """Refuse an interval that overflows or is no number.

    Raises:
        Finding: ``overflow``.
    """
    low, high = interval
    if not (-LIMIT <= low <= high <= LIMIT):
        raise Finding(
            "overflow",
            "a value that stays finite",
            f"{what} may reach {low:.3g} … {high:.3g}",
            "bound it with clip(x, low, high), or give the process or state tighter bounds",
        )
    return low, high


def add(a: Interval, b: Interval) -> Interval:
    """Sum."""
    return a[0] + b[0], a[1] + b[1]


def subtract(a: Interval, b: Interval) -> Interval:
    """Difference."""
    return a[0] - b[1], a[1] - b[0]


def multiply(a: Interval, b: Interval) -> Interval:
    """Product."""
    ends = [x * y for x in a for y in b]
    return min(ends), max(ends)


def divide(a: Interval, b: Interval) -> Interval:
    """Quotient.

    Raises:
        Finding: ``domain`` when the denominator may be zero.
    """
    if b[0] <= 0 <= b[1]:
        raise Finding(
            "domain",
            "a denominator that cannot be 0",
            f"one between {b[0]:.4g} and {b[1]:.4g} (in base units)",
            "write max(x, small) in the denominator, or bound what it is made of",
        )
    return multiply(a, (1 / b[1], 1 / b[0]))


def modulo(a: Interval, b: Interval) -> Interval:
    """Remainder, with the sign of the divisor.

    Raises:
        Finding: ``domain`` when the divisor may be zero.
    """
    divide(a, b)
    return (0.0, b[1]) if b[0] > 0 else (b[0], 0.0)


def power(a: Interval, b: Interval) -> Interval:
    """``a ** b`` for a positive base, or an even or odd whole exponent.

    Raises:
        Finding: ``domain`` when the base may be negative and the exponent is not whole, or zero to
            a negative power.
    """
    whole = b[0] == b[1] and float(b[0]).is_integer()
    if whole and b[0] >= 0:
        ends = [_power(a[0], b[0]), _power(a[1], b[0])]
        low = 0.0 if b[0] % 2 == 0 and b[0] > 0 and a[0] < 0 < a[1] else min(ends)
        return low, max(ends)
    if a[0] > 0 or (a[0] == 0 and b[0] >= 0):
        ends = [_power(x, y) for x in a for y in b]
        return min(ends), max(ends)
    raise Finding(
        "domain",
        "a positive base" if not whole else "a base that cannot be 0",
        f"one between {a[0]:.4g} and {a[1]:.4g} to the power {b[0]:.4g} … {b[1]:.4g}",
        "write max(x, small) as the base",
    )


def _power(x: float, y: float) -> float:
    try:
        return float(x**y)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _monotone(function: Callable[[float], float]) -> Callable[[Interval], Interval]:
    def bound(a: Interval) -> Interval:
        try:
            return function(a[0]), function(a[1])
        except OverflowError:
            return 0.0, math.inf

    return bound


def _domain(
    function: Callable[[float], float], name: str, minimum: float, strict: bool
) -> Callable[[Interval], Interval]:
    def bound(a: Interval) -> Interval:
        if a[0] < minimum or (strict and a[0] == minimum):
            raise Finding(
                "domain",
                f"{name} of a value {'above' if strict else 'at least'} {minimum:g}",
                f"one between {a[0]:.4g} and {a[1]:.4g} (in base units)",
                f"write {name}(max(x, small)), or bound what it is made of",
            )
        return function(a[0]), function(a[1])

    return bound


def _absolute(a: Interval) -> Interval:
    low = 0.0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
    return low, max(abs(a[0]), abs(a[1]))


def _hypotenuse(a: Interval, b: Interval) -> Interval:
    (a_low, a_high), (b_low, b_high) = _absolute(a), _absolute(b)
    return math.hypot(a_low, b_low), math.hypot(a_high, b_high)


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


UNARY: dict[str, Callable[[Interval], Interval]] = {
    "negate": lambda a: (-a[1], -a[0]),
    "abs": _absolute,
    "square": lambda a: power(a, (2.0, 2.0)),
    "sqrt": _domain(math.sqrt, "sqrt", 0.0, False),
    "exp": _monotone(math.exp),
    "expm1": _monotone(math.expm1),
    "log": _domain(math.log, "log", 0.0, True),
    "log2": _domain(math.log2, "log2", 0.0, True),
    "log10": _domain(math.log10, "log10", 0.0, True),
    "log1p": _domain(math.log1p, "log1p", -1.0, True),
    "sin": lambda a: (-1.0, 1.0),
    "cos": lambda a: (-1.0, 1.0),
    "tanh": _monotone(math.tanh),
    "sign": _monotone(_sign),
    "round": _monotone(round),
    "floor": _monotone(math.floor),
    "ceil": _monotone(math.ceil),
    "not": lambda a: (0.0, 1.0),
    "number": lambda a: (0.0, 1.0),
}

BINARY: dict[str, Callable[[Interval, Interval], Interval]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "power": power,
    "mod": modulo,
    "hypot": _hypotenuse,
    "atan2": lambda a, b: (-math.pi, math.pi),
    "minimum": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "maximum": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    **dict.fromkeys(
        ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "and", "or"),
        lambda a, b: (0.0, 1.0),
    ),
}
