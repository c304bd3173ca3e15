"""How the generators of carbon intensity, weather, sessions and load are fitted to recordings.

Days are arrays ``(day, 24)`` of hourly means in local standard time.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from envs.traces import read_series, read_sessions, whole_days

Array = NDArray[np.float64]

SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
# Local standard time of a zone; its name in the tables.
ZONES = {
    "DE": ("DE", 1.0),
    "GB": ("GB", 0.0),
    "US-CAL-CISO": ("CA", -8.0),
    "SG": ("SG", 8.0),
    "IN-WE": ("IN", 5.5),
    "ZA": ("ZA", 2.0),
}
_LOW_SUN = 0.2
"""Sine of the elevation below which clearness says little."""

_LONGEST_STAY_H = 24.0
"""Of a session; a car that stays longer is parked."""

_MONTH_OF_DAY = np.repeat(np.arange(1, 13), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def by_season(days: Array, first_day: int) -> dict[str, tuple[Array, NDArray[np.bool_]]]:
    """Days ``(day, 24)`` of each season, and which of them follow the day before them."""
    number = first_day + np.arange(len(days))
    month = _MONTH_OF_DAY[number % 365]
    parts = {}
    for season, months in SEASONS.items():
        chosen = np.isin(month, months)
        parts[season] = days[chosen], np.diff(number[chosen], prepend=-9) == 1
    return parts


def harmonic(profile: Array, order: int) -> tuple[float, float]:
    """Amplitude and hour of the (first) peak of a harmonic of a day's 24 hourly means."""
    hour = np.arange(24) + 0.5
    turn = 2 * np.pi * order * hour / 24
    a, b = (2 * np.mean(profile * f(turn)) for f in (np.cos, np.sin))
    period = 24 / order
    return float(np.hypot(a, b)), float(np.arctan2(b, a) / (2 * np.pi) * period % period)


def wave(amplitude: float, peak: float, order: int) -> Array:
    """A harmonic at the middle of each hour."""
    return amplitude * np.cos(2 * np.pi * order * (np.arange(24) + 0.5 - peak) / 24)


def correlation(rows: Array, follows: NDArray[np.bool_]) -> float:
    """Correlation from hour to hour, over midnight too where days follow each other."""
    before, after = [rows[:, :-1].ravel()], [rows[:, 1:].ravel()]
    before.append(rows[:-1][follows[1:], -1])
    after.append(rows[1:][follows[1:], 0])
    return float(np.corrcoef(np.concatenate(before), np.concatenate(after))[0, 1])


def cleanest_saving(days: Array, hours: int = 8) -> float:
    """What the cleanest hours of each day are below its mean, as a part of it."""
    cleanest = np.sort(days, axis=1)[:, :hours].mean()
    return float(1 - cleanest / days.mean())


def statistics(days: Array, follows: NDArray[np.bool_] | None = None) -> dict[str, float]:
    """What generated and real days are compared by; days are ``(day, 24)``."""
    alone = np.zeros(len(days), dtype=bool)
    return {
        "mean": float(days.mean()),
        "sd": float(days.std()),
        "diurnal_amplitude": harmonic(days.mean(axis=0), 1)[0],
        "correlation_1h": correlation(days, alone if follows is None else follows),
        "cleanest_8h_saving": cleanest_saving(days),
        "min": float(days.min()),
        "max": float(days.max()),
    }


def fit_two_levels(days: Array, follows: NDArray[np.bool_]) -> dict[str, float]:
    """The two-level model: a day's level, a factor on its shape, and an hourly residual."""
    mean, level = days.mean(), days.mean(axis=1) - days.mean()
    profile = days.mean(axis=0) - mean
    (a24, h24), (a12, h12) = harmonic(profile, 1), harmonic(profile, 2)
    shape = wave(a24, h24, 1) + wave(a12, h12, 2)
    inside = days - days.mean(axis=1, keepdims=True)
    factor = inside @ shape / (shape @ shape)
    residual = inside - factor[:, None] * shape
    return {
        "mean": float(mean),
        "amplitude_24h": a24,
        "peak_24h": h24,
        "amplitude_12h": a12,
        "peak_12h": h12,
        "day_sd": float(level.std()),
        "day_correlation": float(
            np.corrcoef(level[:-1][follows[1:]], level[1:][follows[1:]])[0, 1]
        ),
        "shape_sd": float(factor.std()),
        "hour_sd": float(residual.std()),
        "hour_correlation": correlation(residual, follows),
    }


def fit_carbon(data: bytes) -> tuple[str, dict[str, Any]]:
    """Name of the zone and its seasons."""
    head, row = list(csv.reader(data.decode("utf-8-sig").splitlines()[:2]))
    zone = row[head.index("Zone Id")]
    name, offset_h = ZONES.get(zone, (zone, 0.0))
    hours, first = whole_days(read_series(data, "life_cycle"), 3600 // 2, round(offset_h * 3600))
    # Half an hour apart in zones such as India: means of two halves.
    seasons = by_season(hours.reshape(-1, 24, 2).mean(axis=2), first)
    return name, {
        season: {"model": fit_two_levels(*days), "statistics": statistics(*days)}
        for season, days in seasons.items()
    }


def fit_wet_bulb(data: bytes) -> dict[str, Any]:
    """Mean, daily wave and hourly AR(1) of the wet bulb of each season."""
    hours, first = whole_days(read_series(data, "wet_bulb"), 3600)
    fitted = {}
    for season, (days, follows) in by_season(hours.reshape(-1, 24), first).items():
        amplitude, peak = harmonic(days.mean(axis=0), 1)
        residual = days - days.mean() - wave(amplitude, peak, 1)
        rho = correlation(residual, follows)
        model = {
            "mean": float(days.mean()),
            "amplitude_24h": amplitude,
            "peak_24h": peak,
            "hour_correlation": rho,
            "innovation_sd": float(residual.std() * np.sqrt(1 - rho**2)),
        }
        fitted[season] = {"model": model, "statistics": statistics(days, follows)}
    return fitted


def clear_sky(latitude: float, longitude: float, zone_h: float) -> tuple[Array, Array]:
    """Irradiance of a cloudless sky and sine of the elevation, hourly means, ``(365, 24)``.

    Sources: Haurwitz 1945; declination by Cooper 1969 and equation of time by Woolf 1968, as in
    Duffie and Beckman (recalled).
    """
    day = np.arange(365)[:, None]
    hour = (np.arange(24 * 12) + 0.5)[None] / 12
    declination = np.radians(23.45 * np.sin(2 * np.pi * (284 + day + 1) / 365))
    b = 2 * np.pi * (day - 80) / 364
    minutes = 9.87 * np.sin(2 * b) - 7.53 * np.cos(b) - 1.5 * np.sin(b)
    solar = hour + (longitude - 15 * zone_h) / 15 + minutes / 60
    sine = np.sin(np.radians(latitude)) * np.sin(declination)
    sine = sine + np.cos(np.radians(latitude)) * np.cos(declination) * np.cos(
        np.pi * (solar - 12) / 12
    )
    sine = np.maximum(sine, 1e-3)
    light = 1098 * sine * np.exp(-0.057 / sine)
    return light.reshape(365, 24, 12).mean(axis=2), sine.reshape(365, 24, 12).mean(axis=2)


def fit_clearness(data: bytes) -> dict[str, Any]:
    """Beta of the daily clearness and AR(1) of the hourly one around it."""
    place = data.split(b"\n", 1)[0].decode("ascii", "replace").split(",")
    light, sine = clear_sky(*(float(place[i]) for i in (6, 7, 8)))
    hours, first = whole_days(read_series(data, "irradiance"), 3600)
    measured = hours.reshape(-1, 24)[:365]
    daily = measured.sum(axis=1) / light.sum(axis=1)
    hourly = np.where(sine > _LOW_SUN, measured / np.maximum(light, 1), np.nan) - daily[:, None]
    parts = by_season(np.column_stack([daily, hourly]), first)
    fitted = {}
    for season, (rows, follows) in parts.items():
        k, within = rows[:, 0], rows[:, 1:]
        a, b = beta_of(np.clip(k, 0.0, 1.0))
        pairs = np.isfinite(within[:, :-1]) & np.isfinite(within[:, 1:])
        model = {
            "mean": float(k.mean()),
            "sd": float(k.std()),
            "beta_a": a,
            "beta_b": b,
            "day_correlation": float(np.corrcoef(k[:-1][follows[1:]], k[1:][follows[1:]])[0, 1]),
            "hour_correlation": float(
                np.corrcoef(within[:, :-1][pairs], within[:, 1:][pairs])[0, 1]
            ),
            "hour_sd": float(np.nanstd(within)),
        }
        fitted[season] = {"model": model}
    return fitted


def beta_of(values: Array) -> tuple[float, float]:
    """Parameters of a beta distribution by the moments: mean and standard deviation are kept."""
    mean, variance = float(values.mean()), float(values.var())
    size = mean * (1 - mean) / variance - 1
    return mean * size, (1 - mean) * size


def fit_sessions(path: Path) -> dict[str, Any]:
    """Counts, arrivals, stays and energies on weekdays and weekends; not of cars left for days."""
    sessions = read_sessions(path)
    days = np.arange(sessions.day[-1] + 1)
    fitted = {}
    for kind, chosen in (("weekday", ~sessions.weekend), ("weekend", sessions.weekend)):
        these = days[((sessions.first_day.weekday() + days) % 7 >= 5) == (kind == "weekend")]
        chosen = chosen & (sessions.stay_h <= _LONGEST_STAY_H)
        counts = np.bincount(sessions.day[chosen], minlength=len(days))[these]
        stay, energy = sessions.stay_h[chosen], sessions.delivered_kwh[chosen]
        hour = sessions.arrival_h[chosen]
        per_hour = np.bincount(hour.astype(int), minlength=24) / len(these)
        fitted[kind] = {
            "sessions_per_day": float(counts.mean()),
            "variance_over_mean": float(counts.var(ddof=1) / counts.mean()),
            "stay_h_gamma": gamma_of(stay),
            "energy_kwh_gamma": gamma_of(energy),
            "spearman_stay_energy": float(stats.spearmanr(stay, energy).statistic),
            "arrivals_per_hour": per_hour.tolist(),
            "stay_h_mean_sd_by_arrival": {
                f"{low}-{high} h": [float(part.mean()), float(part.std())]
                for low, high in ((5, 10), (10, 15), (15, 22))
                if len(part := stay[(hour >= low) & (hour < high)]) > 9
            },
            "requested_over_delivered": float(
                np.nanmedian(sessions.requested_kwh[chosen][energy > 0] / energy[energy > 0])
            ),
        }
    return fitted


def gamma_of(values: Array) -> list[float]:
    """Most likely shape and scale of a gamma distribution of what is above 0."""
    values = values[values > 0]
    mean = float(values.mean())
    spread = np.log(mean) - float(np.log(values).mean())
    shape = optimize.brentq(lambda k: np.log(k) - special.digamma(k) - spread, 1e-3, 1e3)
    return [float(shape), mean / float(shape)]


def fit_load(data: bytes) -> dict[str, Any]:
    """Mean, two waves and hourly AR(1) of a cluster's load."""
    hours, _ = whole_days(read_series(data), 3600)
    days = hours.reshape(-1, 24)
    follows = np.arange(len(days)) > 0
    (a24, h24), (a12, h12) = (harmonic(days.mean(axis=0), order) for order in (1, 2))
    residual = days - days.mean() - wave(a24, h24, 1) - wave(a12, h12, 2)
    rho = correlation(residual, follows)
    period = next((p for p in (168, 336) if np.allclose(hours[p:], hours[:-p])), None)
    return {
        "model": {
            "mean": float(days.mean()),
            "amplitude_24h": a24,
            "peak_24h": h24,
            "amplitude_12h": a12,
            "peak_12h": h12,
            "hour_correlation": rho,
            "innovation_sd": float(residual.std() * np.sqrt(1 - rho**2)),
        },
        "statistics": statistics(days, follows),
        "quantiles_5_95": [float(q) for q in np.quantile(hours, [0.05, 0.95])],
        "repeats": f"every {period} h" if period else "no",
    }
