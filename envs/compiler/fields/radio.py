"""Formulas of radio links."""

from envs.compiler.fields.formula import DomainFunction

FUNCTIONS = (
    DomainFunction(
        "shannon_rate",
        {"bandwidth": "Hz", "snr": "1"},
        "bit/s",
        "bandwidth * log2(1 + snr)",
        "Capacity of a Gaussian channel.",
        "Shannon 1948",
        r"B \log_2(1 + \gamma)",
    ),
    DomainFunction(
        "thermal_noise",
        {"bandwidth": "Hz", "noise_figure_db": "1"},
        "W",
        "bandwidth * from_db(noise_figure_db - 174) / 1000",
        "Receiver noise power at 290 K: -174 dBm/Hz and a noise figure in dB.",
        "k T = 4.00e-21 W/Hz at 290 K, rounded to -174 dBm/Hz",
        r"B\,10^{(F - 174)/10}\,\mathrm{mW/Hz}",
    ),
)
