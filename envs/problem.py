"""A problem: a checked and compiled spec, in each of its splits."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.compiler.compile import compile_spec
from envs.compiler.model import Compiled
from envs.spec import overrides as changes
from envs.spec.canonical import objective_digest
from envs.spec.diagnostics import Diagnostic, SpecError, nearest, shorten
from envs.spec.reader import read
from envs.spec.schema import validate
from envs.traces import Access

LIBRARY = Path(__file__).parent / "library"
SPLITS = ("train", "validation", "test", "ood")


class Problem:
    """A problem of the library, or of any spec file.

    Attributes:
        document: The document as read, with overrides applied.
    """

    def __init__(self, document: dict[str, Any], access: Access | None = None) -> None:
        """Check and compile a document in all its splits.

        Args:
            document: As read, with named sections as maps.
            access: What its traces may read; by default only what lies in the data folder.

        Raises:
            SpecError: With everything that was found.
        """
        self.document = document
        # One for all splits, so that a file is read once.
        access = access or Access()
        self._compiled = {"train": compile_spec(validate(document), access)}
        spec = self._compiled["train"].spec
        if "ood" in spec.splits:
            split = spec.splits["ood"]
            base = spec.model_dump(exclude_none=True, exclude_defaults=True, exclude={"splits"})
            try:
                shifted = changes.apply(
                    base, {"parameters": split.parameters, "processes": split.processes}
                )
                self._compiled["ood"] = compile_spec(validate(shifted), access)
            except SpecError as error:
                raise SpecError(_within_split(error)) from None

    def compiled(self, split: str = "train") -> Compiled:
        """The problem as it is in a split."""
        if split not in SPLITS:
            raise ValueError(f"expected a split of {', '.join(SPLITS)}; found '{split}'")
        return self._compiled.get(split, self._compiled["train"])

    @property
    def spec(self) -> Any:
        """The checked document."""
        return self._compiled["train"].spec

    @property
    def name(self) -> str:
        """Name in lower snake case."""
        return str(self.spec.meta.name)

    @property
    def version(self) -> int:
        """Major version: it changes when results change."""
        return int(self.spec.meta.version)

    @property
    def id(self) -> str:
        """Gymnasium id."""
        return gymnasium_id(self.name, self.version)

    @property
    def title(self) -> str:
        """One line."""
        return str(self.spec.meta.title)

    @property
    def summary(self) -> str:
        """A paragraph."""
        return str(self.spec.meta.summary)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form: the problem as an agent meets it."""
        return self._compiled["train"].digest

    @cached_property
    def objective_digest(self) -> str:
        """SHA-256 of what decides J alone: what a reference is the optimum of."""
        return objective_digest(self.spec)

    @property
    def horizon(self) -> int:
        """Steps of an episode."""
        return int(self.spec.time.horizon)

    @property
    def discount(self) -> float:
        """Discount of training; the score is undiscounted."""
        return float(self.spec.time.discount)

    @property
    def control(self) -> bool:
        """Whether a constant is expected to do well."""
        return bool(self.spec.meta.control)

    @property
    def certified(self) -> str | None:
        """Name of the proven bound, if there is one."""
        name: str | None = self.spec.meta.certified
        return name

    @property
    def heuristics(self) -> tuple[str, ...]:
        """Names of the closed-form policies."""
        return tuple(self.spec.heuristics)

    @property
    def functional_unit(self) -> tuple[str, str] | None:
        """Name and metric of what the score is expressed per."""
        unit = self.spec.meta.functional_unit
        return None if unit is None else (unit.name, unit.metric)

    @cached_property
    def action_names(self) -> tuple[str, ...]:
        """One name for each component of the action."""
        return self._component_names([(d.name, d.raw.index) for d in self.compiled().decisions])

    @cached_property
    def observation_names(self) -> tuple[str, ...]:
        """One name for each component of the observation."""
        return self._component_names([(o.name, o.node.index) for o in self.compiled().observations])

    def _component_names(self, items: list[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
        labels = self.compiled().labels
        names: list[str] = []
        for name, index in items:
            suffixes = [""]
            for one in index:
                suffixes = [
                    f"{s},{label}" if s else label for s in suffixes for label in labels[one]
                ]
            names += [f"{name}[{suffix}]" if suffix else name for suffix in suffixes]
        return tuple(names)

    @cached_property
    def constants(self) -> Mapping[str, NDArray[np.float64]]:
        """Fixed parameters by name, in base units, of shape ``(*index,)``."""
        compiled = self.compiled()
        return {
            name: np.array(compiled.named[name][0].value)[..., 0]
            for name in self.spec.parameters
            if compiled.named[name][0].value is not None
        }

    def __repr__(self) -> str:
        """Name, version and the beginning of the digest."""
        return f"<Problem {self.id} {self.digest[:12]}>"


def gymnasium_id(name: str, version: int) -> str:
    """The registered id: ``offload_paper`` and 0 give ``lowcarbon/OffloadPaper-v0``."""
    return f"lowcarbon/{''.join(part.capitalize() for part in name.split('_'))}-v{version}"


def _within_split(error: SpecError) -> list[Diagnostic]:
    return [
        Diagnostic(d.code, f"splits.ood.{d.path}", d.expected, d.actual, d.hint)
        for d in error.diagnostics
    ]


def library() -> tuple[str, ...]:
    """Names of the problems of the library."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


def parse(text: str | bytes) -> Problem:
    """Check and compile a spec given as text.

    Raises:
        SpecError: With everything that was found.
    """
    return Problem(_as_maps(read(text)))


def load(source: str | Path, overrides: changes.Changes | None = None) -> Problem:
    """Load a problem of the library by name, or a spec file by path.

    Args:
        source: ``offload``, or a path ending in ``.yaml``.
        overrides: ``{"parameters": {name: change}, "processes": {name: change}}``; see
            `envs.spec.overrides`.

    Raises:
        SpecError: The spec or an override was refused, or there is no such problem.
    """
    path = Path(source)
    if isinstance(source, str) and path.suffix not in (".yaml", ".yml"):
        if source not in library():
            known = nearest(source, library())
            raise SpecError(
                [
                    Diagnostic(
                        "unknown-name",
                        "env",
                        "a problem of the library",
                        f"'{shorten(source)}'",
                        known,
                    )
                ]
            )
        path = LIBRARY / f"{source}.yaml"
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise SpecError(
            [
                Diagnostic(
                    "bad-value",
                    "env.spec",
                    "a readable spec file",
                    f"'{path}': {reason}",
                    "mend the path",
                )
            ]
        ) from None
    document = _as_maps(read(text))
    if not overrides:
        return Problem(document, Access(path.parent))
    validate(document)
    document = changes.apply(document, overrides)
    return Problem(document, Access(path.parent, changes.granted(overrides)))


def _as_maps(document: dict[str, Any]) -> dict[str, Any]:
    """The document with named sections as maps, whichever way they were written."""
    document = copy.deepcopy(document)
    for section in ("parameters", "processes"):
        items = document.get(section)
        if isinstance(items, list) and all(
            isinstance(i, dict) and isinstance(i.get("name"), str) for i in items
        ):
            names = [i["name"] for i in items]
            if len(set(names)) == len(names):
                document[section] = {
                    i["name"]: {k: v for k, v in i.items() if k != "name"} for i in items
                }
    return document
