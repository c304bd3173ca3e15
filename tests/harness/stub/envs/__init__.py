"""A small world that keeps the contract of ``docs/architecture.md``: the harness by itself.

One decision, ``power``, should follow an observed ``gain``; the closed form is known. The carbon of
a step is ``floor + 10 (power - gain)^2`` grams, and power below the gain is penalised.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

KNOWN = {"floor": 1.0, "noise": 0.0}
HORIZON = 4
SPLITS = {"train": 0, "validation": 1, "test": 2, "ood": 3}


@dataclass(frozen=True)
class Diagnostic:
    code: str
    path: str
    expected: str
    actual: str
    hint: str

    def __str__(self):
        return (
            f"{self.path}: {self.code}: expected {self.expected}; found {self.actual}; {self.hint}"
        )


class SpecError(ValueError):
    def __init__(self, diagnostics):
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


@dataclass(frozen=True)
class Problem:
    name: str
    parameters: dict = field(default_factory=dict)
    version: int = 0
    title: str = "A stub"
    summary: str = "A stub."
    horizon: int = HORIZON
    discount: float = 0.9
    control: bool = False
    certified: str | None = "closed_form"
    heuristics: tuple = ("follow_half", "full")
    action_names: tuple = ("power",)
    observation_names: tuple = ("gain", "demand", "clock")
    functional_unit: tuple = ("Mbit", "delivered")

    @property
    def id(self):
        return f"lowcarbon/{self.name.title()}-v{self.version}"

    @property
    def digest(self):
        text = json.dumps([self.name, self.parameters], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def objective_digest(self):
        return self.digest

    @property
    def spec(self):
        power, gain = SimpleNamespace(unit="W"), SimpleNamespace(unit="1")
        return SimpleNamespace(
            decisions={"power": power},
            processes={"gain": gain, "demand": power},
            states={},
            parameters={},
            equations={},
        )


class ProblemVectorEnv(VectorEnv):
    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, problem, num_envs, split, seed, reward_scale):
        self.problem, self.num_envs, self.split = problem, num_envs, SPLITS[split]
        self.scale, self.next = reward_scale, 1000 * seed
        box = gymnasium.spaces.Box
        self.single_observation_space = box(-np.inf, np.inf, (3,), np.float32)
        self.single_action_space = box(-1.0, 1.0, (1,), np.float32)
        self.observation_space = box(-np.inf, np.inf, (num_envs, 3), np.float32)
        self.action_space = box(-1.0, 1.0, (num_envs, 1), np.float32)

    def reset(self, *, seed=None, options=None):
        if options is None:
            scenarios = np.arange(self.next, self.next + self.num_envs)
            self.next += self.num_envs
        else:
            scenarios = options["scenarios"]
        paths = [
            np.random.default_rng([self.split, int(i)]).random((HORIZON, 2)) for i in scenarios
        ]
        self.path = np.stack(paths, axis=1)
        self.now = 0
        self.total = {name: np.zeros(self.num_envs) for name in ("carbon_g", "penalty_g", "power")}
        return self._observe(), {}

    def _observe(self):
        clock = np.full((self.num_envs, 1), 1 - self.now / HORIZON)
        return np.hstack((2 * self.path[self.now] - 1, clock)).astype(np.float32)

    def step(self, actions):
        self.power = (np.asarray(actions, np.float64)[:, 0] + 1) / 2
        self.gain, self.demand = self.path[self.now].T
        carbon = self.problem.parameters.get("floor", 1.0) + 10 * (self.power - self.gain) ** 2
        penalty = 0.5 * np.maximum(self.gain - self.power, 0)
        self.total["carbon_g"] += carbon
        self.total["penalty_g"] += penalty
        self.total["power"] += self.power
        self.now += 1
        done = self.now == HORIZON
        info = {
            "carbon_g": carbon,
            "penalty_g": penalty,
            "energy_j": self.power,
            "cost": penalty[:, None],
        }
        if done:
            totals = self.total
            self.now = 0
            info["final_obs"] = self._observe()
            info["totals"] = {
                "objective_g": totals["carbon_g"] + totals["penalty_g"],
                "carbon_g": totals["carbon_g"],
                "penalty_g": totals["penalty_g"],
                "energy_j": totals["power"],
                "violation.met": 2 * totals["penalty_g"],
                "metric.delivered": np.full(self.num_envs, 8.0),
                "length": np.full(self.num_envs, HORIZON),
            }
            self.reset()
        reward = -(carbon + penalty) / self.scale
        flags = np.full(self.num_envs, done)
        return self._observe(), reward, flags, np.zeros(self.num_envs, bool), info

    def heuristic_actions(self, name):
        if name == "full":
            return np.ones((self.num_envs, 1))
        return 0.5 * (2 * self.path[self.now][:, :1] - 1)

    def quantities(self, names):
        known = {"power": self.power, "gain": self.gain, "demand": self.demand}
        return {name: known[name] for name in names}


def problems():
    return ("channels", "offload")


def load(source, overrides=None):
    if isinstance(source, Path) and "broken" in source.read_text():
        raise SpecError(
            [Diagnostic("unit-mismatch", "equations.rate", "W", "s", "multiply by time")]
        )
    parameters = (overrides or {}).get("parameters", {})
    for name, value in parameters.items():
        if name not in KNOWN:
            hint = "did you mean 'floor'?"
            raise SpecError(
                [Diagnostic("unknown-name", f"parameters.{name}", "a parameter", name, hint)]
            )
        if isinstance(value, str):
            raise SpecError(
                [Diagnostic("unit-mismatch", f"parameters.{name}", "gCO2e", value, "use grams")]
            )
    return Problem(source.stem if isinstance(source, Path) else source, dict(parameters))


def check(path, deep=False):
    return f"ok {load(path).digest[:12]}"


def make_vector(
    problem, num_envs, split="train", seed=0, reward_scale=1.0, backend="numpy", device="cpu"
):
    if os.environ.get("STUB_LOG"):
        with open(os.environ["STUB_LOG"], "a") as log:
            log.write(f"{split} {num_envs}\n")
    return ProblemVectorEnv(problem, num_envs, split, seed, reward_scale)


def functions():
    return ["shannon_rate(bandwidth, snr) -> bit/s"]
