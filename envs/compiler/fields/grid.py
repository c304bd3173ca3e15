"""Formulas of power grids: radial power flow and carbon emission flow."""

from __future__ import annotations

from envs.compiler.fields.formula import SET, DomainFunction
from envs.compiler.graph import Graph, Node
from envs.compiler.linear import tree
from envs.compiler.radial import Feeder
from envs.spec.diagnostics import Finding
from envs.spec.units import DIMENSIONLESS


def _radial_current(
    graph: Graph,
    active: Node,
    reactive: Node,
    source_voltage: Node,
    resistance: Node,
    reactance: Node,
    parent: Node,
    bus: str,
) -> Node:
    if any(n.value is None or n.index != (bus,) for n in (resistance, reactance)):
        raise Finding(
            "index-mismatch",
            f"constant resistance and reactance over '{bus}'",
            f"index ({', '.join(resistance.index)}) and ({', '.join(reactance.index)})",
            "give both as parameters with values, 0 at the source",
        )
    if source_voltage.interval[0] <= 0:
        raise Finding(
            "domain",
            "a source voltage above 0",
            f"one from {source_voltage.interval[0]:.4g} V",
            "bound it with max(v, '1 V')",
        )
    layout = graph.joined(active.index, reactive.index, source_voltage.index)
    if bus in source_voltage.index or bus not in layout:
        raise Finding(
            "index-mismatch",
            f"loads over '{bus}', and one voltage at the source",
            f"loads over ({', '.join(active.index)}), {', '.join(source_voltage.index)}",
            f"index the loads by '{bus}'",
        )
    power = sum(max(map(abs, node.interval)) for node in (active, reactive))
    limit = (4 * graph.sets[bus] * power / source_voltage.interval[0]) ** 2
    graph.charge(layout, times=30)
    assert resistance.value is not None and reactance.value is not None
    return graph.structured(
        "radial_current",
        active,
        reactive,
        source_voltage,
        attribute=Feeder(
            graph.axis(bus, layout),
            tree(graph, parent, bus),
            tuple(map(float, resistance.value.ravel())),
            tuple(map(float, reactance.value.ravel())),
            limit,
        ),
        layout=layout,
        index=layout,
        dimension=DIMENSIONLESS,
        interval=(0.0, limit),
    )


FUNCTIONS = (
    DomainFunction(
        "radial_current",
        {
            "active": "W",
            "reactive": "var",
            "source_voltage": "V",
            "resistance": "ohm",
            "reactance": "ohm",
            "parent": "1",
            "bus": SET,
        },
        "A^2",
        "|S|^2 / V^2 of the line that feeds each bus, at its sending end, by sweeps",
        "Squared currents of a radial feeder, summed over phases if the voltage is line to line; "
        "the power lost in a line is its resistance times that. Loads may be negative. Where the "
        "flow has no solution, voltages stop at half the source's.",
        "branch flow equations of Baran and Wu 1989, by backward and forward sweeps",
        r"\ell_j = \frac{P_j^2 + Q_j^2}{v_{\pi(j)}},\quad "
        r"P_j = p_j + r_j\ell_j + \sum_{k:\pi(k)=j}P_k",
        _radial_current,
    ),
    DomainFunction(
        "radial_voltage",
        {
            "active": "W",
            "reactive": "var",
            "squared_current": "A^2",
            "source_voltage": "V",
            "resistance": "ohm",
            "reactance": "ohm",
            "parent": "1",
            "bus": SET,
        },
        "V",
        "sqrt(max(source_voltage ** 2 - upstream_sum("
        "2 * resistance * downstream_sum(active + resistance * squared_current, parent, bus)"
        " + 2 * reactance * downstream_sum(reactive + reactance * squared_current, parent, bus)"
        " - (resistance ** 2 + reactance ** 2) * squared_current, parent, bus), 0))",
        "Voltage at each bus of a radial feeder, from the squared currents of its lines.",
        "branch flow equations of Baran and Wu 1989",
        r"v_j = v_{\pi(j)} - 2(r_jP_j + x_jQ_j) + (r_j^2 + x_j^2)\ell_j",
    ),
    DomainFunction(
        "emission_flow",
        {"received": "W", "generation": "W", "intensity": "gCO2e/kWh", "node": SET, "node_b": SET},
        "gCO2e/kWh",
        "clip(solve((sum(received, node) + relabel(generation, node, node_b))"
        " * (position(node) == position(node_b)) - received,"
        " relabel(generation * intensity, node, node_b), node_b, node),"
        " 0, max_over(intensity, node))",
        "Carbon intensity of each node of a grid under proportional sharing. Power received at "
        "node_b from node, never negative; what a line loses carries the intensity of its sending "
        "node. A node through which nothing flows has intensity 0.",
        "Zhou, Kang et al. 2012, carbon emission flow",
        r"e_N = (P_N - P_B^\top)^{-1} P_G^\top e_G",
    ),
)
