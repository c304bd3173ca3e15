"""What is said when a number is none: which quantity, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.compiler.graph import Node
from envs.compiler.model import Compiled
from envs.compiler.tape import needed


class NonFiniteError(ArithmeticError):
    """A value is no finite number; the message names the first quantity that produced it."""


def divergent_action(compiled: Compiled, raw: NDArray[Any], time: int) -> NonFiniteError:
    """For actions ``(action_size, batch)`` of which one is not a number."""
    component, row = np.argwhere(np.isnan(raw))[0]
    decision = next(d for d in compiled.decisions if component < d.offset + d.count)
    return NonFiniteError(
        f"{compiled.spec.meta.name}: the action for '{decision.name}' (component {component}) "
        f"of environment {row} is not a number at step {time}. Look at the agent: its "
        "policy has diverged."
    )


def named_after(compiled: Compiled, roots: list[Node], node: Node) -> str:
    """The name of a node, or of the first named one of the roots' that it is a part of."""
    names = {node.origin.number: name for name, (node, _) in compiled.named.items()}
    if node.number in names:
        return names[node.number]
    users = (n for n in needed(roots) if n.number in names and node in needed([n]))
    user = next(users, None)
    whole = names[user.number] if user else "the objective, a constraint or an observation"
    return f"a part of '{whole}'"
