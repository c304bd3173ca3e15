"""From episodes to ``result.json``: every row placed, compared, and checked against the bound."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmark.evaluation import Episodes, mean_figures
from benchmark.protocol import Variant
from benchmark.references import CONSTANT, HEURISTIC, ORACLE, RANDOM, Optimum, Row
from benchmark.scoring import Placement, below_bound, best, compare, placement
from benchmark.statistics import Values, paired_interval, standard_error

NO_FIGURES = {
    "carbon_g": None,
    "penalty_g": None,
    "violations": None,
    "violated_share": None,
    "metrics": None,
}
"""Of a row of which only J is known."""


def assess(
    agent: str,
    episodes: Episodes,
    rows: Mapping[str, Row],
    optimum: Optimum | None,
    oracle_command: str,
) -> dict[str, Any]:
    """Place an agent among the rows.

    Args:
        agent: Its name.
        episodes: The agent on the test scenarios.
        rows: Random, constant and heuristics on the same scenarios.
        optimum: What is known of the optimum; None when nothing is.
        oracle_command: The command that would make it known.

    Returns:
        The part of ``result.json`` that is about standing.
    """
    scale = _Scale({name: row.test for name, row in rows.items()}, optimum, oracle_command)
    score, gap_closed = scale.place(episodes.objective_g)
    others = {name: scale.figures(row.test) for name, row in rows.items()}
    versus = compare(scale.base, rows[scale.base].test.objective_g, episodes.objective_g)
    return {
        "score": score.value,
        "gap_closed": gap_closed.value,
        **mean_figures(episodes),
        "objective_se_g": _finite(standard_error(episodes.objective_g)),
        "reasons": {
            name: ratio.reason
            for name, ratio in (("score", score), ("gap_closed", gap_closed))
            if ratio.reason is not None
        },
        "base": scale.base,
        "versus_base": versus.as_dict(),
        "reference": scale.reference(),
        "reference_rows": {**others, **scale.optimum_rows()},
        "alarms": scale.alarms({agent: episodes, **{name: row.test for name, row in rows.items()}}),
    }


def assess_variants(
    variants: Mapping[Variant, Episodes],
    env_steps: Mapping[str, int],
    rows: Mapping[str, Row],
    optimum: Optimum | None,
) -> list[dict[str, Any]]:
    """What stands beside the headline, against the same base.

    Score and gap closed are empty on the shifted split, whose optimum is not known.

    Args:
        variants: The agent's episodes.
        env_steps: When each checkpoint was taken.
        rows: Random, constant and heuristics on the same scenarios.
        optimum: What is known of the optimum on the test scenarios.
    """
    scale = _Scale({name: row.test for name, row in rows.items()}, optimum, "")
    shifted = rows[scale.base].ood
    out = []
    for variant, episodes in variants.items():
        on_test = variant.split == "test"
        base = rows[scale.base].test if on_test else shifted
        score, gap_closed = scale.place(episodes.objective_g) if on_test else (None, None)
        out.append(
            {
                **variant._asdict(),
                "env_steps": env_steps[variant.checkpoint],
                "scenarios": episodes.scenarios.size,
                **mean_figures(episodes),
                "objective_se_g": _finite(standard_error(episodes.objective_g)),
                "score": score and score.value,
                "gap_closed": gap_closed and gap_closed.value,
                "versus_base": base
                and compare(scale.base, base.objective_g, episodes.objective_g).as_dict(),
            }
        )
    return out


def best_heuristic(rows: Mapping[str, Row]) -> tuple[str, Episodes] | None:
    """The heuristic with the least mean J on the test scenarios."""
    heuristics = {name: row.test for name, row in rows.items() if name.startswith(HEURISTIC)}
    name = best(heuristics)
    return None if name is None else (name, heuristics[name])


class _Scale:
    """What figures are placed on: random or base at 0, the reference at 1."""

    def __init__(
        self, rows: Mapping[str, Episodes], optimum: Optimum | None, oracle_command: str
    ) -> None:
        self._random = rows[RANDOM].objective_g
        without_random = {name: episodes for name, episodes in rows.items() if name != RANDOM}
        self.base = best(without_random) or CONSTANT
        self._base = without_random[self.base].objective_g
        self._optimum = optimum
        self._missing = f"no reference is known for this problem; compute it: {oracle_command}"

    def place(self, objective: Values) -> tuple[Placement, Placement]:
        """Score and gap closed, over the scenarios the reference is known for."""
        optimum = self._optimum
        if optimum is None or optimum.method is None:
            missing = Placement(None, self._missing)
            return missing, missing
        at, reference = optimum.scenarios, optimum.objective_g[optimum.method]
        return (
            placement(self._random[at], objective[at], reference),
            placement(self._base[at], objective[at], reference),
        )

    def figures(self, episodes: Episodes) -> dict[str, Any]:
        """A row of the table."""
        score, gap_closed = self.place(episodes.objective_g)
        return {**mean_figures(episodes), "score": score.value, "gap_closed": gap_closed.value}

    def reference(self) -> dict[str, Any] | None:
        """The reference by method, with the gap between the proven bound and the best known."""
        if self._optimum is None:
            return None
        values = self._optimum.objective_g
        means = {name: float(np.mean(objective)) for name, objective in values.items()}
        gap = None
        if "certified" in means and "best_known" in means and means["certified"] != 0:
            gap = means["best_known"] / means["certified"] - 1
        return {
            "method": self._optimum.method,
            "scenarios": int(self._optimum.scenarios.size),
            "objective_g": means,
            "best_known_over_certified": gap,
        }

    def optimum_rows(self) -> dict[str, dict[str, Any]]:
        """The reference, and whatever else is known of the optimum, as rows."""
        optimum = self._optimum
        if optimum is None:
            return {}
        rows = {}
        for method, objective in optimum.objective_g.items():
            name = ORACLE if method == optimum.method else method
            full = np.full(self._random.shape, np.nan)
            full[optimum.scenarios] = objective
            score, gap_closed = self.place(full)
            rows[name] = {
                "objective_g": float(np.mean(objective)),
                **NO_FIGURES,
                "score": score.value,
                "gap_closed": gap_closed.value,
                "method": method,
            }
        return rows

    def alarms(self, rows: Mapping[str, Episodes]) -> list[str]:
        """What should not be possible, and says that a figure is wrong."""
        optimum = self._optimum
        if optimum is None or "certified" not in optimum.objective_g:
            return []
        bound = optimum.objective_g["certified"]
        found = []
        for name, episodes in rows.items():
            count = below_bound(episodes.objective_g[optimum.scenarios], bound)
            if count:
                found.append(
                    f"{name} lies below the certified bound in {count} of {bound.size} scenarios: "
                    "the bound or the simulation is wrong"
                )
        best_known = optimum.objective_g.get("best_known")
        if best_known is not None and paired_interval(best_known, bound).high < 0:
            found.append("the best known optimum lies below the certified bound")
        return found


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
