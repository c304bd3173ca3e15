"""The table at the end of a run: the agent between random and the oracle."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmark.energy import is_estimate
from benchmark.grams import unit_for
from benchmark.references import ORACLE


def print_result(result: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a finished run, as ``result.json`` holds it."""
    console = console or Console(highlight=False)
    if not console.is_terminal and console.width < 110:
        console = Console(file=console.file, highlight=False, width=110)
    console.print(_table(result))
    for line in lines(result):
        console.print(line, markup=False, soft_wrap=True)


def lines(result: Mapping[str, Any]) -> list[str]:
    """What the table cannot hold: reference, comparison, training, payback, alarms."""
    out = [_reference_line(result), _base_line(result), _training_line(result)]
    out.append(_payback_line(result["payback"]))
    out.extend(f"{name}: {reason}" for name, reason in _reasons(result["reasons"]))
    out.extend(f"ALARM: {alarm}" for alarm in result["alarms"])
    return [line for line in out if line]


def number(value: float | None, digits: int = 3) -> str:
    """A figure with so many decimals; a dash when there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def significant(value: float | None, digits: int = 4) -> str:
    """A figure with so many significant digits, without an exponent where it can be read."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:#,.{digits}g}".rstrip(".")


def _table(result: Mapping[str, Any]) -> Table:
    rows: dict[str, Mapping[str, Any]] = dict(result["reference_rows"])
    label = f"{result['agent']} (seed {result['seed']})"
    rows[label] = result
    unit, factor = unit_for([row["objective_g"] for row in rows.values()])
    title = f"{result['env']}: {result['test_scenarios']} held-out scenarios, per episode"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("agent", no_wrap=True)
    for head in (f"J {unit}", f"carbon {unit}", f"penalty {unit}", "score", "gap closed"):
        table.add_column(head, justify="right")
    table.add_column("episodes with violations", justify="right")
    for name in sorted(rows, key=lambda name: -rows[name]["objective_g"]):
        row = rows[name]
        shown = f"{name} ({row['method'].replace('_', ' ')})" if name == ORACLE else name
        weights = [row["objective_g"], row["carbon_g"], row["penalty_g"]]
        share = row["violated_share"]
        table.add_row(
            shown,
            *(significant(None if gram is None else gram * factor) for gram in weights),
            number(row["score"]),
            number(row["gap_closed"]),
            "–" if share is None else f"{share:.0%}",
            style="bold green" if name == label else "",
        )
    return table


def _reference_line(result: Mapping[str, Any]) -> str:
    reference = result["reference"]
    if reference is None:
        return ""
    known = ", ".join(
        f"{name.replace('_', ' ')} {significant(value)} g"
        for name, value in reference["objective_g"].items()
    )
    gap = reference["best_known_over_certified"]
    text = f"reference ({reference['scenarios']} scenarios): {known}"
    return text if gap is None else f"{text}; best known is {gap:.2%} over certified"


def _base_line(result: Mapping[str, Any]) -> str:
    versus = result["versus_base"]
    low, high = versus["interval_g"]
    verb = "beats" if versus["beats"] else "does not beat"
    unit, factor = unit_for([low, high])
    difference = factor * versus["difference_g"]
    words = "less" if difference >= 0 else "more"
    return (
        f"on this seed {result['agent']} {verb} {versus['against']}, the best without learning: "
        f"{significant(abs(difference))} {unit} {words}; saves between {significant(factor * low)} "
        f"and {significant(factor * high)} {unit} (95 %, paired)"
    )


def _training_line(result: Mapping[str, Any]) -> str:
    text = f"training: {result['env_steps']:,} steps, {result['train_seconds']:.1f} s"
    if result["train_wh"] is None:
        return f"{text}, energy not measured ({result['energy_reason']})"
    kind = "estimated" if is_estimate(result["energy_method"]) else "measured"
    return (
        f"{text}, {significant(result['train_wh'])} Wh, {significant(result['train_gco2'])} gCO2e "
        f"{kind} ({result['energy_method']})"
    )


def _payback_line(payback: Mapping[str, Any]) -> str:
    if payback["decisions"] is None:
        return f"payback: none; {payback['reason']}"
    text = f"payback: after {significant(payback['decisions'])} decisions"
    if payback["units"] is not None:
        text += f" ({significant(payback['units'])} {payback['unit']})"
    return f"{text}, against {payback['against']}"


def _reasons(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """One line for figures that are missing for one reason."""
    grouped: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        grouped.setdefault(reason, []).append(name.replace("_", " "))
    return [(" and ".join(names), reason) for reason, names in grouped.items()]
