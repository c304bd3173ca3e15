"""Formulas of sun and sky."""

from envs.compiler.fields.formula import DomainFunction

FUNCTIONS = (
    DomainFunction(
        "clear_sky_irradiance",
        {"sine_of_elevation": "1"},
        "W/m^2",
        "1098 * max(sine_of_elevation, 0) * exp(-0.057 / max(sine_of_elevation, 0.01))",
        "Global horizontal irradiance of a cloudless sky.",
        "Haurwitz 1945, in the form of Reno, Hansen and Stein, SAND2012-2389",
        r"1098\,\sin\alpha\;e^{-0.057/\sin\alpha}",
    ),
    DomainFunction(
        "solar_elevation_sine",
        {"latitude": "rad", "declination": "rad", "hour_of_day": "h"},
        "1",
        "sin(latitude) * sin(declination)"
        " + cos(latitude) * cos(declination) * cos((hour_of_day - 12) * 0.26179938779914946)",
        "Sine of the sun's elevation at local solar time.",
        "spherical astronomy; 15 degrees an hour",
        r"\sin\varphi\sin\delta + \cos\varphi\cos\delta\cos\bigl(15^\circ(t - 12)\bigr)",
    ),
)
