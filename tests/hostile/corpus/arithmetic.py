"""Expressions, units and dimensions."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.corpus.spec import Case, case, changed, equation, process


def expressions() -> Iterator[Case]:
    """Code and other things that are no arithmetic."""
    code = {
        "an import": "__import__('os').system('true')",
        "a builtin": "open('/etc/passwd')",
        "eval": "eval('1')",
        "exec": "exec('1')",
        "getattr": "getattr(gain, 'real')",
        "print": "print(1)",
        "an attribute": "gain.real",
        "a method": "gain.sum()",
        "the way to subclasses": "().__class__.__bases__[0].__subclasses__()",
        "a dunder name": "__builtins__",
        "a lambda": "(lambda: 1)()",
        "a list comprehension": "sum([x for x in (1, 2)])",
        "a generator": "sum(x for x in gain)",
        "a list": "[1, 2]",
        "a tuple": "(1, 2)",
        "a dict": "{1: 2}",
        "a set": "{1, 2}",
        "an f-string": "f'{gain}'",
        "an f-string with a call": "f'{__import__(\"os\")}'",
        "a bytes literal": "b'1'",
        "a walrus": "(x := 1)",
        "a yield": "(yield 1)",
        "an await": "await gain",
        "a ternary": "1 if load else 2",
        "a star": "max(*gain)",
        "a double star": "max(**gain)",
        "a keyword argument": "clip(load, low=0, high=1)",
        "a complex number": "1j",
        "an ellipsis": "...",
        "None": "None",
        "True": "True",
        "a chained comparison": "0 < load < 1",
        "an `is`": "load is 1",
        "an `in`": "1 in gain",
        "a shift": "1 << 1000000000",
        "a bitwise and": "1 & 2",
        "a bitwise not": "~1",
        "a remainder": "load % 2",
        "a matrix product": "gain @ gain",
        "a slice": "gain[0:2]",
        "a pair as an index": "gain[0, 1]",
        "a float as an index": "gain[1.5]",
        "an expression as an index": "gain[1 + 1]",
        "two statements": "1; 2",
        "an assignment": "x = 1",
        "an import statement": "import os",
        "nothing": "",
        "white space": "   ",
        "a comment only": "# nothing",
        "a comment inside": "load  # first\n + load",
        "a line continuation": "load \\",
        "two values": "1 2",
        "an operator without operands": "* /",
        "an open parenthesis": "(1 + 2",
        "a NUL": "1 + \x00",
        "a number with a base": "0xFFFF + zz",
        "Roman scales": "5k + 3M",
        "an equals sign": "= load",
        "a dollar": "${load}",
        "a template": "{{ load }}",
        "shell": "`id`",
    }
    refused = "bad-expression unknown-function unknown-name missing-key bad-value"
    for what, text in code.items():
        yield case(f"an expression with {what}", refused, equation(text))
    arity = {
        "clip of one": "clip(load)",
        "log of nothing": "log()",
        "where of two": "where(load, 1)",
        "sqrt of two": "sqrt(1, 2)",
        "sum of nothing": "sum()",
        "interp of one": "interp(load)",
    }
    for what, text in arity.items():
        yield case(what, "bad-expression bad-value", equation(text))
    large = "too-large too-deep bad-expression"
    yield case("100,000 characters", "too-large bad-value", equation("1+" * 50_000 + "1"))
    yield case("100,000 characters of one name", "too-large bad-value", equation("x" * 100_000))
    yield case("900 terms", large, equation("+".join(["1"] * 900)))
    yield case("nesting of 90", large, equation("(1+" * 90 + "1" + ")" * 90))
    yield case("nesting of 900", large, equation("(" * 900 + "1" + ")" * 900))
    yield case("1,900 signs", large, equation("-" * 1900 + "1"))
    yield case("400 negations", large, equation("not " * 400 + "1"))
    yield case("600 powers", large, equation("2" + "**2" * 600))
    yield case("brackets of 900", large, equation("[" * 900))
    yield case("subscripts of 400", large, equation("gain" + "[0]" * 400))
    yield case("calls of 300", large, equation("abs(" * 300 + "1" + ")" * 300))
    numbers = "bad-value bad-expression overflow domain"
    yield case("a power tower", numbers, equation("9**9**9**9"))
    yield case("a power tower of floats", numbers, equation("9.0**9.0**9.0**9.0"))
    yield case(
        "a power of names", numbers + " unit-mismatch", equation("2 ** (100000 * (1 + load))")
    )
    yield case("a huge integer", numbers, equation("9" * 1900))
    yield case(
        "an integer over Python's limit of digits", numbers + " too-large", equation("9" * 5000)
    )
    yield case("1e999", numbers, equation("1e999"))
    yield case("minus 1e999", numbers, equation("-1e999"))
    yield case("1e308 times 10", numbers, equation("1e308 * 10"))
    yield case("a huge factorial of products", numbers, equation("*".join(["1e200"] * 20)))


def units() -> Iterator[Case]:
    """Units that are none, and bombs."""
    bad = {
        "an exponent bomb": "m^999999999",
        "an exponent bomb with stars": "m**9**9**9",
        "10,000 factors": "*".join(["m"] * 10_000),
        "a nested overflow": "((Tm^12)^12)^12",
        "a nested underflow": "1/((pm^12)^12)^12",
        "a nested exponent": "((m^12)^12)^12",
        "degrees Celsius": "degC",
        "decibels": "dB",
        "decibel-milliwatts": "dBm",
        "a furlong": "furlong",
        "two prefixes": "kkW",
        "a prefix on a prefix-less unit": "kmin",
        "grams of CO2 in another spelling": "gCO2",
        "an open parenthesis": "(W",
        "a closing parenthesis": "W)",
        "an operator at the end": "W/",
        "two operators": "W//s",
        "two units side by side": "W s",
        "no exponent": "m^",
        "a broken exponent": "m^0.5",
        "an exponent that is a unit": "m^m",
        "a number": "5",
        "nothing": "",
        "a blank": " ",
        "code": "__import__('os')",
        "an attribute": "ureg.meter",
        "a micro sign": "\N{MICRO SIGN}W",
        "an ohm sign of another kind": "\N{OHM SIGN}",
        "a look-alike": "\N{CYRILLIC CAPITAL LETTER KOMI SJE}",
        "a zero-width space": "W\N{ZERO WIDTH SPACE}",
        "a line feed": "W\ns",
        "parentheses only": "(" * 30 + ")" * 30,
    }
    for what, text in bad.items():
        yield case(
            f"a unit with {what}", "bad-unit bad-value", changed("parameters.noise.unit", text)
        )
    yield case(
        "a unit that is a list", "bad-value bad-unit", changed("parameters.noise.unit", ["W"])
    )
    yield case("a unit that is a number", "bad-value bad-unit", changed("parameters.noise.unit", 7))
    yield case("a unit that is true", "bad-value bad-unit", changed("parameters.noise.unit", True))
    quantities = {
        "in degrees": "5 degC",
        "that is not a number": "nan W",
        "that is infinite": "inf W",
        "over the largest float": "1e400 W",
        "with two numbers": "5 5 W",
        "with a comma": "1,5 W",
        "with a word": "many W",
        "with a bomb": "1 m^999999999",
        "with 10,000 factors": "1 " + "*".join(["m"] * 10_000),
        "with an overflow": "1 ((Tm^12)^12)^12",
    }
    for what, text in quantities.items():
        refused = "bad-value bad-unit too-large"
        yield case(f"a value {what}", refused, changed("parameters.noise.value", text))
        yield case(f"a literal {what}", refused + " bad-expression", equation(f"'{text}' / '1 W'"))


def dimensions() -> Iterator[Case]:
    """Sums of apples and pears."""
    mismatch = "unit-mismatch"
    yield case("watts plus joules", mismatch, equation("power + energy"))
    yield case("watts plus a bare number", mismatch, equation("power + 1", "W"))
    yield case("watts against joules", mismatch, equation("power < energy"))
    yield case("the least of watts and joules", mismatch, equation("min(power, energy)", "W"))
    yield case(
        "a choice of watts or joules", mismatch, equation("where(load > 0.5, power, energy)", "W")
    )
    yield case("watts clipped to joules", mismatch, equation("clip(power, '0 J', '1 J')", "W"))
    yield case("energy called power", mismatch, equation("capacity", "kW"))
    yield case("power called energy", mismatch, equation("power", "kWh"))
    yield case("hertz called bits", mismatch, equation("bandwidth", "bit/s"))
    yield case("cycles called bits", mismatch, equation("'1 Gcycle'", "Gbit"))
    yield case("requests called images", mismatch, equation("'1 request'", "image"))
    yield case("the log of watts", mismatch, equation("log(power)"))
    yield case("the exponential of watts", mismatch, equation("exp(power)"))
    yield case("watts as an exponent", mismatch + " bad-expression", equation("2 ** power"))
    yield case(
        "watts to a varying power", mismatch + " bad-expression", equation("power ** load", "W")
    )
    yield case(
        "watts to the power of 1,000",
        mismatch + " bad-unit overflow bad-value",
        equation("power ** 1000"),
    )
    yield case("kelvin as decibels", mismatch, equation("from_db('3 K')"))
    yield case("a bare number as degrees", mismatch, equation("to_celsius(3)"))
    yield case("carbon in grams of mass", mismatch, changed("objective.carbon.unit", "g"))
    yield case(
        "carbon from an intensity in grams of mass",
        mismatch,
        changed("processes.intensity.unit", "g/kWh"),
    )
    yield case(
        "carbon declared in joules",
        mismatch,
        changed("objective.carbon", {"unit": "J", "expr": "energy"}),
    )
    yield case(
        "an energy metric in watts",
        mismatch,
        changed("metrics.energy", {"unit": "W", "expr": "charge"}),
    )
    yield case("an energy metric declared in kg", mismatch, changed("metrics.energy.unit", "kg"))
    yield case("a constraint in another unit", mismatch, changed("constraints.rate_met.unit", "W"))
    yield case("an observation in another unit", mismatch, changed("observe.demand.unit", "W"))
    yield case("a value in another unit", mismatch, changed("parameters.bandwidth.value", "30 W"))
    yield case(
        "a state that forgets the time step",
        mismatch,
        changed("states.stored.next", "stored + charge"),
    )
    yield case("a state that starts in watts", mismatch, changed("states.stored.init", "'3 W'"))
    yield case(
        "a heuristic in joules", mismatch, changed("heuristics.full_power.decisions.power", "'1 J'")
    )
    yield case(
        "a heuristic without a unit",
        mismatch,
        changed("heuristics.full_power.decisions.power", "1 + 1"),
    )
    yield case(
        "a simplex in watts", mismatch + " bad-unit bad-value", changed("decisions.share.unit", "W")
    )
    yield case(
        "a terminal cost in joules", mismatch, changed("states.stored.terminal", {"cost": "stored"})
    )
    yield case(
        "a distribution over another unit",
        mismatch,
        changed("parameters.demand.sample", {"uniform": ["'1 W'", "'2 W'"]}),
    )
    yield case(
        "a derived parameter in another unit", mismatch, changed("parameters.band.expr", "noise")
    )
    yield case(
        "a forecast of another unit",
        mismatch,
        process("W", forecast={"of": "load", "lead": "'1 h'", "error": 0.1}),
    )
    yield case(
        "a forecast with a lead in watts",
        mismatch,
        process("1", forecast={"of": "load", "lead": "'1 W'", "error": 0.1}),
    )
