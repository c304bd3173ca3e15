"""Documents go out as YAML, come back the same, are held to a strict schema and edited by path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envs
from envs.formulation.answer import document_in, maps_for_lists
from envs.formulation.edits import (
    ABSENT,
    Edit,
    EditError,
    apply,
    differences,
    read_edits,
    write_edits,
)
from envs.formulation.structure import answer_schema
from envs.formulation.writing import to_yaml
from envs.problem import Problem
from envs.spec.reader import read
from tests.formulation.answers import SPEC

KEYS = st.text(st.sampled_from("abcdefghij_"), min_size=1, max_size=8)
SCALARS = (
    st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
    | st.sampled_from(["off", "no", "1e-3", "~", "15 min", "1", "0x1", "null", "- a", "a: b", "#"])
    | st.lists(st.sampled_from(["a", "bb", "'3 W'", "+", " ", "max(x,"]), max_size=80).map(" ".join)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=5))
def test_what_is_written_reads_back_the_same(document: dict[str, Any]) -> None:
    assert read(to_yaml(document)) == document


@pytest.mark.parametrize("name", envs.problems())
def test_a_problem_keeps_its_digest_when_it_is_written_anew(name: str) -> None:
    problem = envs.load(name)
    text = to_yaml(problem.document)
    assert envs.parse(text).digest == problem.digest
    assert max(map(len, text.splitlines())) < 1200


def strict_parts(schema: Any) -> list[dict[str, Any]]:
    """Every schema inside a schema."""
    if isinstance(schema, list):
        return [part for item in schema for part in strict_parts(item)]
    if not isinstance(schema, dict):
        return []
    inner = [part for item in schema.values() for part in strict_parts(item)]
    return [schema, *inner]


def test_the_schema_of_an_answer_is_what_strict_mode_takes() -> None:
    schema = answer_schema()
    objects = [p for p in strict_parts(schema) if p.get("type") == "object"]
    assert len(objects) > 20
    for part in objects:
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    words = {"type", "enum", "anyOf", "$ref", "items", "properties", "required"}
    keywords = words | {"additionalProperties", "$defs"}
    names = {key for part in objects for key in part["properties"]} | set(schema["$defs"])
    used = {key for part in strict_parts(schema) for key in part}
    assert used <= keywords | names
    targets = {p["$ref"].rpartition("/")[2] for p in strict_parts(schema) if "$ref" in p}
    assert targets == set(schema["$defs"])
    assert len(json.dumps(schema)) < 60_000


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value is one of a strict schema's."""
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(fits(value, one, root) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds: dict[str, Any] = {
        "null": type(None), "string": str, "boolean": bool, "array": list, "object": dict,
        "number": int | float, "integer": int,
    }  # fmt: skip
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if schema["type"] == "array":
        return all(fits(item, schema["items"], root) for item in value)
    if schema["type"] == "object":
        same = set(value) == set(schema["properties"])
        return same and all(fits(item, schema["properties"][k], root) for k, item in value.items())
    return True


def completed(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A document as a server in strict mode would write it: every key, named items in lists."""
    if "$ref" in schema:
        return completed(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        if value is None:
            return None
        for one in schema["anyOf"]:
            candidate = completed(value, one, root)
            if fits(candidate, one, root):
                return candidate
        return value
    if schema.get("type") == "array" and isinstance(value, dict):
        items = [
            {"name": k, **v} if isinstance(v, dict) else {"name": k, "expr": v}
            for k, v in value.items()
        ]
        return [completed(item, schema["items"], root) for item in items]
    if schema.get("type") == "array" and isinstance(value, list):
        return [completed(item, schema["items"], root) for item in value]
    if schema.get("type") == "object" and isinstance(value, dict):
        keys = schema["properties"]
        return {key: completed(value.get(key), keys[key], root) for key in keys} | {
            key: item for key, item in value.items() if key not in keys
        }
    return value


@pytest.mark.parametrize("name", envs.problems())
def test_every_problem_of_the_library_can_be_answered_in_strict_mode(name: str) -> None:
    problem = envs.load(name)
    document = problem.spec.model_dump(
        exclude_none=True, exclude_defaults=True, exclude={"provenance"}
    )
    for key in ("version", "control", "certified"):
        document["meta"].pop(key, None)
    document["time"].pop("utc_offset", None)
    schema = answer_schema()
    answer = completed({"spec": 1, **document}, schema, schema)
    assert fits(answer, schema, schema)
    assert isinstance(answer["parameters"], list)
    back = Problem(document_in(json.dumps(answer)))
    assert back.digest == Problem(maps_for_lists(document)).digest


DOCUMENT = document_in(SPEC)


@pytest.mark.parametrize(
    ("edit", "path", "value"),
    [
        (Edit("parameters.band.value", 1, 2, "w"), "band", {"unit": "MHz", "value": 2}),
        (Edit("constraints.late", DOCUMENT["constraints"]["late"], ABSENT, "w"), "late", None),
        (Edit("parameters.extra", ABSENT, {"unit": "1", "value": 1}, "w"), "extra", {"value": 1}),
        (Edit("decisions.power.log.1", 5, 4, "w"), "power", {"log": [0.01, 4]}),
    ],
    ids=["change", "removal", "addition", "in-a-list"],
)
def test_an_edit_changes_what_it_says(edit: Edit, path: str, value: Any) -> None:
    section = edit.path.split(".")[0]
    changed = apply(DOCUMENT, [edit])
    item = changed[section].get(path)
    assert (item is None) if value is None else (value.items() <= item.items())
    assert changed != DOCUMENT and document_in(SPEC) == DOCUMENT


def test_an_edit_that_starts_from_something_else_is_refused() -> None:
    with pytest.raises(EditError, match="starts from 3; found 1"):
        apply(DOCUMENT, [Edit("parameters.band.value", 3, 4, "w")])
    with pytest.raises(EditError, match="starts from 3; found nothing"):
        apply(DOCUMENT, [Edit("parameters.nowhere.value", 3, 4, "w")])


@pytest.mark.parametrize("name", envs.problems())
def test_the_differences_of_two_documents_lead_from_one_to_the_other(name: str) -> None:
    target = envs.load(name)
    edits = list(differences(DOCUMENT, target.document))
    assert Problem(apply(DOCUMENT, edits)).digest == target.digest
    assert not list(differences(target.document, target.document))


def test_one_changed_figure_is_one_edit() -> None:
    changed = apply(DOCUMENT, [Edit("parameters.band.value", 1, 2, "w")])
    assert [edit.path for edit in differences(DOCUMENT, changed)] == ["parameters.band"]


def test_another_order_of_decisions_is_a_difference() -> None:
    two = {**DOCUMENT, "observe": dict(reversed(DOCUMENT["observe"].items()))}
    assert [edit.path for edit in differences(DOCUMENT, two)] == ["observe"]


def test_edits_are_read_as_they_are_written(tmp_path: Path) -> None:
    edits = [
        Edit("parameters.band.value", 1, "2 MHz", "the licence"),
        Edit("constraints.late", {"unit": "1"}, ABSENT, "not asked for"),
        Edit("parameters.extra", ABSENT, {"unit": "1", "value": [1, 2]}, "forgotten"),
    ]
    path = tmp_path / "edits.yaml"
    path.write_text(write_edits(edits))
    assert list(read_edits(path)) == edits


@pytest.mark.parametrize(
    "text",
    [
        "edits: 3\n",
        "edits:\n  - {path: a.b, from: 1, to: 2}\n",
        "edits:\n  - {path: a.b, from: 1, to: 2, why: ''}\n",
        "edits:\n  - {path: a.b, why: because}\n",
        "edits:\n  - {path: a.b, from: 1, too: 2, why: because}\n",
        "edits: &a [*a]\n",
    ],
    ids=["no-list", "no-reason", "empty-reason", "no-change", "unknown-key", "alias"],
)
def test_an_edit_without_place_change_or_reason_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edits.yaml"
    path.write_text(text)
    with pytest.raises(EditError):
        read_edits(path)
