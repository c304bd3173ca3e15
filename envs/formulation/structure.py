"""The JSON schema of an answer, for servers that hold a model's output to one (strict mode).

It is derived from the language's own models. Strict mode knows no open maps and no optional keys:
a map of named items becomes a list of items with a ``name``, and what may be left out may be null.
`envs.formulation.answer` takes both back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from envs.spec.schema import Spec

_LEFT_OUT = {
    "Spec": ("provenance",),
    # A new problem has no version yet; the others are claims that only people may make.
    "Meta": ("version", "control", "certified"),
    "Time": ("utc_offset",),
    "Process": ("trace",),
}
_KEPT = ("type", "enum", "anyOf", "$ref", "items", "properties")
_NUMBERS = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"$ref": "#/$defs/Numbers"}}]}


@lru_cache
def answer_schema() -> dict[str, Any]:
    """The schema of a whole spec in strict mode."""
    whole = Spec.model_json_schema()
    definitions = {name: dict(item) for name, item in whole.pop("$defs").items()}
    builder = _Builder({**definitions, "Spec": whole})
    root = builder.object(whole, "Spec")
    return {**root, "$defs": {**builder.made, "Numbers": _NUMBERS}}


class _Builder:
    """Turns models' schemas into strict ones, and collects the definitions they need."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self.made: dict[str, Any] = {}

    def object(
        self, item: dict[str, Any], name: str, named: bool = False, partial: bool = False
    ) -> dict[str, Any]:
        """An object with every key required; what may be left out may be null."""
        properties: dict[str, Any] = {"name": {"type": "string"}} if named else {}
        required = () if partial else item.get("required", ())
        for key, value in item["properties"].items():
            if key in _LEFT_OUT.get(name, ()):
                continue
            strict = self.value(value, f"{name}.{key}")
            properties[key] = strict if key in required else _or_null(strict)
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def value(self, item: dict[str, Any], place: str) -> dict[str, Any]:
        """Any schema, strict."""
        if "const" in item:
            return {"type": item.get("type", "integer"), "enum": [item["const"]]}
        if place == "Split.parameters":
            return self._list_of("Parameter", partial=True)
        if place == "Split.processes":
            return self._list_of("Process", partial=True)
        if place == "Parameter.value":
            return {"anyOf": [{"$ref": "#/$defs/Numbers"}, {"type": "string"}]}
        if "$ref" in item:
            return {"$ref": f"#/$defs/{self._define(_target(item))}"}
        if item.get("type") == "object":
            inner = item["additionalProperties"]
            if "$ref" in inner:
                return self._list_of(_target(inner))
            rule = {"name": {"type": "string"}, "expr": {"type": "string"}}
            return _array(
                {
                    "type": "object",
                    "properties": rule,
                    "required": list(rule),
                    "additionalProperties": False,
                }
            )
        strict = {key: item[key] for key in _KEPT if key in item}
        if "anyOf" in strict:
            kinds = [self.value(one, place) for one in strict["anyOf"]]
            strict["anyOf"] = [kind for kind in kinds if kind != {"type": "null"}]
            if len(strict["anyOf"]) == 1:
                return dict(strict["anyOf"][0])
        if "items" in strict:
            strict["items"] = self.value(strict["items"], place)
        return strict

    def _define(self, name: str) -> str:
        if name not in self.made:
            self.made[name] = {}  # in the making
            self.made[name] = self.object(self._definitions[name], name)
        return name

    def _list_of(self, name: str, partial: bool = False) -> dict[str, Any]:
        """A list of named items of a model; of a changed one, everything but the name is free."""
        made = f"{'Changed' if partial else 'Named'}{name}"
        if made not in self.made:
            item = self._definitions[name]
            self.made[made] = self.object(item, name, named=True, partial=partial)
        return _array({"$ref": f"#/$defs/{made}"})


def _target(item: dict[str, Any]) -> str:
    return str(item["$ref"]).rpartition("/")[2]


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _or_null(item: dict[str, Any]) -> dict[str, Any]:
    kinds = item["anyOf"] if set(item) == {"anyOf"} else [item]
    return {"anyOf": [*kinds, {"type": "null"}]}
