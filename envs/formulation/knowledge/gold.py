"""Queries as designers ask them, and the sections of the shipped notes that answer them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml

FILE = "gold.yaml"


@dataclass(frozen=True)
class GoldQuery:
    """A query and what a retriever should find.

    Attributes:
        kind: ``clear``, ``paraphrased``, ``underspecified`` or ``distractors``.
        query: As a designer asks it.
        answers: Headings of the answering sections by note.
    """

    kind: str
    query: str
    answers: Mapping[str, tuple[str, ...]]


@cache
def gold_queries() -> tuple[GoldQuery, ...]:
    """The whole set, in the order of the file."""
    text = (resources.files("envs.formulation.knowledge") / FILE).read_text(encoding="utf-8")
    return tuple(
        GoldQuery(
            item["kind"],
            item["query"],
            {note: tuple(headings) for note, headings in item["answers"].items()},
        )
        for item in yaml.safe_load(text)
    )
