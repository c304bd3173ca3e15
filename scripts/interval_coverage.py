"""How often the 95 % interval of the interquartile mean contains the truth.

    python scripts/interval_coverage.py [--repetitions 2000]

Values are drawn from distributions whose interquartile mean is known; the interval of the report is
taken on each sample, beside the plain percentile interval. With ten values or more it should
contain the truth in 93 to 97 of 100; with three and five it does not, which is why results on fewer
than ten seeds are exploratory. The exit code is 1 when it falls outside with ten or more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from benchmark.aggregate import LEAST_SEEDS, bootstrap, interval, iqm

Draw = Callable[[np.random.Generator, int], np.ndarray]

DISTRIBUTIONS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "skewed (lognormal)": lambda rng, n: np.exp(rng.standard_normal(n)),
    "heavy tails (t, 2 degrees)": lambda rng, n: rng.standard_t(2, n),
    "bimodal (half and half)": lambda rng, n: (
        np.where(rng.random(n) < 0.5, -1.0, 1.0) + 0.5 * rng.standard_normal(n)
    ),
    "bimodal (3 of 10 fail)": lambda rng, n: (
        np.where(rng.random(n) < 0.3, -1.5, 1.0) + 0.4 * rng.standard_normal(n)
    ),
}
SAMPLES = ((3, 1), (5, 1), (10, 1), (20, 1), (30, 1), (10, 4))
"""Seeds, and problems."""

BOOTSTRAPS = 1_000
LOW, HIGH = 0.93, 0.97


def coverage(draw: Draw, seeds: int, problems: int, repetitions: int) -> tuple[float, float]:
    """Share of samples whose interval contains the truth: ours, and the plain percentile one."""
    rng = np.random.default_rng(seeds + 1_000 * problems)
    truth = float(iqm(draw(rng, 4_000_000)))
    ours = plain = 0
    for _ in range(repetitions):
        strata = [draw(rng, seeds) for _ in range(problems)]
        found = interval(strata, rng, repetitions=BOOTSTRAPS)
        ours += found.low <= truth <= found.high
        low, high = np.quantile(bootstrap(strata, rng, iqm, BOOTSTRAPS), [0.025, 0.975])
        plain += bool(low <= truth <= high)
    return ours / repetitions, plain / repetitions


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=2_000)
    repetitions = parser.parse_args().repetitions
    print(f"95 % intervals of the interquartile mean, {repetitions:,} repetitions\n")
    print("| distribution | seeds × problems | ours | percentile |")
    print("|---|---|---|---|")
    missed = 0
    for name, draw in DISTRIBUTIONS.items():
        for seeds, problems in SAMPLES:
            ours, plain = coverage(draw, seeds, problems, repetitions)
            outside = seeds >= LEAST_SEEDS and not LOW <= ours <= HIGH
            missed += outside
            mark = " (outside)" if outside else ""
            row = f"{name} | {seeds} × {problems} | {ours:.1%}{mark} | {plain:.1%}"
            print(f"| {row} |", flush=True)
    print(f"\n{missed} of the rows with ten seeds or more lie outside {LOW:.0%} to {HIGH:.0%}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
