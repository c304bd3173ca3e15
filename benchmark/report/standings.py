"""How the entrants of a board, and of all boards of a league, stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from benchmark.aggregate import (
    LEAST_SEEDS,
    interval,
    iqm,
    performance_profile,
    probability_of_improvement,
)
from benchmark.ranking import Pair, compare_all, ranks, too_many
from benchmark.report.boards import Board, Entrant
from benchmark.statistics import Interval, Values

HEADLINE = "gap_closed"

SEED = 0
"""Of the bootstrap: the same runs give the same page."""

THRESHOLDS = np.linspace(0.0, 1.0, 101)
"""Of the performance profile: 0 is the random policy, 1 the reference."""

PAPER = {"reward_over_ppo": 0.1797, "wh": 8.148, "gco2": 1.672}
"""Wen et al. 2024, arXiv:2404.18077: their diffusion agent over their PPO, and its training."""

PAPER_AGENTS = ("gdm", "gdm_paper")

THROUGH_SIMULATION = ("gdm_shac", "mlp_shac")
"""Agents that learn through the gradients of the simulation, which the others do not have."""


def note_of_gradients(boards: Iterable[Board]) -> str | None:
    """What a reader must know who finds such agents beside the others; None without any."""
    entrants = [entrant for board in boards for entrant in board.entrants.values()]
    agents = {run.names["agent"] for entrant in entrants for run in entrant.runs.values()}
    through = " and ".join(agent for agent in THROUGH_SIMULATION if agent in agents)
    if not through:
        return None
    others = "the other learners saw observations and rewards alone"
    return f"{through}: learnt through the gradients of the simulation; {others}"


@dataclass(frozen=True)
class Standing:
    """One entrant on a board.

    Attributes:
        entrant: Who.
        points: Gap closed of each seed.
        gap_closed: Its interquartile mean, None when it is not known for every run.
        spread: The 95 % interval with ten seeds, else the least and the greatest of several.
        exploratory: Whether there are too few seeds for an interval and a rank.
        rank: One more than the number of agents that are better; None when exploratory, or when
            there are too many agents for the seeds.
    """

    entrant: Entrant
    points: Sequence[float]
    gap_closed: float | None
    spread: tuple[float, float] | None
    exploratory: bool
    rank: int | None


@dataclass(frozen=True)
class PaperTerms:
    """An agent of the paper's kind against PPO on one board, in the paper's terms.

    Attributes:
        env: The problem, with its protocol.
        agent: Whose figures they are.
        seeds: Both have in common.
        reward_over_ppo: How much less J it has than PPO, as a share of PPO's.
        wh: Energy of its training.
        gco2: Carbon of its training.
    """

    env: str
    agent: str
    seeds: int
    reward_over_ppo: float
    wh: float | None
    gco2: float | None


@dataclass(frozen=True)
class League:
    """What is known over all problems of one protocol and code.

    Attributes:
        protocol: Its version.
        code: Digest of the code.
        problems: Over which is aggregated.
        agents: Who ran on all of them, the highest score first.
        absent: Who did not.
        score: Interquartile mean of the score by agent, with its interval.
        profiles: Share of runs above ``THRESHOLDS`` by agent.
        improvement: Probability that a run of the first is above one of the second.
        exploratory: Whether some agent has too few seeds somewhere.
    """

    protocol: str
    code: str
    problems: Sequence[str]
    agents: Sequence[str]
    absent: Sequence[str]
    score: Mapping[str, Interval]
    profiles: Mapping[str, Values]
    improvement: Mapping[tuple[str, str], float]
    exploratory: bool


def standings(board: Board) -> tuple[list[Standing], list[Pair]]:
    """Everybody on a board, the least mean J first, and how they compare two by two."""
    # The rank is by J, which every run has, also where no reference is known.
    objective = {
        label: {seed: -value for seed, value in entrant.values("objective_g").items()}
        for label, entrant in board.entrants.items()
        if entrant.runs and not entrant.failed
    }
    enough = {label: v for label, v in objective.items() if len(v) >= LEAST_SEEDS}
    pairs = compare_all(enough)
    # Where two agents share too few seeds for a test, or all do for so many tests, nobody of the
    # board has a rank.
    complete = len(pairs) == len(enough) * (len(enough) - 1) // 2
    ranked = ranks(list(enough), pairs) if complete and not too_many(pairs) else {}
    found = [_standing(entrant, ranked.get(label)) for label, entrant in board.entrants.items()]
    return sorted(found, key=lambda s: _last(s.entrant.mean("objective_g"))), pairs


def _standing(entrant: Entrant, rank: int | None) -> Standing:
    points = list(entrant.values(HEADLINE).values())
    exploratory = len(entrant.runs) < LEAST_SEEDS or bool(entrant.failed)
    if not points or len(points) < len(entrant.runs):
        return Standing(entrant, points, None, None, exploratory, rank)
    values = np.array(points)
    if exploratory:
        middle = float(iqm(values))
        spread = (float(values.min()), float(values.max())) if len(values) > 1 else None
    else:
        found = interval([values], np.random.default_rng(SEED))
        middle, spread = found.mean, (found.low, found.high)
    return Standing(entrant, points, middle, spread, exploratory, rank)


def leagues(boards: Sequence[Board]) -> list[League]:
    """What is known over the problems of each protocol and code; one problem is no league."""
    keys = dict.fromkeys(board.league for board in boards)
    found = []
    for key in keys:
        members = [b for b in boards if b.league == key and _scored(b.entrants.values())]
        if len(members) > 1:
            found.append(_league(key, members))
    return found


def _league(key: tuple[str, str], boards: Sequence[Board]) -> League:
    everybody = sorted({label for board in boards for label in board.entrants})
    complete = [
        label
        for label in everybody
        if all(label in b.entrants and _scored([b.entrants[label]]) for b in boards)
    ]
    strata = {
        label: [np.array(list(b.entrants[label].values("score").values())) for b in boards]
        for label in complete
    }
    score = {
        label: interval(values, np.random.default_rng(SEED)) for label, values in strata.items()
    }
    fewest = min((len(s) for values in strata.values() for s in values), default=0)
    return League(
        protocol=key[0],
        code=key[1],
        problems=[board.env for board in boards],
        agents=sorted(complete, key=lambda label: -score[label].mean),
        absent=[label for label in everybody if label not in complete],
        score=score,
        profiles={
            label: performance_profile(values, THRESHOLDS) for label, values in strata.items()
        },
        improvement={
            (first, second): probability_of_improvement(strata[first], strata[second])
            for first, second in permutations(complete, 2)
        },
        exploratory=fewest < LEAST_SEEDS,
    )


def _scored(entrants: Iterable[Entrant]) -> bool:
    """Whether somebody has a score for every run, and no failed one."""
    return any(e.runs and not e.failed and len(e.values("score")) == len(e.runs) for e in entrants)


def paper_terms(boards: Sequence[Board]) -> list[PaperTerms]:
    """The paper's agents against PPO wherever both ran, on the seeds both have."""
    found = []
    for board in boards:
        ppo = board.entrants.get("ppo")
        for name in PAPER_AGENTS:
            agent = board.entrants.get(name)
            if ppo is None or agent is None:
                continue
            seeds = sorted(set(ppo.runs) & set(agent.runs))
            if not seeds:
                continue
            ours, theirs = (
                float(np.mean([entrant.values("objective_g")[seed] for seed in seeds]))
                for entrant in (agent, ppo)
            )
            if theirs > 0:
                figures = agent.mean("train_wh"), agent.mean("train_gco2")
                terms = PaperTerms(board.name, name, len(seeds), 1 - ours / theirs, *figures)
                found.append(terms)
    return found


def _last(value: float | None) -> float:
    return np.inf if value is None else value
