"""One problem, one digest: however it is written down, and only that problem."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import envs
from envs.spec.canonical import digest, objective_digest
from envs.spec.reader import read
from envs.spec.schema import NAMED_SECTIONS, validate
from tests.language import tiny

ORDERED = ("sets", "decisions", "observe")
PROSE = ("title", "summary", "source", "sources", "provenance")
DOCUMENTS = {name: read((envs.LIBRARY / f"{name}.yaml").read_bytes()) for name in envs.problems()}
Path = tuple[str | int, ...]


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest) -> tiny.Document:
    return copy.deepcopy(DOCUMENTS[request.param])


def _digest(document: tiny.Document) -> str:
    return digest(validate(document))


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key), item


def _place(document: tiny.Document, path: Path) -> Any:
    place: Any = document
    for key in path:
        place = place[key]
    return place


def test_lists_of_named_items_and_maps_have_one_digest(document: tiny.Document) -> None:
    lists = copy.deepcopy(document)
    for section in NAMED_SECTIONS:
        if section in lists and section != "sets":
            lists[section] = [{"name": n, **item} for n, item in lists[section].items()]
    if "sets" in lists:
        sizes = {int: "size", list: "labels"}
        lists["sets"] = [
            {"name": n, **(item if isinstance(item, dict) else {sizes[type(item)]: item})}
            for n, item in lists["sets"].items()
        ]
    assert envs.parse(json.dumps(lists)).digest == envs.parse(json.dumps(document)).digest


def test_prose_is_no_part_of_the_digest(document: tiny.Document) -> None:
    before = _digest(document)
    places = [path for path, _ in _leaves(document) if path[-1] in PROSE or "sources" in path]
    for path in places:
        _place(document, path[:-1])[path[-1]] = "something else"
    document["provenance"] = {"asked_by": "a test", "retrieved": ["a", {"b": 1.5}]}
    assert len(places) > 5
    assert _digest(document) == before


def test_every_number_is_part_of_the_digest(document: tiny.Document) -> None:
    before = _digest(document)
    for path, value in list(_leaves(document)):
        if isinstance(value, bool) or not isinstance(value, int | float) or path == ("spec",):
            continue
        if path[-1] == "unit":
            continue
        parent = _place(document, path[:-1])
        parent[path[-1]] = value + 1 if isinstance(value, int) else value * (1 + 1e-12) or 1e-12
        if path == ("time", "discount"):
            parent[path[-1]] = 0.123
        assert _digest(document) != before, path
        parent[path[-1]] = value
    assert _digest(document) == before


def test_every_number_in_an_expression_is_part_of_the_digest(document: tiny.Document) -> None:
    before = _digest(document)
    for path, value in list(_leaves(document)):
        if isinstance(value, str) and path[-1] in ("expr", "next", "init", "cost", "potential"):
            for number in re.finditer(r"(?<![\w.])\d+(\.\d+)?", value):
                other = value[: number.start()] + "9" + value[number.start() :]
                _place(document, path[:-1])[path[-1]] = other
                assert _digest(document) != before, (path, other)
            _place(document, path[:-1])[path[-1]] = value


def test_runs_of_white_space_do_not_matter(document: tiny.Document) -> None:
    before = _digest(document)
    for path, value in list(_leaves(document)):
        if path[-1] == "expr":
            _place(document, path[:-1])[path[-1]] = f"  {value}\n".replace(" ", "  \t")
    assert _digest(document) == before


def test_the_order_of_definitions_does_not_matter(document: tiny.Document) -> None:
    def run(given: tiny.Document) -> tuple[str, Any]:
        problem = envs.parse(json.dumps(given))
        env = envs.make_vector(problem, num_envs=2)
        first, _ = env.reset(seed=0)
        second, reward, *_ = env.step(tiny.actions(env, 0.25))
        return problem.digest, np.concatenate([first, second, reward[:, None]], axis=1)

    backwards = {
        section: dict(reversed(items.items()))
        if section in NAMED_SECTIONS and section not in ORDERED
        else items
        for section, items in document.items()
    }
    assert list(backwards["parameters"]) != list(document["parameters"])
    (before, moved), (after, moved_backwards) = run(document), run(backwards)
    assert before == after
    np.testing.assert_allclose(moved_backwards, moved, rtol=1e-6)


@pytest.mark.parametrize("section", ORDERED)
def test_the_order_of_components_matters(section: str, document: tiny.Document) -> None:
    if len(document.get(section, {})) < 2:
        pytest.skip(f"one of {section} has no order")
    before = _digest(document)
    document[section] = dict(reversed(document[section].items()))
    assert _digest(document) != before


@pytest.mark.parametrize("value", ["10 MHz", "0.01 GHz", "10000 kHz", "1e7 Hz"])
def test_a_parameter_in_another_unit_is_the_same_parameter(value: str) -> None:
    plain = tiny.problem(parameters={"band": {"unit": "MHz", "value": 10}})
    quantity = tiny.problem(parameters={"band": {"unit": "MHz", "value": value}})
    assert quantity.digest == plain.digest


def test_the_digest_says_which_names_and_units_there_are() -> None:
    digests = {
        tiny.problem(parameters={name: {"unit": unit, "value": 1}}).digest
        for name in ("a", "b")
        for unit in ("W", "kW", "J")
    }
    assert len(digests) == 6


def test_what_decides_no_objective_is_no_part_of_the_objective_digest(
    document: tiny.Document,
) -> None:
    spec = validate(copy.deepcopy(document))
    before = digest(spec), objective_digest(spec)
    document["parameters"]["rule_of_thumb"] = {"unit": "1", "value": 0.5}
    document["equations"]["rule_again"] = {"unit": "1", "expr": "2 * rule_of_thumb"}
    document["observe"]["rule_seen"] = {"unit": "1", "expr": "rule_again", "linear": [0, 2]}
    document.pop("heuristics", None)
    after = digest(validate(document)), objective_digest(validate(document))
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_what_the_objective_is_made_of_is_part_of_the_objective_digest(
    document: tiny.Document,
) -> None:
    before = objective_digest(validate(copy.deepcopy(document)))
    document["equations"]["rule_again"] = {"unit": "1", "expr": "2"}
    document["objective"]["carbon"]["expr"] = f"({document['objective']['carbon']['expr']}) * 1"
    one = objective_digest(validate(copy.deepcopy(document)))
    document["objective"]["carbon"]["expr"] += " * rule_again"
    two = objective_digest(validate(copy.deepcopy(document)))
    document["equations"]["rule_again"]["expr"] = "3"
    three = objective_digest(validate(document))
    assert len({before, one, two, three}) == 4
