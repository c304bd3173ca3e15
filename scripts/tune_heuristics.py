"""Tune the constants of a problem's rules on training scenarios, and print what was found.

    python scripts/tune_heuristics.py v2g

A constant is a parameter with one value whose source begins with "tuned on train". Rules are tuned
from the last to the first, the most elaborate being last by custom, and a constant belongs to the
last rule that uses it. A cross-entropy search moves all constants of a rule together, within half
of their value (temperatures: within two kelvin); no two generations meet the same scenarios. What
it ends with is compared to what stood there on scenarios that neither has met, and is kept only
where the difference lies outside two standard errors. Nothing is written: paste the values.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

import envs
from envs.compiler.tape import needed

CANDIDATES, ELITE = 24, 6
GENERATIONS = 16
SCENARIOS, STEPS = 48, 1024
"""Scenarios of a generation: so many, and more where episodes are short."""
JUDGED = 8
"""Times as many are used for the comparison."""
SPREAD, LEAST_SPREAD = 0.3, 0.01
"""Deviation of the first generation and the least of any, as shares of the range's half."""
KEEP = 0.3
"""Of the earlier centre and deviation."""
FIRST_JUDGED = 1_000_000
"""Number of the first scenario of the comparison, far beyond what is searched on."""
KELVIN = 2.0

Array = NDArray[np.float64]


def tuned(problem: envs.Problem) -> dict[str, tuple[float, float]]:
    """Value and half of the range of each tunable constant, in its declared unit."""
    found = {}
    for name, item in problem.spec.parameters.items():
        if isinstance(item.value, float) and (item.source or "").startswith("tuned on train"):
            found[name] = item.value, KELVIN if item.unit == "K" else abs(item.value) / 2
    # A constant of 0 has no scale to search on.
    return {name: (value, half) for name, (value, half) in found.items() if half > 0}


class Rules:
    """Plays a problem's rules with other constants, all candidates in one batch.

    The constants become sampled parameters, whose draws are then replaced: scenarios stay the same.
    """

    def __init__(self, name: str) -> None:
        """Load the problem with its constants loose."""
        shipped = envs.load(name)
        self.given = tuned(shipped)
        self.scenarios = max(SCENARIOS, STEPS // shipped.horizon)
        loose = {
            constant: {"sample": {"uniform": [value - half, value + half]}}
            for constant, (value, half) in self.given.items()
        }
        self.problem = envs.load(name, {"parameters": loose})
        named = shipped.compiled().named
        self.factor = {constant: named[constant][1].factor for constant in self.given}

    def constants_of(self, rule: str) -> list[str]:
        """The constants that a rule uses."""
        compiled = self.problem.compiled()
        nodes = needed(list(compiled.heuristics[rule].values()))
        return [p.name for p in compiled.sampled if p.name in self.given and p.node in nodes]

    def play(
        self, rule: str, candidates: list[dict[str, float]], scenarios: NDArray[np.int64]
    ) -> Array:
        """J in grams of each candidate on each scenario, ``(candidate, scenario)``."""
        env = envs.make_vector(self.problem, len(candidates) * len(scenarios), split="train")
        env.reset(options={"scenarios": np.tile(scenarios, len(candidates))})
        state = env.clone_state()
        values = {
            name: np.repeat([c[name] * self.factor[name] for c in candidates], len(scenarios))
            for name in self.given
        }
        drawn = replace(state.drawn, parameters={**state.drawn.parameters, **values})
        env.set_state(replace(state, drawn=drawn))
        for _ in range(self.problem.horizon):
            info = env.step(env.heuristic_actions(rule))[4]
        return np.asarray(info["totals"]["objective_g"]).reshape(len(candidates), -1)


def search(rules: Rules, rule: str, free: list[str], start: dict[str, float]) -> dict[str, float]:
    """Constants at which the search ends, for one rule."""
    rng = np.random.default_rng(0)
    value, half = (np.array([rules.given[name][i] for name in free]) for i in (0, 1))
    centre = (np.array([start[name] for name in free]) - value) / half
    spread = np.full(len(free), SPREAD)

    def constants(point: Array) -> dict[str, float]:
        return {**start, **dict(zip(free, (value + half * point).tolist(), strict=True))}

    for generation in track(range(GENERATIONS), rule, transient=True):
        drawn = rng.normal(centre, spread + LEAST_SPREAD, (CANDIDATES - 1, len(free)))
        points = np.vstack((centre, drawn)).clip(-1, 1)
        some = generation * rules.scenarios + np.arange(rules.scenarios)
        mean = rules.play(rule, [constants(point) for point in points], some).mean(axis=1)
        best = points[mean.argsort()[:ELITE]]
        centre = KEEP * centre + (1 - KEEP) * best.mean(axis=0)
        spread = KEEP * spread + (1 - KEEP) * best.std(axis=0)
    return {name: float(f"{v:.4g}") for name, v in constants(centre).items()}


def main() -> None:
    """Tune every rule and print its constants, before and after."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("problem", choices=envs.problems())
    rules = Rules(parser.parse_args().problem)
    values = {name: value for name, (value, _) in rules.given.items()}
    owned: set[str] = set()
    for rule in reversed(rules.problem.heuristics):
        free = [name for name in rules.constants_of(rule) if name not in owned]
        owned |= set(free)
        if not free:
            continue
        found = {
            **values,
            **{k: v for k, v in search(rules, rule, free, values).items() if k in free},
        }
        judged = FIRST_JUDGED + np.arange(JUDGED * rules.scenarios)
        was, now = rules.play(rule, [values, found], judged)
        gain = was - now
        error = gain.std() / np.sqrt(len(judged))
        better = bool(gain.mean() > 2 * error)
        print(
            f"{rule}: J {was.mean():.6g} g, after the search {now.mean():.6g} g "
            f"({100 * gain.mean() / was.mean():+.2f} % ± {100 * error / was.mean():.2f} saved), "
            f"{'taken' if better else 'left as it was'}"
        )
        for name in free:
            print(f"  {name:18s} {values[name]:<10.4g} -> {found[name]:<10.4g}", flush=True)
        values = found if better else values


if __name__ == "__main__":
    main()
