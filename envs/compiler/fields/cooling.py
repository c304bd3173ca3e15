"""Formulas of data-centre cooling: moist air, chillers, servers and fans.

Temperatures come in and go out as absolute temperatures; the definitions subtract 273.15 where
their source counts in degrees Celsius.
"""

from envs.compiler.fields.formula import DomainFunction

_ASHRAE = "ASHRAE Handbook of Fundamentals 2017, chapter 1 (SI)"
_CURVES = (
    "EnergyPlus Engineering Reference, Chiller:Electric:EIR; the curves of the data set"
    " 'ElectricEIRChiller McQuay WSC 471kW/5.89COP/Vanes'"
)

_OVER_ICE = (
    "-5674.5359 / {t} + 6.3925247 - 9.677843e-3 * {t} + 6.2215701e-7 * {t} ** 2"
    " + 2.0747825e-9 * {t} ** 3 - 9.484024e-13 * {t} ** 4 + 4.1635019 * log({t})"
)
_OVER_WATER = (
    "-5800.2206 / {t} + 1.3914993 - 4.8640239e-2 * {t} + 4.1764768e-5 * {t} ** 2"
    " - 1.4452093e-8 * {t} ** 3 + 6.5459673 * log({t})"
)
_ICE_SLOPE = (
    "5674.5359 / {t} ** 2 - 9.677843e-3 + 1.24431402e-6 * {t} + 6.2243475e-9 * {t} ** 2"
    " - 3.7936096e-12 * {t} ** 3 + 4.1635019 / {t}"
)
_WATER_SLOPE = (
    "5800.2206 / {t} ** 2 - 4.8640239e-2 + 8.3529536e-5 * {t} - 4.3356279e-8 * {t} ** 2"
    " + 6.5459673 / {t}"
)


def _by_phase(ice: str, water: str) -> str:
    """Over ice below the triple point, over water above; within the range of the fit."""
    t = "clip(temperature, 173.15, 473.15)"
    return f"where(temperature < 273.16, {ice.format(t=t)}, {water.format(t=t)})"


def _biquadratic(c: tuple[float, ...]) -> str:
    """A curve in degrees Celsius of chilled and condenser water, clamped to where it was fitted."""
    x = "clip(chilled_water - 273.15, 7.22, 12.78)"
    y = "clip(condenser_water - 273.15, 12.78, 26.67)"
    return f"{c[0]} + {x} * ({c[1]} + {c[2]} * {x} + {c[5]} * {y}) + {y} * ({c[3]} + {c[4]} * {y})"


_NEWTON_STEPS = 5
"""This leaves less than a tenth of a millikelvin within the range of `wet_bulb`."""

_AIR = {"dry_bulb": "K", "humidity_ratio": "1", "pressure": "Pa"}


def _wet_bulb() -> str:
    dry = "(clip(dry_bulb, 223.15, 333.15) * '1 K')"
    pressure = "(clip(pressure, 50000, 120000) * '1 Pa')"
    ratio = (
        f"humidity_ratio(clip(relative_humidity, 0, 1) * saturation_pressure({dry}), {pressure})"
    )
    # A first guess within about ten kelvin.
    guess = f"({dry} - '9 K' * (1 - clip(relative_humidity, 0, 1)))"
    for _ in range(_NEWTON_STEPS):
        guess = f"wet_bulb_step({guess}, {dry}, {ratio}, {pressure})"
    return f"min({guess}, {dry}) / '1 K'"


FUNCTIONS = (
    DomainFunction(
        "saturation_pressure",
        {"temperature": "K"},
        "Pa",
        f"exp(min({_by_phase(_OVER_ICE, _OVER_WATER)}, 15))",
        "Pressure of saturated water vapour, over ice below the triple point; up to 200 degrees C.",
        f"{_ASHRAE}, equations 5 and 6: Hyland and Wexler 1983",
        r"\exp\bigl(c_{-1}/T + c_0 + c_1 T + c_2 T^2 + c_3 T^3 + c_4 T^4 + c_5 \ln T\bigr)",
    ),
    DomainFunction(
        "humidity_ratio",
        {"vapour_pressure": "Pa", "pressure": "Pa"},
        "1",
        "0.621945 * vapour_pressure / max(pressure - vapour_pressure, 1000)",
        "Mass of water vapour per mass of dry air.",
        f"{_ASHRAE}, equation 20",
        r"0.621945\,\frac{p_w}{p - p_w}",
    ),
    DomainFunction(
        "wet_bulb_step",
        {"guess": "K", **_AIR},
        "K",
        "clip(guess - wet_bulb_excess(guess * '1 K', dry_bulb * '1 K', humidity_ratio,"
        " pressure * '1 Pa') / wet_bulb_slope(guess * '1 K', humidity_ratio, pressure * '1 Pa'),"
        " 213.15, 333.15)",
        "One Newton step towards the thermodynamic wet bulb.",
        "Newton's method on the energy balance of adiabatic saturation",
        r"T_w - \frac{F(T_w)}{F'(T_w)}",
    ),
    DomainFunction(
        "wet_bulb_excess",
        {"guess": "K", **_AIR},
        "1",
        "where(guess < 273.15,"
        " (2830 - 0.24 * (guess - 273.15))"
        " * humidity_ratio(saturation_pressure(guess * '1 K'), pressure * '1 Pa')"
        " - humidity_ratio * (2830 + 1.86 * (dry_bulb - 273.15) - 2.1 * (guess - 273.15)),"
        " (2501 - 2.326 * (guess - 273.15))"
        " * humidity_ratio(saturation_pressure(guess * '1 K'), pressure * '1 Pa')"
        " - humidity_ratio * (2501 + 1.86 * (dry_bulb - 273.15) - 4.186 * (guess - 273.15)))"
        " - 1.006 * (dry_bulb - guess)",
        "What a guess of the wet bulb leaves over in the balance of adiabatic saturation (kJ/kg).",
        f"{_ASHRAE}, equations 33 and 35",
        r"(h_{fg} - 2.326\,t_w)W_s(t_w) - c_p(t - t_w) - W(h_{fg} + 1.86\,t - 4.186\,t_w)",
    ),
    DomainFunction(
        "wet_bulb_slope",
        {"guess": "K", "humidity_ratio": "1", "pressure": "Pa"},
        "1",
        "max(1.006 + where(guess < 273.15, 2830, 2501 - 2.326 * (guess - 273.15))"
        " * humidity_ratio(saturation_pressure(guess * '1 K'), pressure * '1 Pa')"
        " * saturation_slope(guess * '1 K') * pressure"
        " / max(pressure - saturation_pressure(guess * '1 K') / '1 Pa', 1000)"
        " + where(guess < 273.15, 2.1 * humidity_ratio, 4.186 * humidity_ratio - 2.326"
        " * humidity_ratio(saturation_pressure(guess * '1 K'), pressure * '1 Pa')), 0.9)",
        "How that balance changes with the guess, in kJ/kg/K.",
        "derivative of wet_bulb_excess",
        r"F'(t_w)",
    ),
    DomainFunction(
        "saturation_slope",
        {"temperature": "K"},
        "1",
        _by_phase(_ICE_SLOPE, _WATER_SLOPE),
        "Relative change of the saturation pressure, per kelvin.",
        "derivative of saturation_pressure",
        r"\frac{\mathrm{d}\ln p_s}{\mathrm{d}T}",
    ),
    DomainFunction(
        "wet_bulb",
        {"dry_bulb": "K", "relative_humidity": "1", "pressure": "Pa"},
        "K",
        _wet_bulb(),
        "Thermodynamic wet bulb of moist air from -50 to 60 degrees C and 500 to 1200 hPa.",
        f"{_ASHRAE}, equations 33 and 35, solved by Newton's method",
        r"T_w : F(T_w) = 0",
    ),
    DomainFunction(
        "chiller_capacity_factor",
        {"chilled_water": "K", "condenser_water": "K"},
        "1",
        _biquadratic((0.252113, 0.01324053, -0.008637329, 0.08581056, -0.004261176, 0.008661899)),
        "Capacity over rated capacity, of leaving chilled and entering condenser water.",
        _CURVES,
        r"a_0 + a_1 x + a_2 x^2 + a_3 y + a_4 y^2 + a_5 x y",
    ),
    DomainFunction(
        "chiller_input_factor",
        {"chilled_water": "K", "condenser_water": "K"},
        "1",
        _biquadratic((0.4475238, -0.0258821, -0.001459053, 0.04342595, -0.001000651, 0.001920106)),
        "Energy input ratio over its rated value, of leaving chilled and entering condenser water.",
        _CURVES,
        r"b_0 + b_1 x + b_2 x^2 + b_3 y + b_4 y^2 + b_5 x y",
    ),
    DomainFunction(
        "chiller_part_load_factor",
        {"part_load_ratio": "1"},
        "1",
        # Below the least ratio the machine cycles: it runs at that ratio for part of the time.
        "min(max(part_load_ratio, 0) / 0.1, 1) * (0.2778889 + clip(part_load_ratio, 0.1, 1.15)"
        " * (0.2338363 + 0.4883748 * clip(part_load_ratio, 0.1, 1.15)))",
        "Input over full-load input at a share of the available capacity; cycles below a tenth.",
        _CURVES,
        r"\min\!\left(\tfrac{q}{0.1}, 1\right)(c_0 + c_1 q + c_2 q^2)",
    ),
    DomainFunction(
        "chiller_power",
        {
            "load": "W",
            "capacity": "W",
            "cop": "1",
            "chilled_water": "K",
            "condenser_water": "K",
        },
        "W",
        "capacity * chiller_capacity_factor(chilled_water * '1 K', condenser_water * '1 K')"
        " * chiller_input_factor(chilled_water * '1 K', condenser_water * '1 K')"
        " * chiller_part_load_factor(load / max(capacity"
        " * chiller_capacity_factor(chilled_water * '1 K', condenser_water * '1 K'),"
        " 0.1 * capacity)) / cop",
        "Power of a water-cooled centrifugal chiller of the given rated capacity and COP.",
        _CURVES,
        r"\frac{Q_r f_Q f_E f_P\!\left(\frac{Q}{Q_r f_Q}\right)}{\mathrm{COP}_r}",
    ),
    DomainFunction(
        "server_power",
        {"utilisation": "1", "idle": "W", "peak": "W"},
        "W",
        # Factored, 2u - u^1.4 is seen to be positive.
        "idle + (peak - idle) * max(utilisation, 0) * (2 - max(utilisation, 0) ** 0.4)",
        "Power of a server at a utilisation from 0 to 1.",
        "Fan, Weber and Barroso, Power provisioning for a warehouse-sized computer, ISCA 2007"
        " (recalled)",
        r"P_0 + (P_1 - P_0)(2u - u^{1.4})",
    ),
    DomainFunction(
        "fan_power",
        {"speed": "1", "rated": "W"},
        "W",
        "rated * speed * speed ** 2",
        "Power of a fan at a share of its rated speed.",
        "affinity laws of turbomachines",
        r"P_r\,n^3",
    ),
)
