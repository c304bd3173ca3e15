"""Names, index sets and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.hostile.corpus.spec import Case, base, case, changed, edited, equation, process, without


def names() -> Iterator[Case]:
    """Names that deceive, collide or do not exist."""

    def parameter(name: str) -> str:
        return changed("parameters", {**base()["parameters"], name: {"unit": "1", "value": 1}})

    bad = {
        "a Cyrillic letter": "b\N{CYRILLIC SMALL LETTER A}ndwidth",
        "a Greek letter": "\N{GREEK SMALL LETTER ALPHA}",
        "a full-width letter": "\N{FULLWIDTH LATIN SMALL LETTER B}andwidth",
        "a zero-width space": "band\N{ZERO WIDTH SPACE}width",
        "a right-to-left override": "band\N{RIGHT-TO-LEFT OVERRIDE}htdiw",
        "an Arabic digit": "x\N{ARABIC-INDIC DIGIT ONE}",
        "a line feed": "band\nwidth",
        "a trailing line feed": "bandwidth_two\n",
        "capitals": "Bandwidth",
        "a leading digit": "3g",
        "a leading underscore": "_hidden",
        "a dunder": "__class__",
        "a dash": "band-width",
        "a dot": "band.width",
        "a blank": "band width",
        "nothing": "",
        "49 characters": "x" * 49,
        "a path": "../../etc/passwd",
        "markup": "<script>alert(1)</script>",
        "a keyword, lambda": "lambda",
        "a keyword, in": "in",
        "a keyword, not": "not",
    }
    for what, name in bad.items():
        yield case(f"a name with {what}", "bad-name", parameter(name))
    for name in (
        "log",
        "sum",
        "clip",
        "where",
        "interp",
        "from_db",
        "time_step",
        "pi",
        "hour_of_day",
    ):
        yield case(f"a parameter called {name}", "name-taken bad-name", parameter(name))
    for name in ("user", "gain", "stored", "power", "rate"):
        yield case(f"a parameter called as the quantity {name}", "name-taken", parameter(name))
    yield case("a problem called as a path", "bad-name", changed("meta.name", "../../tmp/x"))
    yield case("a problem with a slash and a dollar", "bad-name", changed("meta.name", "a/$(id)"))
    expression = {
        "a look-alike letter": "g\N{CYRILLIC SMALL LETTER A}in[0]",
        "an invisible character": "gain\N{ZERO WIDTH JOINER}[0]",
        "a right-to-left override": "gain[0] \N{RIGHT-TO-LEFT OVERRIDE}* 2",
        "a mathematical letter": "\N{MATHEMATICAL BOLD SMALL P}i",
        "a full-width digit": "\N{FULLWIDTH DIGIT ONE} + 1",
        "a multiplication sign": "2 \N{MULTIPLICATION SIGN} 3",
        "a no-break space": "1\N{NO-BREAK SPACE}+ 1",
    }
    for what, text in expression.items():
        yield case(f"an expression with {what}", "bad-expression", equation(text))
    yield case("an unknown name", "unknown-name", equation("bandwith / bandwidth"))
    yield case("an unknown function", "unknown-function", equation("sqr(2)"))
    yield case(
        "a set as a number", "unknown-name bad-expression index-mismatch", equation("user + 1")
    )
    yield case(
        "a function as a number",
        "unknown-name bad-expression unknown-function",
        equation("log + 1"),
    )
    yield case("a quantity as a function", "unknown-function", equation("gain(1)"))
    yield case("an unknown label", "unknown-name index-mismatch", equation("weight['FR']"))
    yield case(
        "an element outside the set", "unknown-name bad-value index-mismatch", equation("gain[3]")
    )
    yield case("an unknown set to sum over", "unknown-name", equation("sum(gain, usr)"))
    yield case(
        "an unknown set as index", "unknown-name", changed("parameters.demand.index", ["usr"])
    )
    yield case(
        "a parameter as index", "unknown-name", changed("parameters.demand.index", ["noise"])
    )
    yield case(
        "a simplex over an unknown set", "unknown-name", changed("decisions.share.simplex", "usr")
    )
    yield case(
        "a simplex over a set it does not run over",
        "index-mismatch bad-shape unknown-name",
        changed("decisions.share.simplex", "zone"),
    )
    yield case(
        "a forecast of nothing",
        "unknown-name",
        process(forecast={"of": "sun", "lead": "'1 h'", "error": 0}),
    )
    heuristic = "heuristics.full_power.decisions"
    yield case(
        "a heuristic for an unknown decision",
        "unknown-name unknown-key",
        changed(f"{heuristic}.joy", "1"),
    )
    yield case("a heuristic that forgets a decision", "missing-key", without(f"{heuristic}.charge"))
    yield case(
        "an unknown certificate",
        "unknown-name bad-value bad-name",
        changed("meta.certified", "../x"),
    )


def sets() -> Iterator[Case]:
    """Index sets: their sizes and their products."""
    big = "bad-value budget too-large"
    yield case("a set of 1e9", big, changed("sets.user", 1_000_000_000))
    yield case("a set of 10**30", big, changed("sets.user", 10**30))
    yield case("a set of 0", "bad-value", changed("sets.user", 0))
    yield case("a set of -1", "bad-value", changed("sets.user", -1))
    yield case("a set of 2.5", "bad-value", changed("sets.user", 2.5))
    yield case("a set of true", "bad-value", changed("sets.user", True))
    yield case("an empty set", "bad-value", changed("sets.zone", []))
    yield case(
        "a label twice", "bad-value name-taken yaml-duplicate", changed("sets.zone", ["DE", "DE"])
    )
    yield case("labels that are lists", "bad-value", changed("sets.zone", [["DE"], ["GB"]]))
    yield case("an alias of nothing", "unknown-name", changed("sets.user_b.alias_of", "usr"))
    yield case(
        "an alias of itself", "cycle unknown-name", changed("sets.user_b.alias_of", "user_b")
    )
    circle = {"user_b": {"alias_of": "user_c"}, "user_c": {"alias_of": "user_b"}}
    yield case(
        "a circle of aliases", "cycle unknown-name", changed("sets", {**base()["sets"], **circle})
    )
    yield case(
        "the same set twice",
        "index-mismatch bad-shape bad-value",
        changed("decisions.power.index", ["user", "user"]),
    )

    def large(document: dict[str, Any], size: int, names: list[str]) -> None:
        document["sets"] |= dict.fromkeys(names, size)
        product = " + ".join(f"position({name})" for name in names)
        document["equations"]["probe"] = {"unit": "1", "expr": product}
        document["metrics"]["probe"] = {"unit": "1", "expr": f"sum(probe, {', '.join(names)})"}

    yield case("two sets of 4,000 at once", "budget", edited(lambda d: large(d, 4000, ["a", "b"])))
    yield case(
        "four sets of 4,000 at once",
        "budget",
        edited(lambda d: large(d, 4000, ["a", "b", "c", "d"])),
    )

    def process_bomb(document: dict[str, Any]) -> None:
        document["sets"] |= {"a": 4000, "b": 4000}
        noise = {"unit": "1", "index": ["a", "b"], "sample": {"uniform": [0, 1]}}
        document["processes"]["probe"] = noise

    yield case("a process over 16,000,000 elements", "budget", edited(process_bomb))

    def long_process(document: dict[str, Any]) -> None:
        document["sets"]["a"] = 4000
        document["time"]["horizon"] = 100_000
        document["processes"]["probe"] = {
            "unit": "1",
            "index": ["a"],
            "sample": {"uniform": [0, 1]},
        }

    yield case("a path of 400,000,000 draws", "budget bad-value", edited(long_process))

    def parameter_bomb(document: dict[str, Any]) -> None:
        document["sets"] |= {name: 4000 for name in "abcd"}
        document["parameters"]["probe"] = {"unit": "1", "index": list("abcd"), "value": 1}

    yield case("a parameter over 2.56e14 elements", "budget bad-shape", edited(parameter_bomb))

    def sampled_bomb(document: dict[str, Any]) -> None:
        document["sets"] |= {name: 4000 for name in "ab"}
        sampled = {"unit": "1", "index": ["a", "b"], "sample": {"uniform": [0, 1]}}
        document["parameters"]["probe"] = sampled

    yield case("a sampled parameter over 16,000,000 elements", "budget", edited(sampled_bomb))

    def decision_bomb(document: dict[str, Any]) -> None:
        document["sets"] |= {name: 4000 for name in "ab"}
        document["decisions"]["probe"] = {"unit": "1", "index": ["a", "b"], "box": [0, 1]}

    yield case("16,000,000 decisions", "budget", edited(decision_bomb))

    def contraction(document: dict[str, Any]) -> None:
        document["sets"] |= {name: 4000 for name in "abc"}
        left, right = "position(a) * position(b)", "position(b) * position(c)"
        document["metrics"]["probe"] = {
            "unit": "1",
            "expr": f"sum(contract({left}, {right}, b), a, c)",
        }

    yield case("a matrix product of 6.4e10 operations", "budget", edited(contraction))

    def tables(document: dict[str, Any]) -> None:
        document["sets"] |= {"a": 1000, "b": 1000}
        for n in range(1000):
            text = f"sum(position(a) * position(b) * {n} + {n}, a, b)"
            document["equations"][f"probe_{n}"] = {"unit": "1", "expr": text}

    yield case("1,000 constant tables of 1,000,000 elements", "budget too-large", edited(tables))

    def work(document: dict[str, Any]) -> None:
        document["sets"] |= {"a": 1000, "b": 1000}
        terms = " + ".join(
            f"sum(exp(load * {n}e-9 * position(a) * position(b) * 1e-6), a, b)"
            for n in range(1, 25)
        )
        for n in range(20):
            document["equations"][f"probe_{n}"] = {"unit": "1", "expr": f"{n} + {terms}"}

    yield case("480 exponentials of 1,000,000 elements a step", "budget too-large", edited(work))


def times() -> Iterator[Case]:
    """The clock."""
    over = "bad-value budget"
    for horizon in (0, -1, 1.5, "ten", 1_000_000_000_000, 10**40):
        yield case(f"a horizon of {str(horizon)[:20]}", over, changed("time.horizon", horizon))
    for step in ("0 s", "-1 s", 0, -5):
        yield case(f"a step of {step!r}", "bad-value bad-bounds domain", changed("time.step", step))
    yield case("a step in watts", "unit-mismatch", changed("time.step", "5 W"))
    yield case(
        "a step that is a word",
        "bad-value bad-unit unknown-name bad-expression",
        changed("time.step", "soon"),
    )
    yield case(
        "a step that calls", "bad-value bad-unit bad-expression", changed("time.step", "exit()")
    )
    for start in ("25:00", "8 am", "08:61", 8):
        yield case(f"a start at {start}", "bad-value", changed("time.start", start))
    for discount in (1.5, -0.1, "high"):
        yield case(f"a discount of {discount}", "bad-value", changed("time.discount", discount))
    yield case("a hold in watts", "unit-mismatch", changed("processes.intensity.hold", "1 W"))
    for hold in ("0 h", "-1 h"):
        yield case(
            f"a hold of {hold}",
            "bad-value bad-bounds domain",
            changed("processes.intensity.hold", hold),
        )
