"""What a run cost that was interrupted and resumed: the sum over what led to its result.

What an attempt did after its last checkpoint was done again, and is not counted: the figure is that
of the training, not that of the accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.energy import Reading


@dataclass(frozen=True)
class Past:
    """What lies before this attempt.

    Attributes:
        resumptions: How often the run was taken up.
        reading: Energy up to the checkpoint; None before the first.
    """

    resumptions: int = 0
    reading: Reading | None = None

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> "Past":
        """From what a checkpoint holds."""
        reading = saved["reading"]
        return cls(saved["resumptions"] + 1, None if reading is None else Reading(**reading))

    def with_now(self, now: Reading) -> dict[str, Any]:
        """What a checkpoint holds, of a run that has drawn so much in this attempt."""
        return {"resumptions": self.resumptions, "reading": self.total(now).as_dict()}

    def total(self, now: Reading) -> Reading:
        """Both attempts together; missing when one of them is."""
        before = self.reading
        if before is None:
            return now
        if before.wh is None or now.wh is None:
            missing = before if before.wh is None else now
            return Reading(
                reason=f"of one attempt of {self.resumptions + 1}: {missing.reason}",
                country=now.country,
                seconds=_sum(before.seconds, now.seconds),
            )
        wh, gco2 = before.wh + now.wh, _sum(before.gco2, now.gco2)
        same = before.method == now.method
        return Reading(
            wh=wh,
            gco2=gco2,
            method=now.method if same else f"{before.method}; then {now.method}",
            cpu_wh=_sum(before.cpu_wh, now.cpu_wh),
            gpu_wh=_sum(before.gpu_wh, now.gpu_wh),
            ram_wh=_sum(before.ram_wh, now.ram_wh),
            carbon_intensity_g_kwh=None if gco2 is None or wh == 0 else 1e3 * gco2 / wh,
            country=now.country,
            seconds=_sum(before.seconds, now.seconds),
        )


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
