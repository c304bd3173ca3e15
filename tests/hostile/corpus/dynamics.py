"""Order, randomness and recorded series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.hostile.corpus.spec import Case, base, case, changed, edited, equation, process


def order() -> Iterator[Case]:
    """Circles, and what is used before it is known."""
    pair = {"a": {"unit": "1", "expr": "b + 1"}, "b": {"unit": "1", "expr": "a + 1"}}
    yield case("an equation of itself", "cycle", equation("probe + 1"))
    yield case(
        "two equations of each other",
        "cycle",
        changed("equations", {**base()["equations"], **pair}),
    )
    yield case(
        "two parameters of each other",
        "cycle",
        changed("parameters", {**base()["parameters"], **pair}),
    )
    yield case(
        "two processes of each other",
        "cycle",
        changed("processes", {**base()["processes"], **pair}),
    )
    yield case("a process of itself", "cycle", process(expr="probe + 1"))
    yield case(
        "a forecast of itself",
        "cycle bad-value unknown-name",
        process(forecast={"of": "probe", "lead": "'1 h'", "error": 0}),
    )

    def ring(document: dict[str, Any]) -> None:
        for n in range(400):
            document["equations"][f"ring_{n}"] = {"unit": "1", "expr": f"ring_{(n + 1) % 400} + 1"}

    yield case("a ring of 400 equations", "cycle too-deep", edited(ring))
    early = "not-known-yet unknown-name"
    for section in ("parameters", "processes"):
        for name in ("charge / '1 W'", "stored / '1 Wh'", "snr[0]"):
            place = f"{section}.probe"
            yield case(f"{section} of {name}", early, changed(place, {"unit": "1", "expr": name}))
    yield case(
        "a parameter of a process",
        early,
        changed("parameters.probe", {"unit": "1", "expr": "load"}),
    )
    yield case(
        "a parameter of the hour",
        early,
        changed("parameters.band.expr", "bandwidth * hour_of_day / '1 h'"),
    )
    yield case(
        "a sampled parameter of a process",
        early,
        changed("parameters.probe", {"unit": "1", "sample": {"uniform": [0, "load + 1"]}}),
    )
    yield case(
        "an observed decision",
        early,
        changed("observe.probe", {"unit": "W", "expr": "charge", "linear": [0, 1]}),
    )
    yield case(
        "an observed consequence",
        early,
        changed("observe.probe", {"unit": "J", "expr": "energy", "linear": [0, 1]}),
    )
    heuristic = "heuristics.full_power.decisions.charge"
    yield case("a heuristic that knows the decision", early, changed(heuristic, "charge"))
    yield case(
        "a heuristic that knows another decision", early, changed(heuristic, "sum(power, user)")
    )
    yield case(
        "a heuristic that knows a consequence", early, changed(heuristic, "energy / time_step")
    )
    yield case(
        "a state that starts from a decision",
        early,
        changed("states.stored.init", "charge * time_step"),
    )
    yield case(
        "a terminal cost of a decision",
        early,
        changed("states.stored.terminal", {"cost": "charge / '1 W' * '1 gCO2e'"}),
    )
    yield case(
        "a box that depends on a decision",
        early + " bad-value",
        changed("decisions.charge.box", [0, "sum(power, user)"]),
    )
    yield case("an equation of a metric", "unknown-name", equation("delivered / '1 Mbit'"))
    yield case("an equation of a constraint", "unknown-name", equation("rate_met / '1 bit/s'"))


def distributions() -> Iterator[Case]:
    """Randomness that is none."""
    bad = "bad-distribution bad-value bad-bounds bad-shape domain overflow"
    samples: dict[str, Any] = {
        "a uniform upside down": {"uniform": [2, 1]},
        "a uniform with one end": {"uniform": [2]},
        "a normal with a negative deviation": {"normal": {"mean": 0, "std": -1}},
        "a lognormal with a negative median": {"lognormal": {"median": -1, "sigma": 1}},
        "a lognormal with a negative sigma": {"lognormal": {"median": 1, "sigma": -1}},
        "a lognormal with a sigma of 1,000": {"lognormal": {"median": 1, "sigma": 1000}},
        "an exponential with a negative mean": {"exponential": {"mean": -1}},
        "a gamma of shape 0": {"gamma": {"shape": 0, "scale": 1}},
        "a gamma of negative scale": {"gamma": {"shape": 1, "scale": -1}},
        "a beta of shape 0": {"beta": {"a": 0, "b": 1}},
        "a poisson with a negative mean": {"poisson": {"mean": -1}},
        "a poisson with a mean of 1e30": {"poisson": {"mean": 1e30}},
        "integers upside down": {"integers": [5, 1]},
        "integers that are none": {"integers": [0.5, 1.5]},
        "integers over 64 bits": {"integers": [0, 10**25]},
        "a choice of nothing": {"choice": {"values": []}},
        "a choice with a negative weight": {"choice": {"values": [1, 2], "weights": [2, -1]}},
        "a choice with weights of 0": {"choice": {"values": [1, 2], "weights": [0, 0]}},
        "a choice with a weight too many": {"choice": {"values": [1, 2], "weights": [1, 1, 1]}},
        "two distributions": {"uniform": [0, 1], "poisson": {"mean": 1}},
        "no distribution": {},
        "an unknown distribution": {"cauchy": {"mean": 1}},
        "a distribution that is text": "uniform(0, 1)",
        "a distribution that is a callable": {"uniform": ["exit()", 1]},
    }
    for what, sample in samples.items():
        refused = bad + " unknown-key bad-expression unknown-function"
        yield case(what, refused, process(sample=sample))
        yield case(
            f"{what}, once per scenario",
            refused,
            changed("parameters.probe", {"unit": "1", "sample": sample}),
        )
    for what, change in {
        "a correlation of 1": ("correlation", 1),
        "a correlation of 2": ("correlation", 2),
        "a correlation of -1.5": ("correlation", -1.5),
        "a negative deviation": ("std", -0.1),
        "a correlation per 0 h": ("per", "0 h"),
        "a correlation per -1 h": ("per", "-1 h"),
    }.items():
        yield case(
            f"an AR(1) with {what}", bad, changed(f"processes.load.ar1.{change[0]}", change[1])
        )
    yield case(
        "an AR(1) with a correlation per watt",
        "unit-mismatch",
        changed("processes.load.ar1.per", "1 W"),
    )
    chains: dict[str, Any] = {
        "rows that sum to 2": [[1, 1], [1, 1]],
        "a negative probability": [[1.5, -0.5], [0.5, 0.5]],
        "a row too few": [[0.5, 0.5]],
        "a row too short": [[1], [0.5, 0.5]],
        "a row too long": [[0.5, 0.25, 0.25], [0.5, 0.5]],
        "rows of zeros": [[0, 0], [0, 0]],
        "text": [["a", "b"], ["c", "d"]],
    }
    for what, transition in chains.items():
        yield case(
            f"a chain with {what}", bad, changed("processes.mode.markov.transition", transition)
        )
    for what, error in {"a negative error": -0.1, "an error in code": "exit()"}.items():
        yield case(
            f"a forecast with {what}",
            bad + " bad-expression unknown-function",
            process(forecast={"of": "load", "lead": "'1 h'", "error": error}),
        )
    yield case(
        "a forecast with a correlation of 1.5",
        bad,
        process(forecast={"of": "load", "lead": "'1 h'", "error": 0.1, "correlation": 1.5}),
    )


def traces() -> Iterator[Case]:
    """Recorded series from places a spec has no business in."""
    files = (
        "../../etc/passwd",
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://example.org/trace.csv",
        "https://example.org/trace.csv",
        "//example.org/share/trace.csv",
        "\\\\example.org\\share\\trace.csv",
        "~/.ssh/id_rsa",
        "$HOME/.ssh/id_rsa",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/environ",
        ".",
        "..",
        "no_such_series.csv",
        "carbon_intensity/../../../pyproject.toml",
        "x\x00.csv",
        "x" * 900 + ".csv",
        "|id",
        "C:\\Windows\\win.ini",
        "trace.csv\n../../etc/passwd",
        "s3://bucket/trace.csv",
        "__init__.py",
    )
    for file in files:
        name = f"a trace from {file[:40]!r}"
        yield case(
            name,
            "bad-trace bad-value yaml-syntax",
            process(trace={"file": file, "column": "value"}),
        )
    yield case("a trace without a file", "missing-key", process(trace={"column": "value"}))
    yield case(
        "a trace from a list", "bad-value", process(trace={"file": ["a.csv"], "column": "value"})
    )
