"""Common random numbers: what is changed in a problem does not move what is not."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import numpy as np

import envs
from envs.simulation import sample_scenarios
from tests.contract.play import Array

NUMBERS = np.arange(20)


def _drawn(problem: envs.Problem) -> dict[str, Array]:
    """Sampled parameters and paths by name, within the horizon."""
    drawn = sample_scenarios(problem, "test", NUMBERS)
    paths = {name: path[: problem.horizon] for name, path in drawn.paths.items()}
    return {**drawn.parameters, **paths}


def _depends(document: dict[str, Any], name: str, on: str) -> bool:
    """Whether a parameter or process is made of another one."""
    items = {**document["parameters"], **document.get("processes", {})}
    text = json.dumps({key: part for key, part in items[name].items() if key != "source"})
    used = set(re.findall(r"[a-z][a-z0-9_]*", text)) & set(items) - {name}
    return on in used or any(_depends(document, other, on) for other in used)


def test_an_override_keeps_the_noise(problem: envs.Problem) -> None:
    before, tried = _drawn(problem), 0
    for name, item in problem.document["parameters"].items():
        value = item.get("value")
        if not isinstance(value, int | float) or tried >= 8:
            continue
        try:
            changed = envs.load(problem.name, {"parameters": {name: value * 1.001}})
        except envs.SpecError:
            continue  # What bounds are proven with cannot be moved alone.
        tried += 1
        assert changed.digest != problem.digest
        after = _drawn(changed)
        for drawn, values in before.items():
            if not _depends(problem.document, drawn, name):
                np.testing.assert_array_equal(after[drawn], values, err_msg=f"{name}: {drawn}")
    assert tried > 2


def test_an_addition_changes_no_other_draw(problem: envs.Problem) -> None:
    before, document = _drawn(problem), copy.deepcopy(problem.document)
    processes = document.setdefault("processes", {})
    extra: dict[str, Any] = {"a_first": {"unit": "1", "sample": {"uniform": [0, 1]}}}
    for number, (name, item) in enumerate(list(processes.items())):
        if "forecast" not in item:
            lead = f"{17 * (number + 1)} * time_step"
            forecast = {"of": name, "lead": lead, "error": 0}
            shape = {key: item[key] for key in ("unit", "index") if key in item}
            extra[f"z_{name}"[:48]] = {**shape, "forecast": forecast}
    document["processes"] = {**extra, **processes}
    document["parameters"]["a_second"] = {"unit": "1", "sample": {"poisson": {"mean": 3}}}
    after = _drawn(envs.parse(json.dumps(document)))
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, rtol=1e-12, atol=0, err_msg=name)
