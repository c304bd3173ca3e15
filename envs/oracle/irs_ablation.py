"""What each decision of the two surface problems is worth, with full foresight on train.

    python -m envs.oracle.irs_ablation irs --scenarios 40
    python -m envs.oracle.irs_ablation irs_beamforming --scenarios 24

A held decision has one value for all scenarios, the best of a grid (phases: by descent); everything
else makes the best of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from rich.progress import track

import envs
from envs.oracle import irs_phases, irs_site
from envs.oracle.irs_channel import Complex, moments
from envs.oracle.irs_street import ELEMENTS, PLACE, POWER, TURN, Array, streets

Row = tuple[str, float]
"""What is shown and its value: J in grams, or a share where the name ends in a question."""


def site(problem: envs.Problem, count: int) -> Iterator[Row]:
    """Mean J of ``irs`` with one decision held after another."""
    street = streets(problem, "train", np.arange(count))
    low = np.array([5.0, -1.396, np.log(8), np.log(0.05)])
    high = np.array([150.0, 1.396, np.log(2048), np.log(6.3)])
    bare, _, _ = irs_site.without_surface(street, low[POWER], high[POWER])

    def each(
        axis: int | None,
        value: float = 0.0,
        facades: tuple[float, ...] = (0.0, 1.0),
        to_end: bool = False,
    ) -> Array:
        """J of each street; ``to_end`` goes on by branch and bound, on both façades."""
        least, most, without = low.copy(), high.copy(), bare
        if axis is not None:
            least[axis] = most[axis] = value
        if axis == ELEMENTS:
            without = np.full(count, np.inf)
        if axis == POWER:
            none, nothing = np.zeros((count, 2)), np.zeros(count)
            watt = np.full(count, np.exp(value))
            without = street.cost(watt, watt, none, nothing, nothing)
        point, north, found = irs_site.search(street, least, most, facades)
        found = np.minimum(found, without)
        if to_end:
            irs_site.prove(street, least, most, found, point, north)
        return found

    yield "nothing held", float(each(None, to_end=True).mean())
    for name, axis, values in (
        ("place", PLACE, np.linspace(20, 130, 12)),
        ("turn", TURN, np.linspace(-1.2, 1.2, 9)),
        ("elements", ELEMENTS, np.log([64, 96, 128, 192, 256, 384, 512])),
        ("power", POWER, np.log([0.3, 0.4, 0.6, 0.9, 1.3])),
    ):
        tried = [each(axis, v).mean() for v in track(values, name, transient=True)]
        yield name, float(each(axis, values[int(np.argmin(tried))], to_end=True).mean())
    yield "side", min(each(None, facades=(side,)).mean() for side in (0.0, 1.0))
    yield "no surface anywhere", float(bare.mean())
    for number in (16, 32, 64, 128, 256, 512, 1024, 2048):
        yield f"{number} elements everywhere", float(each(ELEMENTS, np.log(number)).mean())
    sides = [irs_site.search(street, low, high, (side,))[2] for side in (0.0, 1.0)]
    built = np.min(sides, axis=0) < bare
    yield "no surface is best?", float(1 - built.mean())
    near = np.max(sides, axis=0) < 1.2 * np.min(sides, axis=0)
    yield "if built, other façade within 20 %?", float(near[built].mean())


def phases(problem: envs.Problem, count: int) -> Iterator[Row]:
    """Mean J of ``irs_beamforming`` with the phases held, or without a surface."""
    price, feed, m = moments(problem, "train", np.arange(count))
    steps = irs_phases.STEPS[0]

    def needed(reflection: Complex) -> Array:
        return irs_phases.needed_power(price, irs_phases.channels(feed, m, reflection), m.sinr)

    def episode(reflection: Complex) -> float:
        return float(price.cost(needed(reflection), m).sum() / count)

    angles = irs_phases.best_phases(price, feed, m)
    yield "nothing held", episode(np.exp(1j * angles))
    same = irs_phases.descend(price, feed, m, np.zeros_like(angles), 3 * steps, shared=True)
    yield "phase (one for all)", episode(np.exp(1j * same))
    yield "no surface", episode(np.zeros_like(angles, dtype=np.complex128))
    rng = np.random.default_rng(0)
    needs = []
    for _ in range(8):
        start = rng.uniform(-np.pi, np.pi, angles.shape)
        found = irs_phases.descend(price, feed, m, start, 2 * steps)
        needs.append(needed(np.exp(1j * found)))
    spread = np.ptp(needs, axis=0) / np.min(needs, axis=0)
    yield "spread of need over 8 random starts, median?", float(np.median(spread))
    yield "spread of need over 8 random starts, 95 %?", float(np.quantile(spread, 0.95))


def main() -> None:
    """Print the table of a problem."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("problem", choices=["irs", "irs_beamforming"])
    parser.add_argument("--scenarios", type=int, default=40, help="of the train split")
    options = parser.parse_args()
    table = site if options.problem == "irs" else phases
    base = None
    for name, value in table(envs.load(options.problem), options.scenarios):
        base = value if base is None else base
        rise = "" if name.endswith("?") else f"{100 * (value / base - 1):+.1f} %"
        print(f"{name:46s} {value:12.6g}  {rise}", flush=True)


if __name__ == "__main__":
    main()
