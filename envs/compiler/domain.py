"""The field's own formulas, as functions of the expression language.

Each is a definition in the language itself, over plain numbers in the stated units: so it is
unit-checked at the call, runs in NumPy and torch alike, is differentiable, and its domain is proven
by the same interval analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class DomainFunction:
    """A registered formula.

    Attributes:
        name: As written in expressions.
        parameters: Unit of each parameter, in order.
        unit: Unit of the result.
        definition: The formula, on plain numbers in those units.
        summary: What it computes.
        source: Where it comes from.
    """

    name: str
    parameters: Mapping[str, str]
    unit: str
    definition: str
    summary: str
    source: str

    def __str__(self) -> str:
        """The signature with units."""
        parameters = ", ".join(f"{name} [{unit}]" for name, unit in self.parameters.items())
        return f"{self.name}({parameters}) [{self.unit}]"


_FUNCTIONS = (
    DomainFunction(
        "shannon_rate",
        {"bandwidth": "Hz", "snr": "1"},
        "bit/s",
        "bandwidth * log2(1 + snr)",
        "Capacity of a Gaussian channel.",
        "Shannon 1948",
    ),
    DomainFunction(
        "thermal_noise",
        {"bandwidth": "Hz", "noise_figure_db": "1"},
        "W",
        "bandwidth * from_db(noise_figure_db - 174) / 1000",
        "Receiver noise power at 290 K: -174 dBm/Hz and a noise figure in dB.",
        "k T = 4.00e-21 W/Hz at 290 K, rounded to -174 dBm/Hz",
    ),
    DomainFunction(
        "clear_sky_irradiance",
        {"sine_of_elevation": "1"},
        "W/m^2",
        "1098 * max(sine_of_elevation, 0) * exp(-0.057 / max(sine_of_elevation, 0.01))",
        "Global horizontal irradiance of a cloudless sky.",
        "Haurwitz 1945, in the form of Reno, Hansen and Stein, SAND2012-2389",
    ),
    DomainFunction(
        "solar_elevation_sine",
        {"latitude": "rad", "declination": "rad", "hour_of_day": "h"},
        "1",
        "sin(latitude) * sin(declination)"
        " + cos(latitude) * cos(declination) * cos((hour_of_day - 12) * 0.26179938779914946)",
        "Sine of the sun's elevation at local solar time.",
        "spherical astronomy; 15 degrees an hour",
    ),
)

DOMAIN_FUNCTIONS: dict[str, DomainFunction] = {f.name: f for f in _FUNCTIONS}
"""All registered formulas by name."""
