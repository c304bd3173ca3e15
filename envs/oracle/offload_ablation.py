"""What each decision of ``offload`` is worth: the rise of J when it is held at its best constant.

    python -m envs.oracle.offload_ablation --days 24

The day's programme is solved again with the decision held, so that everything else makes the best
of it with full foresight. The battery alone is held in the plan as it is: its constant is played.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

import envs
from envs.oracle.offload import Day, Server, best_plan, constants, generate
from envs.oracle.offload_share import serve
from envs.oracle.offload_slot import Cell, Choice, Demand, best_choice
from envs.oracle.realise import realise
from envs.simulation.scenarios import sample_scenarios

Array = NDArray[np.float64]

POWERS_W = (0.55, 0.8, 1.15, 1.7)
STEPS = (19, 20, 21)
SPLITS = (0.0, 0.5, 0.75, 1.0)
COMMANDS_W = (-60.0, -30.0, -15.0, 0.0, 15.0)


def uniform(cell: Cell, demand: Demand, price: Array, quality: float, units: int) -> Choice:
    """Serve with the same bandwidth for every user."""
    bandwidth = np.full((*demand.gain.shape, 1), cell.band / demand.gain.shape[1])
    found = best_choice(cell, demand, bandwidth, price, quality)
    return Choice(**{f.name: getattr(found, f.name)[..., 0] for f in fields(Choice)})


def split_at(split: float) -> Server:
    """Serve with a split held; shares are what they are when it is free."""

    def server(cell: Cell, demand: Demand, price: Array, quality: float, units: int) -> Choice:
        free = serve(cell, demand, price, quality, units)
        best = _held_split(cell, demand, free.bandwidth, price, quality, split)
        return replace(free, **best)

    return server


def _held_split(
    cell: Cell, demand: Demand, bandwidth: Array, price: Array, quality: float, split: float
) -> dict[str, Array]:
    """Power and steps at a held split, by enumeration: ``(slot, user, power, step)``.

    Returns what the programme reads of a `Choice`.
    """
    power = np.geomspace(cell.power_low, cell.power_high, 16)[:, None]
    steps = cell.steps
    b, ci, pi = bandwidth[..., None, None], demand.ci_user[..., None, None], price[..., None, None]
    snr = power * demand.gain[..., None, None] / (cell.noise_density * b)
    rate = b * np.minimum(np.log2(1 + snr), cell.efficiency_cap)
    slack = demand.slack_s[..., None, None] - steps * cell.edge_step_time
    step_s = cell.user_step_time - cell.edge_step_time
    feasible = np.floor(np.clip((slack - cell.payload_latent / rate) / step_s, 0, steps))
    own = np.minimum(np.floor(split * (feasible + 1)), feasible)
    payload = np.select(
        [own >= steps, own < 0.5], [cell.payload_prompt, cell.payload_image], cell.payload_latent
    )
    seconds = np.minimum(payload / rate, cell.airtime_max)
    computing = (steps - own) * cell.edge_step_time
    parts = {
        "edge_j": cell.pue * cell.edge_step_energy * (steps - own)
        + (cell.chain_fixed + cell.power_slope * power) * seconds,
        "user_g": ci * (cell.user_step_energy * own + cell.wait_power * (computing + seconds)),
        "late_g": cell.late_price * np.maximum(seconds + own * step_s - slack, 0),
        "fid": np.broadcast_to(cell.fid(steps) - cell.fid_target, own.shape),
    }
    cost = pi * parts["edge_j"] + parts["user_g"] + parts["late_g"] + quality * parts["fid"]
    flat = cost.reshape(*cost.shape[:2], -1)
    best = flat.argmin(axis=-1)[..., None]
    return {
        name: demand.images * np.take_along_axis(x.reshape(flat.shape), best, axis=-1)[..., 0]
        for name, x in {**parts, "cost": cost}.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=24, help="of the train split")
    scenarios = np.arange(parser.parse_args().days)
    problem = envs.load("offload")
    cell, store = constants(problem, "train")
    drawn = sample_scenarios(problem, "train", scenarios)
    days = [Day.of(drawn, int(row), problem.horizon) for row in scenarios]

    def mean(cell: Cell, server: Server = serve) -> float:
        return float(np.mean([generate(cell, store, day, server)[1].value_g for day in days]))

    def powers() -> Iterable[Cell]:
        return (replace(cell, power_low=p, power_high=p) for p in POWERS_W)

    def with_command(watts: float) -> float:
        held = {**plan, "command": np.full_like(plan["command"], watts)}
        return float(realise(problem, "train", scenarios, held).mean())

    base = mean(cell)
    print(f"nothing held: {base:.2f} g a day, {len(days)} days", flush=True)
    _, plan = best_plan(problem, "train", scenarios)
    played = realise(problem, "train", scenarios, plan).mean()
    rows: dict[str, Callable[[], float]] = {
        "share": lambda: mean(cell, uniform),
        "power": lambda: min(mean(held) for held in powers()),
        "share and power": lambda: min(mean(held, uniform) for held in powers()),
        "split": lambda: min(mean(cell, split_at(split)) for split in SPLITS),
        "steps": lambda: min(mean(replace(cell, steps_low=s, steps_high=s)) for s in STEPS),
        "command": lambda: min(with_command(watts) * base / played for watts in COMMANDS_W),
    }
    for name, row in rows.items():
        print(f"{name:16s} {100 * (row() / base - 1):+6.1f} %", flush=True)


if __name__ == "__main__":
    main()
