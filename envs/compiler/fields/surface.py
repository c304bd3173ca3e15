"""Formulas of intelligent reflecting surfaces."""

from envs.compiler.fields.formula import DomainFunction

FUNCTIONS = (
    DomainFunction(
        "path_gain",
        {"reference_gain": "1", "distance": "m", "exponent": "1"},
        "1",
        "reference_gain * distance ** (-exponent)",
        "Mean power gain of a link: its gain at 1 m and a path-loss exponent.",
        "log-distance path loss, as in Wu and Zhang, IEEE Trans. Wireless Commun. 18(11), 2019",
        r"C_0 (d / 1\,\mathrm{m})^{-\alpha}",
    ),
    DomainFunction(
        "element_gain",
        {"cosine": "1", "exponent": "1"},
        "1",
        "3.141592653589793 * max(cosine, 0.0001) ** exponent",
        "Power gain of a half-wave square element towards a direction; pi is that of its aperture.",
        "aperture gain 4 pi A / lambda^2; the power of the cosine is a fit (assumed)",
        r"\pi \cos^q\psi",
    ),
    DomainFunction(
        "quantised_phase",
        {"phase": "1", "bits": "1"},
        "1",
        "round(phase * 2 ** bits / 6.283185307179586) * 6.283185307179586 / 2 ** bits",
        "The nearest of equally spaced phases.",
        "uniform phase shifters",
        r"\Delta \lfloor \theta / \Delta \rceil,\ \Delta = 2\pi / 2^b",
    ),
    DomainFunction(
        "quantisation_coherence",
        {"bits": "1"},
        "1",
        "sin(3.141592653589793 / 2 ** bits) / (3.141592653589793 / 2 ** bits)",
        "Mean of exp(j error) of quantised phases: what is left of a coherent amplitude.",
        "uniform error over one step; Wu and Zhang, IEEE Trans. Commun. 68(3), 2020",
        r"\frac{\sin(\pi / 2^b)}{\pi / 2^b}",
    ),
    DomainFunction(
        "aligned_gain",
        {"elements": "1", "coherence": "1"},
        "1",
        "elements * (1 + max(elements - 1, 0) * coherence ** 2)",
        "Mean squared sum of so many unit-power reflections, aligned up to a coherence: N^2 law.",
        "independent terms of mean modulus `coherence`: N + N (N - 1) c^2",
        r"N + N (N - 1) c^2",
    ),
)
