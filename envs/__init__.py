"""Problems of low-carbon networking, from a declarative spec to a registered Gymnasium environment.

Importing this package registers every problem of the library as ``lowcarbon/<Name>-v<major>``. It
pulls in neither torch nor any part of the harness.
"""

from __future__ import annotations

from typing import Any

import gymnasium

from envs.check import Report, check
from envs.compiler.fields import DOMAIN_FUNCTIONS
from envs.compiler.functions import FUNCTIONS
from envs.mathematics import as_markdown, as_page
from envs.problem import LIBRARY, Problem, gymnasium_id, load, parse
from envs.problem import library as problems
from envs.simulation.differentiable import DifferentiableVectorEnv
from envs.simulation.vector import ProblemEnv, ProblemVectorEnv
from envs.spec.diagnostics import Diagnostic, SpecError

__all__ = [
    "LIBRARY",
    "Diagnostic",
    "DifferentiableVectorEnv",
    "Problem",
    "ProblemEnv",
    "ProblemVectorEnv",
    "Report",
    "SpecError",
    "as_markdown",
    "as_page",
    "check",
    "functions",
    "load",
    "make",
    "make_vector",
    "parse",
    "problems",
]


def make(problem: Problem | str, **options: Any) -> ProblemEnv:
    """A single environment of a problem; for the options see `ProblemEnv`."""
    return ProblemEnv(load(problem) if isinstance(problem, str) else problem, **options)


def make_vector(problem: Problem | str, num_envs: int = 1, **options: Any) -> ProblemVectorEnv:
    """A vector environment of a problem; for the options see `ProblemVectorEnv`.

    With ``backend="torch"`` it is a `DifferentiableVectorEnv`.
    """
    problem = load(problem) if isinstance(problem, str) else problem
    torch = options.get("backend") == "torch"
    return (DifferentiableVectorEnv if torch else ProblemVectorEnv)(problem, num_envs, **options)


def functions() -> tuple[str, ...]:
    """Signatures of all functions; the field's own formulas with units and source."""
    plain = [str(f) for name, f in FUNCTIONS.items() if name.isidentifier()]
    return (*plain, *(f"{f}: {f.summary} ({f.source})" for f in DOMAIN_FUNCTIONS.values()))


def _register() -> None:
    # The major version stands in the file name's problem only; reading it here would compile the
    # whole library on import.
    for name in problems():
        gymnasium.register(
            id=gymnasium_id(name, _major_version(name)),
            entry_point="envs:make",
            vector_entry_point="envs:make_vector",
            kwargs={"problem": name},
        )


def _major_version(name: str) -> int:
    """The ``version`` line of a library file; a test holds it to what the document says."""
    for line in (LIBRARY / f"{name}.yaml").read_text(encoding="utf-8").splitlines():
        key, _, value = line.strip().partition(":")
        if key == "version":
            return int(value.split("#")[0])
    return 0


_register()
