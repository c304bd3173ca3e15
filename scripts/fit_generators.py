"""Fit the generators to real traces: print the figures, and write them for the tests and the docs.

    python scripts/fit_generators.py FOLDER            # prints the tables
    python scripts/fit_generators.py FOLDER --write    # and writes envs/traces/fitted.json

FOLDER is searched for files as their publishers ship them: hourly carbon intensity of Electricity
Maps, EPW weather, ACN sessions, hourly cluster load. Only figures are written, never their data.
How each is fitted is told in docs/data.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from envs.spec.diagnostics import Finding
from envs.traces import fitting, read_file
from envs.traces.files import SUFFIXES

FITTED = Path(__file__).parents[1] / "envs" / "traces" / "fitted.json"


def fit_folder(folder: Path) -> dict[str, Any]:
    """Everything found in a folder, by what it is."""
    found: dict[str, Any] = {
        kind: {} for kind in ("carbon_intensity", "wet_bulb", "clearness", "sessions", "load")
    }
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(SUFFIXES):
            continue
        name = path.name.split(".csv")[0].split(".epw")[0]
        try:
            data = read_file(path)
            head = data[:400].decode("utf-8", "replace").casefold()
            if head.startswith("location") and "climate-normals" in head:
                print(f"{path.name}: left out: smoothed climate normals are no weather\n")
            elif head.startswith("location"):
                found["wet_bulb"][name] = fitting.fit_wet_bulb(data)
                found["clearness"][name] = fitting.fit_clearness(data)
            elif "carbon intensity" in head:
                zone, fitted = fitting.fit_carbon(data)
                found["carbon_intensity"][zone] = fitted
            elif head.startswith("arrival"):
                found["sessions"][name] = fitting.fit_sessions(path)
            else:
                found["load"][name] = fitting.fit_load(data)
        except Finding as finding:
            print(f"{path.name}: left out: {finding}\n")
    return found


def rounded(value: Any) -> Any:
    """Figures to four significant digits."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def tables(fitted: dict[str, Any]) -> str:
    """The figures as Markdown, a table for each kind."""
    return "\n\n".join(
        table
        for kind, (head, cells) in _TABLES.items()
        if (table := _table(head, cells, fitted[kind]))
    )


# Heading and cells of each table; a name stands for a figure of the model or the statistics.
_TABLES = {
    "carbon_intensity": (
        ("zone", "mean", "A₂₄/h", "A₁₂/h", "σ_d, ρ_d", "a", "ρ_h, σ_h", "min–max", "saving"),
        (
            "{mean:.0f}",
            "{amplitude_24h:.0f}/{peak_24h:.1f}",
            "{amplitude_12h:.0f}/{peak_12h:.1f}",
            "{day_sd:.0f}, {day_correlation:.2f}",
            "{shape_sd:.2f}",
            "{hour_correlation:.2f}, {hour_sd:.0f}",
            "{min:.0f}–{max:.0f}",
            "{cleanest_8h_saving:.3f}",
        ),
    ),
    "wet_bulb": (
        ("site", "mean", "A₂₄/h", "ρ, σ", "min–max"),
        (
            "{mean:.1f}",
            "{amplitude_24h:.1f}/{peak_24h:.1f}",
            "{hour_correlation:.3f}, {innovation_sd:.2f}",
            "{min:.0f}–{max:.0f}",
        ),
    ),
    "clearness": (
        ("site", "mean k, sd", "Beta a, b", "ρ day", "ρ, sd hour"),
        (
            "{mean:.2f}, {sd:.2f}",
            "{beta_a:.2f}, {beta_b:.2f}",
            "{day_correlation:.2f}",
            "{hour_correlation:.2f}, {hour_sd:.2f}",
        ),
    ),
    "sessions": (
        ("site", "a day", "var/mean", "stay k, θ (h)", "energy k, θ (kWh)", "Spearman", "asked"),
        (
            "{sessions_per_day:.1f}",
            "{variance_over_mean:.1f}",
            "{stay_h_gamma[0]:.2f}, {stay_h_gamma[1]:.2f}",
            "{energy_kwh_gamma[0]:.2f}, {energy_kwh_gamma[1]:.2f}",
            "{spearman_stay_energy:.2f}",
            "{requested_over_delivered:.2f}",
        ),
    ),
    "load": (
        ("cluster", "mean", "A₂₄/h", "A₁₂/h", "ρ, σ", "5–95 %", "repeats"),
        (
            "{mean:.3f}",
            "{amplitude_24h:.3f}/{peak_24h:.1f}",
            "{amplitude_12h:.3f}/{peak_12h:.1f}",
            "{hour_correlation:.3f}, {innovation_sd:.3f}",
            "{quantiles_5_95[0]:.2f}–{quantiles_5_95[1]:.2f}",
            "{repeats}",
        ),
    ),
}


def _table(head: Sequence[str], cells: Sequence[str], places: dict[str, Any]) -> str:
    rows = [list(head), ["---"] * len(head)]
    for place, parts in places.items():
        # A load has no seasons of its own.
        for name, part in parts.items() if "model" not in parts else [("", parts)]:
            flat = {**part, **part.get("statistics", {}), **part.get("model", {})}
            label = f"{place} {name}".strip().replace("_", " ")
            rows.append([label, *(cell.format(**flat) for cell in cells)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Fit, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {FITTED.name}")
    options = parser.parse_args()
    fitted = rounded(fit_folder(options.folder))
    print(tables(fitted))
    if options.write:
        FITTED.write_text(json.dumps(fitted, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
