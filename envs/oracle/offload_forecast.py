"""What a controller of ``offload`` can know of the rest of the day.

The climate is learnt from training scenarios; the present comes from what is observed. Everything
here uses only what an agent may see: the declination, the past and present of every observation,
and the forecast of carbon intensity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from envs.oracle.offload_slot import Demand
from envs.simulation.scenarios import sample_scenarios

if TYPE_CHECKING:
    from envs.problem import Problem

Array = NDArray[np.float64]

LEVELS = 3
"""Moments that stand for a block: users' deadlines and gains at these many quantiles, shuffled."""

DARK = 0.05
"""Sine of the sun's height under which clearness is not read."""

CLEARNESS_MEMORY_S = 3 * 3600.0
INTENSITY_MEMORY_S = 12 * 3600.0
PRIOR_SLOTS = 12.0
"""How many slots of watching weigh as much as the climate."""


def clear_sky(sun: Array, rated_w: float) -> Array:
    """PV power under a clear sky for a sine of the sun's height (Haurwitz 1945)."""
    height = np.maximum(sun, 1e-3)
    return np.asarray(rated_w * 1.098 * height * np.exp(-0.057 / height))


@dataclass(frozen=True)
class Climate:
    """Training days in short.

    Attributes:
        intensity: ``(slot, zone, 2)``, mean and slope over the declination, g/J.
        clearness: Mean and slope of the PV power over that of a clear sky.
        images: Mean of a user, ``(slot,)``.
        deadline_s: At the levels' quantiles.
        queue_s: Median.
        gain_db: Mean of the users' means.
        gain_spread_db: Of a user over the day, at the levels' quantiles.
    """

    intensity: Array
    clearness: Array
    images: Array
    deadline_s: Array
    queue_s: float
    gain_db: float
    gain_spread_db: Array

    @classmethod
    def learn(cls, problem: Problem, scenarios: int = 384) -> Climate:
        """From the first training scenarios."""
        drawn = sample_scenarios(problem, "train", np.arange(scenarios))
        path = {name: values[: problem.horizon] for name, values in drawn.paths.items()}
        declination = drawn.parameters["declination"]
        design = np.column_stack([np.ones(scenarios), declination])
        intensity = np.linalg.lstsq(
            design, np.moveaxis(path["ci"], 1, 0).reshape(scenarios, -1), rcond=None
        )[0]
        bright = path["sun"] > DARK
        clear = clear_sky(path["sun"], float(problem.constants["pv_rated"]))
        clearness = np.where(bright, path["pv"], 0).sum(0) / np.where(bright, clear, 0).sum(0)
        gain_db = 10 * np.log10(path["gain"])
        levels = (np.arange(LEVELS) + 0.5) / LEVELS
        return cls(
            intensity=np.asarray(intensity.T.reshape(*path["ci"].shape[::2], 2), np.float64),
            clearness=np.linalg.lstsq(design, clearness, rcond=None)[0],
            images=path["requests"].mean(axis=(1, 2)),
            deadline_s=np.quantile(path["deadline"], levels),
            queue_s=float(np.median(path["queue"])),
            gain_db=float(gain_db.mean()),
            gain_spread_db=np.quantile(gain_db - gain_db.mean(axis=0), levels),
        )


@dataclass(frozen=True)
class Outlook:
    """The rest of the day in blocks of slots.

    ``moments`` has ``LEVELS`` rows per scenario and block, scenario first, and the images of the
    block; intensity at the edge (g/J) and PV power (W) are ``(scenario, block)``.
    """

    moments: Demand
    ci_edge: Array
    pv_w: Array


class Watcher:
    """Sees a batch of days slot by slot and says what it expects of the rest."""

    def __init__(self, problem: Problem, climate: Climate, declination: Array) -> None:
        """A batch with the given declinations ``(scenario,)``; nothing seen yet."""
        self._climate, self._horizon = climate, problem.horizon
        self._slot_s = problem.compiled().step_s
        self._leads_s = np.append(0.0, problem.constants["lead_time"])
        self._rated_w = float(problem.constants["pv_rated"])
        design = np.column_stack([np.ones(len(declination)), declination])
        self._usual = np.einsum("tzc,bc->tbz", climate.intensity, design)
        self._usual_clearness = design @ climate.clearness
        self._sums: dict[str, Array] = {}
        self._seen = 0
        rng = np.random.default_rng(0)
        users = 4
        self._mix = np.stack([rng.permuted(np.arange(LEVELS)) for _ in range(2 * users)], axis=1)

    def see(self, now: Mapping[str, Array], sun: Array) -> None:
        """Take in the observations of a slot, ``(scenario, …)``, in base units."""
        bright = sun > DARK
        clear = clear_sky(sun, self._rated_w)
        self._seen += 1
        for name, value in {
            "gain_db": 10 * np.log10(now["gain"]),
            "images": now["requests"],
            "usual_images": np.full(len(sun), self._climate.images[self._seen - 1]),
            "bright": bright.astype(float),
            "clearness": np.where(bright, now["pv"] / clear, 0.0),
        }.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._now = now
        self._clearness_now = np.where(bright, now["pv"] / clear, np.nan)

    def outlook(self, sun: Array, block: int) -> Outlook:
        """Expect the rest of the day, the present slot included.

        Args:
            sun: Sine of the sun's height over the whole day, ``(slot, scenario)``: astronomy.
            block: Slots in a block; the last block may be shorter.
        """
        start = self._seen - 1
        slots = np.arange(start, self._horizon)
        ahead_s = np.asarray((slots - start) * self._slot_s, dtype=np.float64)
        ci = self._intensity(slots, ahead_s)
        pv = clear_sky(sun[slots], self._rated_w) * self._clearness(ahead_s)
        edges = np.arange(0, len(slots), block)
        lengths = np.diff(np.append(edges, len(slots)))

        def mean(path: Array) -> Array:
            return np.add.reduceat(path, edges, axis=0) / lengths.reshape(
                -1, *(1,) * (path.ndim - 1)
            )

        usual = np.add.reduceat(self._climate.images[slots], edges)
        return Outlook(self._moments(usual, mean(ci)[..., 1]), mean(ci)[..., 0].T, mean(pv).T)

    def _intensity(self, slots: NDArray[np.intp], ahead_s: Array) -> Array:
        """Expected intensity ``(slot, scenario, zone)``: the usual day and what departs from it."""
        known = np.concatenate([self._now["ci"][..., None], self._now["ci_forecast"]], axis=-1)
        leads = (self._leads_s / self._slot_s).astype(int)
        # Beyond midnight the usual day begins again.
        usual = self._usual[(slots[0] + leads) % self._horizon]
        departs = known - np.moveaxis(usual, 0, -1)
        right = np.clip(np.searchsorted(self._leads_s, ahead_s, side="right"), 1, len(leads) - 1)
        weight = (ahead_s - self._leads_s[right - 1]) / np.diff(self._leads_s)[right - 1]
        weight = np.minimum(weight, 1.0)
        between = departs[..., right - 1] * (1 - weight) + departs[..., right] * weight
        fade = np.exp(-np.maximum(ahead_s - self._leads_s[-1], 0) / INTENSITY_MEMORY_S)
        path = self._usual[slots] + np.moveaxis(between * fade, -1, 0)
        return np.asarray(np.maximum(path, 20 / 3.6e6))

    def _clearness(self, ahead_s: Array) -> Array:
        sums = self._sums
        today = (PRIOR_SLOTS * self._usual_clearness + sums["clearness"]) / (
            PRIOR_SLOTS + sums["bright"]
        )
        now = np.where(np.isnan(self._clearness_now), today, self._clearness_now)
        fade = np.exp(-ahead_s / CLEARNESS_MEMORY_S)[:, None]
        return np.asarray(today + fade * (now - today))

    def _moments(self, usual_images: Array, ci_user: Array) -> Demand:
        climate, sums = self._climate, self._sums
        activity = (100 + sums["images"]) / (100 + sums["usual_images"][:, None])
        gain_db = (PRIOR_SLOTS * climate.gain_db + sums["gain_db"]) / (PRIOR_SLOTS + self._seen)
        scenarios, users = activity.shape
        blocks = len(usual_images)
        shape = (scenarios, blocks, LEVELS, users)
        slow, weak = self._mix[:, :users], self._mix[:, users:]
        gain = 10 ** ((gain_db[:, None, None] + climate.gain_spread_db[weak]) / 10)
        images = activity[:, None, None] * usual_images[None, :, None, None] / LEVELS
        slack = climate.deadline_s[slow] - climate.queue_s
        return Demand(
            gain=np.broadcast_to(gain, shape).reshape(-1, users),
            images=np.broadcast_to(images, shape).reshape(-1, users),
            slack_s=np.broadcast_to(slack, shape).reshape(-1, users),
            ci_user=np.broadcast_to(ci_user.T[..., None], shape[:3]).reshape(-1, 1),
        )
