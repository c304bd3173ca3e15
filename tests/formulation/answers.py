"""Answers of a language model, good and bad."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from envs.formulation.answer import document_in
from envs.formulation.llm import Answer, Message

SPEC = """\
spec: 1
meta:
  name: one_link
  title: One transfer over one link
  functional_unit: {name: Mbit, metric: delivered}
time: {step: 1 s, horizon: 1, discount: 0}
parameters:
  band: {unit: MHz, value: 1, source: request}
  noise: {unit: W, value: 1.0e-13, source: request}
  fixed: {unit: W, value: 2, source: request}
  volume: {unit: Mbit, sample: {uniform: [0.5, 2]}, source: request}
  carbon_intensity: {unit: gCO2e/kWh, sample: {uniform: [100, 600]}, source: request}
processes:
  gain: {unit: 1, sample: {lognormal: {median: 1.0e-12, sigma: 1}}, bounds: [2.0e-13, 2.0e-11]}
decisions:
  power: {unit: W, log: [0.01, 5]}
equations:
  speed: {unit: Mbit/s, expr: "band * '1 bit' * log2(1 + power * gain / noise)"}
  airtime: {unit: s, expr: "min(volume / speed, time_step)"}
  needed: {unit: W, expr: "(2 ** (volume / (band * '1 bit' * time_step)) - 1) * noise / gain"}
objective:
  carbon: {unit: gCO2e, expr: "carbon_intensity * (power / 0.3 + fixed) * airtime"}
constraints:
  late: {unit: Mbit, expr: "volume - speed * time_step", penalty: 0.003}
metrics:
  energy: {unit: J, expr: "(power / 0.3 + fixed) * airtime"}
  delivered: {unit: Mbit, expr: "min(volume, speed * time_step)"}
observe:
  gain: {unit: 1, expr: gain, log: [2.0e-13, 2.0e-11]}
  volume: {unit: Mbit, expr: volume, linear: [0.5, 2]}
  intensity: {unit: gCO2e/kWh, expr: carbon_intensity, linear: [100, 600]}
heuristics:
  least:
    summary: half a watt, or the least power that delivers in time
    decisions: {power: "clip(max(needed, '0.5 W'), '0.01 W', '5 W')"}
"""


def fenced(spec: str) -> str:
    return f"```yaml\n{spec}```\n"


GOOD = fenced(SPEC)
WRONG_UNIT = fenced(SPEC.replace('expr: "carbon_intensity * (', 'expr: "(', 1))
IDLE = fenced(SPEC.replace("  fixed:", "  unused: {unit: 1, value: 3}\n  fixed:"))
GARBAGE = "I would rather talk about the weather."


def as_lists(spec: str = SPEC) -> str:
    """A spec as structured output has it: lists of named items, nulls for what is not there."""

    def listed(items: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"name": name, **item, "summary": None} for name, item in items.items()]

    document = document_in(spec)
    for section in ("parameters", "processes", "equations", "metrics", "observe", "constraints"):
        document[section] = listed(document[section])
    document["decisions"] = [{"name": n, **d} for n, d in document["decisions"].items()]
    document["heuristics"] = [
        {
            "name": n,
            "summary": h["summary"],
            "decisions": [{"name": k, "expr": e} for k, e in h["decisions"].items()],
        }
        for n, h in document["heuristics"].items()
    ]
    return json.dumps({**document, "sets": None, "splits": None})


class Scripted:
    """A model that says what it is told to, and remembers what it was asked."""

    provider = "scripted"

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[list[Message]] = []

    def answer(self, conversation: Sequence[Message]) -> Answer:
        self.asked.append(list(conversation))
        return Answer(self._answers.pop(0), "scripted-1", 10, 5, 0.5)
