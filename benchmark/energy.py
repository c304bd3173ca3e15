"""What a computation drew, by CodeCarbon: measured where there is a meter, else estimated.

An estimate is called one, and a figure that is missing is None. Nothing here needs a network, and
nothing here can stop a run.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from benchmark.load import LoadMeter

CPU_METERS = {
    "intel_rapl": "RAPL",
    "windows_emi": "Windows EMI",
    "intel_power_gadget": "Intel Power Gadget",
}
"""CodeCarbon's modes that read a counter; every other is an estimate."""

CPU_ESTIMATES = {
    "cpu_load": "estimate from the processor's rated power and its load",
    "constant": "estimate from the processor's rated power",
}


SHORTEST_S = 1.0
"""CodeCarbon takes no second sample within less, and would count next to nothing."""


@dataclass(frozen=True)
class Reading:
    """Energy and carbon of a computation.

    Attributes:
        wh: Energy drawn by processor, memory and accelerator together.
        gco2: Its carbon, at the yearly mean intensity of ``country``.
        method: How the energy was found, in words; None when it was not.
        reason: Why it was not; None when it was.
        cpu_wh: Energy of the processor.
        gpu_wh: Energy of the accelerators; None when there is no meter.
        ram_wh: Energy of the memory, always an estimate.
        carbon_intensity_g_kwh: What priced it.
        country: ISO 3166 alpha-3 code.
        seconds: How long it took, by CodeCarbon's clock.
        own_share: This process's share of the machine's busy processor time meanwhile.
    """

    wh: float | None = None
    gco2: float | None = None
    method: str | None = None
    reason: str | None = None
    cpu_wh: float | None = None
    gpu_wh: float | None = None
    ram_wh: float | None = None
    carbon_intensity_g_kwh: float | None = None
    country: str | None = None
    seconds: float | None = None
    own_share: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return asdict(self)


class EnergyMeter:
    """A context manager around what is measured; ``reading`` afterwards.

    Attributes:
        reading: What was drawn.
    """

    def __init__(self, country: str, interval_s: float, device: str, alone: bool = False) -> None:
        """Prepare.

        Args:
            country: ISO 3166 alpha-3 code of the grid.
            interval_s: Seconds between two readings.
            device: ``cpu`` or ``cuda``: with cuda, energy without a GPU meter counts as missing.
            alone: Whether all that the machine draws is this process's; otherwise only its share.
        """
        self.reading = Reading(reason="not finished", country=country)
        self._country, self._interval_s, self._device = country, interval_s, device
        self._alone = alone
        self._tracker: Any = None

    def __enter__(self) -> "EnergyMeter":
        """Start measuring."""
        self._load = LoadMeter()
        try:
            mode = "machine" if self._alone else "process"
            self._tracker = _start(self._country, self._interval_s, mode)
        except Exception as error:
            self._miss(f"CodeCarbon did not start: {type(error).__name__}: {error}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop measuring and read."""
        if self._tracker is None:
            return
        try:
            self._tracker.stop()
            data = vars(self._tracker.final_emissions_data)
            share = None if self._alone else self._load.read().own_share
            self.reading = read(data, self._tracker._hardware, self._country, self._device, share)
        except Exception as failure:
            self._miss(f"CodeCarbon gave no reading: {type(failure).__name__}: {failure}")

    def so_far(self) -> Reading:
        """What was drawn up to now; measuring goes on."""
        if self._tracker is None:
            return self.reading
        try:
            self._tracker.flush()
            data = vars(self._tracker._prepare_emissions_data())
            return read(data, self._tracker._hardware, self._country, self._device)
        except Exception as failure:
            reason = f"CodeCarbon gave no reading: {type(failure).__name__}: {failure}"
            return Reading(reason=reason, country=self._country)

    def _miss(self, reason: str) -> None:
        self._tracker = None
        self.reading = Reading(reason=reason, country=self._country)


def read(
    data: Mapping[str, Any], hardware: Any, country: str, device: str, share: float | None = None
) -> Reading:
    """Read CodeCarbon's figures, telling what was measured from what was estimated.

    Args:
        data: ``EmissionsData`` as a mapping: kWh and kg.
        hardware: The devices CodeCarbon found, by class name.
        country: ISO 3166 alpha-3 code of the grid.
        device: ``cpu`` or ``cuda``.
        share: This process's share of the busy processor time. A counter counts the whole
            processor, and is apportioned by it; an estimate is of this process's load already.
            None when everything is this process's.
    """
    found = {type(item).__name__: item for item in hardware}
    has_gpu = "GPU" in found
    cpu = _cpu_method(found)
    if cpu is None or (device == "cuda" and not has_gpu):
        missing = "processor" if cpu is None else "accelerator"
        return Reading(reason=f"there is no meter for the {missing}", country=country)
    duration_s = float(data["duration"])
    if duration_s < SHORTEST_S:
        reason = f"{duration_s:.2f} s are too short to be measured"
        return Reading(reason=reason, country=country, seconds=duration_s)
    total_kwh, carbon_kg = _positive(data["energy_consumed"]), _positive(data["emissions"])
    if total_kwh is None:
        return Reading(reason="the meter counted nothing", country=country)
    cpu_kwh = data["cpu_energy"]
    if share is not None and cpu in CPU_METERS.values() and cpu_kwh is not None:
        others_kwh = (1.0 - share) * float(cpu_kwh)
        cpu_kwh = float(cpu_kwh) - others_kwh
        carbon_kg = None if carbon_kg is None else carbon_kg * (1.0 - others_kwh / total_kwh)
        total_kwh -= others_kwh
        cpu = f"{cpu}, apportioned by this process's {share:.0%} of the busy processor time"
    parts = [f"processor: {cpu}"]
    if has_gpu:
        parts.append("accelerator: NVML")
    parts.append("memory: estimate from its size")
    return Reading(
        wh=1e3 * total_kwh,
        gco2=None if carbon_kg is None else 1e3 * carbon_kg,
        method="; ".join(parts),
        cpu_wh=_watt_hours(cpu_kwh),
        gpu_wh=_watt_hours(data["gpu_energy"]) if has_gpu else None,
        ram_wh=_watt_hours(data["ram_energy"]),
        carbon_intensity_g_kwh=None if carbon_kg is None else 1e3 * carbon_kg / total_kwh,
        country=country,
        seconds=duration_s,
        own_share=share,
    )


def is_estimate(method: str | None) -> bool:
    """Whether the processor's part of a reading is an estimate."""
    return method is not None and "processor: estimate" in method


def _start(country: str, interval_s: float, mode: str) -> Any:
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    os.environ.setdefault("CODECARBON_LOG_LEVEL", "critical")
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code=country,
        measure_power_secs=interval_s,
        tracking_mode=mode,
        output_methods=[],
        allow_multiple_runs=True,
        log_level="critical",
        electricitymaps_api_token=None,
    )
    tracker.start()
    return tracker


def _cpu_method(found: Mapping[str, Any]) -> str | None:
    if "AppleSiliconChip" in found:
        return "powermetrics"
    if "Raspberry" in found:
        return "the board's power controller"
    mode = getattr(found.get("CPU"), "_mode", None)
    return None if mode is None else CPU_METERS.get(mode) or CPU_ESTIMATES.get(mode)


def _positive(value: Any) -> float | None:
    return float(value) if value is not None and float(value) > 0 else None


def _watt_hours(kwh: Any) -> float | None:
    return None if kwh is None else 1e3 * float(kwh)
