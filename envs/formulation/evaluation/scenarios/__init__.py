"""The requests on which formulations are judged, their reference specs and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from envs.problem import Problem, parse
from envs.spec.reader import read

FOLDER = Path(__file__).parent
WORDINGS = ("clear", "paraphrased", "underspecified", "mixed")


@dataclass(frozen=True)
class Scenario:
    """One request.

    Attributes:
        family: Which problem is asked for.
        wording: How: ``clear``, ``paraphrased``, ``underspecified``, or ``mixed`` in units and with
            things that do not matter.
        request: The words.
        gold: Notes of the knowledge base that help.
        freedom: What an underspecified request leaves open.
    """

    family: str
    wording: str
    request: str
    gold: tuple[str, ...]
    freedom: str

    @property
    def name(self) -> str:
        """Such as ``sensor-clear``."""
        return f"{self.family}-{self.wording}"

    @property
    def determined(self) -> bool:
        """Whether the request has one right answer."""
        return self.wording != "underspecified"

    @property
    def reference(self) -> Problem:
        """The right answer, or one of them."""
        return reference(self.family)


def families() -> tuple[str, ...]:
    """Names of the families."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob("*/reference.yaml")))


@cache
def reference(family: str) -> Problem:
    """The reference of a family."""
    return parse((FOLDER / family / "reference.yaml").read_bytes())


def scenarios() -> tuple[Scenario, ...]:
    """All of them, family by family."""
    found = []
    for family in families():
        about = read((FOLDER / family / "family.yaml").read_bytes())
        for wording in WORDINGS:
            request = (FOLDER / family / f"{wording}.md").read_text(encoding="utf-8")
            found.append(
                Scenario(family, wording, request, tuple(about["gold"]), str(about["freedom"]))
            )
    return tuple(found)
