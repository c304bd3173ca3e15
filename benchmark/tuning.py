"""Equal tuning: every agent is given the same number of trials, scenarios and seeds.

A study lies in one SQLite file and is gone on with where it was left. Only training and validation
scenarios are met, never those an agent is judged on.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import envs
from benchmark.energy import EnergyMeter
from benchmark.errors import EXIT_FAILED, BenchmarkError
from benchmark.manifest import code_version
from benchmark.monitor import LearningCurve
from benchmark.outcome import Outcome
from benchmark.problems import agent_name, load_problem, make_agent, resolve_device
from benchmark.protocol import Protocol
from benchmark.references import scale_of
from benchmark.store import digest, locked
from benchmark.training import train
from benchmark.tuning_space import Dimension, placed, read_space, shipped_point, shipped_space

if TYPE_CHECKING:
    import optuna

NOT_IN_KEY = ("test_scenarios", "reference_env_steps")
"""Of the protocol: nothing is tested, and no row is computed."""


@dataclass(frozen=True)
class Tuning:
    """A study as it was asked for, everything resolved.

    Attributes:
        values: The resolved config.
        problem: What is learnt on.
        protocol: How long, and how often looked at.
        agent: Name of the agent's config.
        space: What is searched.
        seeds: Of the trainings of each trial.
        trials: How many trials there are in the end.
        device: ``cpu`` or ``cuda``.
        key: Digest of all that makes trials comparable.
        folder: Where the study lies.
    """

    values: dict[str, Any]
    problem: envs.Problem
    protocol: Protocol
    agent: str
    space: tuple[Dimension, ...]
    seeds: tuple[int, ...]
    trials: int
    device: str
    key: str
    folder: Path

    @property
    def storage(self) -> Path:
        """The SQLite file."""
        return self.folder / "study.db"


def plan_tuning(config: DictConfig) -> Tuning:
    """Check everything that can be checked before anything is written.

    Raises:
        BenchmarkError: What was asked for cannot be done.
    """
    problem = load_problem(config.env)
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    for name in ("trials", "seeds", "first_seed", "startup_trials", "warmup_points"):
        value = values[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise BenchmarkError(f"{name} must be a whole number above 0, not {value!r}")
    protocol = Protocol.from_config(values["protocol"])
    agent = agent_name(str(HydraConfig.get().runtime.choices["agent"]), values["agent"])
    chosen = values.get("tune") or shipped_space(agent)
    space = read_space(chosen["space"], values["agent"])
    seeds = tuple(range(values["first_seed"], values["first_seed"] + values["seeds"]))
    device = resolve_device(str(values["device"]))
    for end in ("low", "high"):  # a value that does not suit the agent is told before any work
        corner = {dimension.name: getattr(dimension, end) for dimension in space}
        make_agent(placed(values["agent"], corner), problem, seeds[0], device)
    conditions = {
        name: value for name, value in protocol.as_dict().items() if name not in NOT_IN_KEY
    }
    key = digest(
        {
            "agent": values["agent"],
            "space": chosen["space"],
            "problem": problem.digest,
            "protocol": conditions,
            "seeds": seeds,
            "device": device,
            "startup_trials": values["startup_trials"],
            "warmup_points": values["warmup_points"],
        }
    )
    return Tuning(
        values={str(name): value for name, value in values.items()},
        problem=problem,
        protocol=protocol,
        agent=agent,
        space=space,
        seeds=seeds,
        trials=values["trials"],
        device=device,
        key=key,
        folder=Path(str(values["results"])) / "tuning" / problem.name / f"{agent}-{key[:12]}",
    )


def tune_job(config: DictConfig) -> Outcome:
    """Carry out the trials that are still owed."""
    from benchmark.tuning_report import headline, print_trials, write_trials

    tuning = plan_tuning(config)
    _optuna()
    import torch

    torch.set_num_threads(int(tuning.values["threads"]))
    busy = f"another process is tuning this now: {tuning.folder}"
    with locked(tuning.folder / ".lock", busy=busy):
        study = _begun(tuning)
        scale = scale_of(tuning.problem, tuning.protocol, Path(str(tuning.values["results"])))
        while (number := len(finished(study))) < tuning.trials:
            _one_trial(tuning, study, scale, number)
            write_trials(tuning, study)
    write_trials(tuning, study)
    print_trials(tuning, study)
    return Outcome("done", headline(study))


def open_study(tuning: Tuning) -> "optuna.Study":
    """The study as it stands, to be read.

    Raises:
        BenchmarkError: There is none yet.
    """
    library = _optuna()
    if not tuning.storage.is_file():
        raise BenchmarkError(
            f"there is no study with these values in {tuning.folder}; the same command without "
            "the flag begins it"
        )
    study: optuna.Study = library.load_study(
        study_name=tuning.key, storage=f"sqlite:///{tuning.storage}"
    )
    return study


def finished(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    """The trials that count: done, pruned, or failed for a reason of their own."""
    from optuna.trial import TrialState

    return [
        trial
        for trial in study.trials
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        or (trial.state == TrialState.FAIL and "reason" in trial.user_attrs)
    ]


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise BenchmarkError(
            "tuning needs Optuna: pip install -c constraints.txt -e '.[tune]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _begun(tuning: Tuning) -> "optuna.Study":
    """The study, made where there is none; what a stopped process left half done waits again."""
    library = _optuna()
    study: optuna.Study = library.create_study(
        study_name=tuning.key,
        storage=f"sqlite:///{tuning.storage}",
        direction="minimize",
        load_if_exists=True,
        pruner=library.pruners.MedianPruner(
            n_startup_trials=tuning.values["startup_trials"],
            n_warmup_steps=tuning.values["warmup_points"],
        ),
    )
    if not study.trials:
        study.enqueue_trial(shipped_point(tuning.space, tuning.values["agent"]))
    for trial in study.get_trials(states=(library.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=library.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _one_trial(tuning: Tuning, study: "optuna.Study", scale: float, number: int) -> None:
    library = _optuna()
    # A sampler of each trial's own: what it draws does not depend on interruptions.
    study.sampler = library.samplers.TPESampler(
        seed=tuning.seeds[0] + number, n_startup_trials=tuning.values["startup_trials"]
    )
    trial = study.ask({dimension.name: _distribution(dimension) for dimension in tuning.space})
    energy = tuning.values["energy"]
    meter = EnergyMeter(str(energy["country"]), float(energy["interval_s"]), tuning.device)
    begun = time.monotonic()
    states = library.trial.TrialState
    value, state = None, states.COMPLETE
    try:
        with meter:
            value = _objective(tuning, trial, scale, number)
    except library.TrialPruned:
        state = states.PRUNED
    except Exception as error:
        # A learner that breaks down is a result, and no number stands for it.
        state = states.FAIL
        reason = error.message if isinstance(error, BenchmarkError) else repr(error)
        trial.set_user_attr("reason", reason)
    trial.set_user_attr("seconds", round(time.monotonic() - begun, 3))
    trial.set_user_attr("wh", meter.reading.wh)
    trial.set_user_attr("gco2", meter.reading.gco2)
    trial.set_user_attr("code_version", code_version())
    study.tell(trial, value, state=state)
    told = state.name.lower() if value is None else f"validation J {value:.6g} g"
    print(f"trial {number} of {tuning.trials}: {told}", flush=True)


def _objective(tuning: Tuning, trial: "optuna.Trial", scale: float, number: int) -> float:
    """Mean J on the validation scenarios when the budget is spent, over the tuning seeds."""
    values = placed(tuning.values["agent"], trial.params)
    points = 0

    def publish(curve: LearningCurve) -> None:
        nonlocal points
        trial.report(curve.rows[-1]["objective_g"], points)
        points += 1
        if number > 0 and trial.should_prune():  # what is shipped is always seen to the end
            raise _optuna().TrialPruned

    objectives_g = []
    for seed in tuning.seeds:
        agent = make_agent(values, tuning.problem, seed, tuning.device)
        title = f"{tuning.problem.name}/{tuning.agent} trial {number} of {tuning.trials}"
        monitor = train(
            tuning.problem, tuning.protocol, agent, seed, scale, f"{title} seed {seed}", publish
        )
        objectives_g.append(float(monitor.curve.rows[-1]["objective_g"]))
        trial.set_user_attr("objective_g_by_seed", objectives_g)
    mean_g = float(np.mean(objectives_g))
    if not np.isfinite(mean_g):
        raise BenchmarkError("the objective is not finite", EXIT_FAILED)
    return mean_g


def _distribution(dimension: Dimension) -> Any:
    library = _optuna()
    if dimension.whole:
        return library.distributions.IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.log
        )
    return library.distributions.FloatDistribution(
        float(dimension.low), float(dimension.high), log=dimension.log
    )


def best_of(study: "optuna.Study") -> "optuna.trial.FrozenTrial | None":
    """The trial with the least J; None while none is done."""
    from optuna.trial import TrialState

    done: list[Any] = [t for t in study.trials if t.state == TrialState.COMPLETE]
    return min(done, key=lambda trial: float(trial.value), default=None)


def tuned_values(tuning: Tuning, point: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's values at a point of the space."""
    return placed(tuning.values["agent"], point)
