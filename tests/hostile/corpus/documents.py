"""What is no document of the language: bytes, YAML, sections and keys."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.corpus.spec import (
    BASE_TEXT,
    Case,
    after_base,
    base,
    case,
    changed,
    render,
    without,
)


def _billion_laughs() -> str:
    lines = ['lol0: &lol0 ["lol"]']
    lines += [f"lol{n}: &lol{n} [{', '.join([f'*lol{n - 1}'] * 9)}]" for n in range(1, 10)]
    return after_base("\n".join(lines))


def documents() -> Iterator[Case]:
    """What is no document of the language at all."""
    no_map = "bad-value yaml-syntax missing-key"
    yield case("an empty document", no_map, "")
    yield case("white space only", no_map, " \n\n  \n")
    yield case("a comment only", no_map, "# a spec, one day\n")
    yield case("a document marker only", no_map, "---\n")
    yield case("null", no_map, "null\n")
    yield case("a list", no_map, "- spec\n- 1\n")
    yield case("a number", no_map, "42\n")
    yield case("a sentence", no_map, "please minimise the carbon of my network\n")
    yield case("an empty map", "missing-key", "{}\n")
    yield case("binary bytes", "yaml-syntax", bytes(range(256)) * 4)
    yield case("a zip archive", "yaml-syntax", b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"\x9c" * 50)
    yield case("invalid UTF-8", "yaml-syntax", BASE_TEXT.encode() + b"# \xff\xfe\xc3\x28\n")
    yield case("overlong UTF-8", "yaml-syntax", BASE_TEXT.encode() + b"# \xc0\xaf\n")
    yield case("UTF-16", "yaml-syntax", BASE_TEXT.encode("utf-16"))
    yield case("a NUL byte", "yaml-syntax", BASE_TEXT.encode() + b"# \x00\n")
    yield case("a bell", "yaml-syntax", after_base("# \a"))
    yield case("a lone surrogate", "yaml-syntax", after_base("# \ud800"))
    yield case("1 MB of comment", "too-large", after_base("# " + "x" * 1_000_000))
    yield case("1 MB of one string", "too-large", changed("meta.summary", "x" * 1_000_000))
    yield case(
        "bytes over the limit in characters under it",
        "too-large",
        after_base("# " + "é" * 200_000),
    )
    yield case("100,000 values", "too-large", after_base(f"provenance_list: [{'1,' * 100_000}1]"))
    yield case("two documents", "yaml-syntax", f"{BASE_TEXT}\n---\n{BASE_TEXT}")
    yield case("a second, empty document", "yaml-syntax", f"{BASE_TEXT}\n---\n")
    yield case("an open bracket", "yaml-syntax", after_base("extra: [1, 2"))
    yield case("an open quote", "yaml-syntax", after_base('extra: "no end'))
    yield case("a tab as indentation", "yaml-syntax", after_base("extra:\n\tunit: W"))
    yield case("indentation that does not fit", "yaml-syntax", after_base(" extra: 1"))
    yield case(
        "an unknown directive of another version", "yaml-syntax", "%YAML 9.9\n---\n" + BASE_TEXT
    )
    yield case("billion laughs", "yaml-alias", _billion_laughs())
    yield case("an alias to itself", "yaml-alias", after_base("extra: &loop [*loop]"))
    yield case("an anchor", "yaml-alias", after_base("extra: &here 1"))
    yield case("an anchor on a key", "yaml-alias", after_base("&here extra: 1"))
    yield case("an alias to nothing", "yaml-alias yaml-syntax", after_base("extra: *nothing"))
    yield case("a merge key", "unknown-key yaml-alias", after_base("<<: {extra: 1}"))
    yield case(
        "a tagged call", "yaml-tag", after_base("extra: !!python/object/apply:os.system ['true']")
    )
    yield case("a tagged module", "yaml-tag", after_base("extra: !!python/module:os ''"))
    yield case("a tagged name", "yaml-tag", after_base("extra: !!python/name:os.system"))
    yield case("a tagged binary", "yaml-tag", after_base("extra: !!binary aGVsbG8="))
    yield case("a tagged set", "yaml-tag", after_base("extra: !!set {a, b}"))
    yield case("a private tag", "yaml-tag", after_base("extra: !include /etc/passwd"))
    yield case("a tag on a key", "yaml-tag", after_base("!!str extra: 1"))
    yield case("a tag on a map", "yaml-tag", after_base("extra: !!map {a: 1}"))
    yield case(
        "a tag from a directive",
        "yaml-tag",
        "%TAG !p! tag:yaml.org,2002:python/\n---\nspec: !p!name:os 1\n",
    )
    yield case("a section twice", "yaml-duplicate", after_base("sets: {user: 5}"))
    yield case(
        "a key twice", "yaml-duplicate", BASE_TEXT.replace("value: 10,", "value: 10, value: 11,")
    )
    yield case("a key twice, once in quotes", "yaml-duplicate", after_base('"sets": {user: 5}'))
    yield case(
        "deep brackets", "too-deep", after_base(f"provenance_note: {'[' * 5000}{']' * 5000}")
    )
    yield case(
        "deep brackets without an end",
        "too-deep yaml-syntax",
        after_base("note: " + "[" * 100_000),
    )
    yield case("deep braces", "too-deep", after_base("note: " + "{a: " * 500 + "1" + "}" * 500))
    yield case(
        "deep blocks", "too-deep", after_base("\n".join(" " * n + f"k{n}:" for n in range(200)))
    )
    yield case("deep keys", "too-deep bad-value yaml-syntax", after_base("? " * 300 + "a"))
    yield case("a list as key", "bad-value yaml-syntax", after_base("? [a, b]\n: 1"))
    yield case(
        "a key without end", "yaml-syntax too-large unknown-key", after_base("k" * 100_000 + ": 1")
    )


def structure() -> Iterator[Case]:
    """Sections and keys."""
    for section in ("meta", "time", "decisions", "objective", "metrics", "observe"):
        yield case(f"no {section}", "missing-key", without(section))
    for path in ("meta.name", "time.horizon", "time.step", "objective.carbon", "metrics.energy"):
        yield case(f"no {path}", "missing-key", without(path))
    for path in (
        "parameters.noise.unit",
        "states.stored.next",
        "states.stored.init",
        "states.stored.bounds",
    ):
        yield case(f"no {path}", "missing-key", without(path))
    yield case("no penalty", "missing-key", without("constraints.rate_met.penalty"))
    yield case("a misspelt section", "unknown-key", changed("parametres", {}))
    yield case("a misspelt key", "unknown-key", changed("parameters.noise.vlaue", 1))
    yield case(
        "an unknown key in a process", "unknown-key", changed("processes.load.ar1.correlatoin", 0.5)
    )
    for key in ("t[", "float", "int", "str", "list[any]", "function-before[x()]", "a.b", ""):
        yield case(f"an unknown section called {key!r}", "unknown-key", render({**base(), key: 1}))
        inner = changed("parameters.noise", {"unit": "W", "value": 1, key: 1})
        yield case(f"an unknown key called {key!r}", "unknown-key", inner)
    yield case("an unknown version of the language", "bad-value", changed("spec", 2))
    yield case("the version as text", "bad-value", changed("spec", "1; import os"))
    yield case("a section that is text", "bad-value", changed("equations", "rate = 3"))
    yield case("a section that is a number", "bad-value", changed("parameters", 7))
    yield case("a section that is null", "bad-value missing-key", changed("decisions", None))
    yield case("no decision at all", "bad-value missing-key", changed("decisions", {}))
    yield case("nothing to observe", "bad-value missing-key", changed("observe", {}))
    yield case(
        "an item that is text", "bad-value", changed("decisions.power", "as much as possible")
    )
    yield case("an item that is null", "bad-value missing-key", changed("equations.snr", None))
    yield case(
        "list items without a name",
        "missing-key",
        changed("equations", [{"unit": "1", "expr": "1"}]),
    )
    yield case(
        "list items that are text", "missing-key bad-value", changed("equations", ["a", "b"])
    )
    twice = [{"name": "snr", "unit": "1", "expr": "1"}, {"name": "snr", "unit": "1", "expr": "2"}]
    yield case("a name twice in a list", "yaml-duplicate name-taken", changed("equations", twice))
    yield case(
        "a list item whose name is a list",
        "missing-key bad-value",
        changed("equations", [{"name": ["a"]}]),
    )
    yield case(
        "value and sample at once",
        "bad-value",
        changed("parameters.noise.sample", {"uniform": [1, 2]}),
    )
    yield case(
        "neither value nor sample", "bad-value missing-key", without("parameters.noise.value")
    )
    yield case(
        "two kinds of process", "bad-value", changed("processes.load.sample", {"uniform": [0, 1]})
    )
    yield case("two kinds of decision", "bad-value", changed("decisions.charge.log", [1, 2]))
    yield case(
        "a boolean where a number belongs", "bad-value", changed("parameters.noise.value", True)
    )
    yield case(
        "a map where a number belongs", "bad-value", changed("parameters.noise.value", {"mean": 1})
    )
    yield case("a version below 0", "bad-value", changed("meta.version", -1))
    yield case("a version that is text", "bad-value", changed("meta.version", "latest"))
    yield case("a metric reduced by eval", "bad-value", changed("metrics.energy.reduce", "eval"))
    yield case(
        "a functional unit of an unknown metric",
        "unknown-name",
        changed("meta.functional_unit.metric", "joy"),
    )
    yield case(
        "an unknown split", "bad-value unknown-key", changed("splits.test", {"parameters": {}})
    )
    ood = "splits.ood.parameters"
    yield case(
        "a split over an unknown parameter",
        "unknown-name unknown-key",
        changed(ood, {"nosie": {"value": 1}}),
    )
    yield case("a split with an unknown key", "unknown-key", changed(ood, {"noise": {"vlaue": 1}}))
    yield case(
        "a split with a wrong shape", "bad-shape", changed(ood, {"weight": {"value": [1, 2, 3]}})
    )
    yield case(
        "a split with a value of another unit",
        "unit-mismatch",
        changed(ood, {"noise": {"value": "1 h"}}),
    )
    yield case("a split that is text", "bad-value", changed("splits.ood.parameters.noise", "less"))
