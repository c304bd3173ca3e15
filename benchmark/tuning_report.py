"""What a study found: every trial, shown and as CSV, and a proposal for ``conf/agent``."""

import re
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmark.errors import BenchmarkError
from benchmark.options import option_names
from benchmark.outcome import Outcome
from benchmark.store import write_csv, write_text
from benchmark.table import significant
from benchmark.tuning import Tuning, best_of, finished, open_study, plan_tuning, tuned_values

if TYPE_CHECKING:
    import optuna

SHIPPED = 0
"""Number of the trial with the agent's own values."""

STATES = {
    "COMPLETE": "done",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "under way",
    "WAITING": "waiting",
}


def show_job(config: DictConfig) -> Outcome:
    """Print the study as it stands."""
    tuning = plan_tuning(config)
    study = open_study(tuning)
    print_trials(tuning, study)
    return Outcome("done", headline(study))


def propose_job(config: DictConfig) -> Outcome:
    """Write the agent's file with the best values in it, for a person to adopt or not."""
    tuning = plan_tuning(config)
    study = open_study(tuning)
    best = best_of(study)
    if best is None:
        raise BenchmarkError(f"no trial of {tuning.folder} is done: there is nothing to propose")
    if len(finished(study)) < tuning.trials:
        print(f"benchmark: only {len(finished(study))} of {tuning.trials} trials are finished")
    path = tuning.folder / f"{tuning.agent}.yaml"
    write_text(path, proposal(tuning, study, best))
    print(f"proposal: {path} (to adopt it, copy it over conf/agent/{tuning.agent}.yaml)")
    return Outcome("done", headline(study))


def print_trials(tuning: Tuning, study: "optuna.Study") -> None:
    """Every trial, the poor and the failed ones too."""
    console = Console(highlight=False)
    names = [dimension.name for dimension in tuning.space]
    best = best_of(study)
    counted = len(finished(study))
    table = Table(
        title=f"{tuning.problem.name}/{tuning.agent}: {counted} of {tuning.trials} trials, "
        f"{len(tuning.seeds)} seeds from {tuning.seeds[0]}, "
        f"{tuning.protocol.env_steps:,} steps each",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for head in ("trial", "validation J g", "state", *(_narrow(name) for name in names)):
        table.add_column(head, justify="right")
    for number, trial in enumerate(study.trials):
        value = _shown_value(trial)
        table.add_row(
            f"{number}{'*' if number == SHIPPED else ''}",
            significant(value, 5),
            _state(trial),
            *("–" if name not in trial.params else f"{trial.params[name]:.3g}" for name in names),
            style="bold green" if best is not None and trial.number == best.number else "",
        )
    if not console.is_terminal and console.width < 130:
        console = Console(file=console.file, highlight=False, width=130)
    console.print(table)
    console.print("* the shipped values", markup=False)
    if any(_state(trial) == "lost" for trial in study.trials):
        console.print("a lost trial was interrupted; its values were tried again", markup=False)
    for trial in study.trials:
        if "reason" in trial.user_attrs:
            console.print(
                f"trial {trial.number} failed: {trial.user_attrs['reason']}", markup=False
            )
    console.print(headline(study), markup=False)
    console.print(_cost(study), markup=False)
    console.print(f"study: {tuning.folder}", markup=False, soft_wrap=True)
    for line in _mixed(study):
        console.print(line, markup=False, soft_wrap=True)


def write_trials(tuning: Tuning, study: "optuna.Study") -> None:
    """Every trial as a row of ``trials.csv``."""
    trials = study.trials
    columns: dict[str, list[Any]] = {
        "trial": [trial.number for trial in trials],
        "state": [_state(trial) for trial in trials],
        "validation_objective_g": [_value(trial) for trial in trials],
        "last_objective_g": [_shown_value(trial) for trial in trials],
        **{
            dimension.name: [trial.params.get(dimension.name) for trial in trials]
            for dimension in tuning.space
        },
        **{
            name: [trial.user_attrs.get(name) for trial in trials]
            for name in ("seconds", "wh", "gco2", "code_version", "reason")
        },
        **{
            f"objective_g_seed{seed}": [_of_seed(trial, place) for trial in trials]
            for place, seed in enumerate(tuning.seeds)
        },
    }
    write_csv(tuning.folder / "trials.csv", columns)


def headline(study: "optuna.Study") -> str:
    """How far the best trial lies from the shipped values."""
    best = best_of(study)
    if best is None:
        return "no trial is done yet"
    shipped = _value(study.trials[SHIPPED])
    found = _value(best)
    assert found is not None
    if best.number == SHIPPED:
        return f"best: the shipped values, validation J {found:.6g} g"
    text = f"best: trial {best.number}, validation J {found:.6g} g"
    if shipped is None:
        return f"{text}; the shipped values did not finish"
    return f"{text}, {(shipped - found) / abs(shipped):.2%} below the shipped values' {shipped:.6g}"


def proposal(tuning: Tuning, study: "optuna.Study", best: "optuna.trial.FrozenTrial") -> str:
    """The agent's file with the best values put in, and where they come from.

    Raises:
        BenchmarkError: The agent is not one that ships with the suite.
    """
    if tuning.agent not in option_names("agent"):
        raise BenchmarkError(
            f"agent={tuning.agent} has no file in conf/agent to propose; its best values: "
            + ", ".join(f"{name}={value:.6g}" for name, value in best.params.items())
        )
    text = (resources.files("conf") / "agent" / f"{tuning.agent}.yaml").read_text()
    values = tuned_values(tuning, best.params)
    shipped = tuning.values["agent"]
    keys = dict.fromkeys(re.sub(r"\[\d+\]", "", name) for name in best.params)
    for name in (key for key in keys if values[key] != shipped[key]):
        pattern = re.compile(rf"^({re.escape(name)}:\s*)(\[[^\]]*\]|[^\s#]+)", re.MULTILINE)
        text, count = pattern.subn(lambda match: match[1] + _yaml(values[name]), text)  # noqa: B023
        if count != 1:
            raise BenchmarkError(f"conf/agent/{tuning.agent}.yaml: no line sets {name}")
    return "\n".join((*_provenance(tuning, study, best), text))


def _provenance(
    tuning: Tuning, study: "optuna.Study", best: "optuna.trial.FrozenTrial"
) -> list[str]:
    ended = best.datetime_complete or datetime.now(UTC)
    counted = finished(study)
    done = sum(trial.state.name == "COMPLETE" for trial in counted)
    failed = sum(trial.state.name == "FAIL" for trial in counted)
    seeds = f"{tuning.seeds[0]} to {tuning.seeds[-1]}"
    codes = sorted({str(trial.user_attrs.get("code_version"))[:12] for trial in counted})
    return [
        f"# Tuned on {tuning.problem.name} (problem {tuning.problem.digest[:12]}), "
        f"{ended:%Y-%m-%d}; study {tuning.key[:12]}, code {', '.join(codes)}.",
        f"# {len(counted)} trials, {done} seen to the end, {failed} failed; "
        f"{tuning.protocol.env_steps:,} steps on seeds {seeds}, none of which is reported.",
        f"# B{headline(study)[1:]}.",
        f"# Searched: {', '.join(best.params)}; rounded to three digits.",
    ]


def _cost(study: "optuna.Study") -> str:
    readings = [trial.user_attrs.get("wh") for trial in finished(study)]
    known = [value for value in readings if value is not None]
    seconds = sum(trial.user_attrs.get("seconds", 0.0) for trial in finished(study))
    text = f"cost of the search: {seconds:.0f} s"
    if known:
        grams = sum(trial.user_attrs.get("gco2") or 0.0 for trial in finished(study))
        text += f", {significant(sum(known))} Wh, {significant(grams)} gCO2e"
    missing = len(readings) - len(known)
    return text if not missing else f"{text}; the energy of {missing} trials is not known"


def _mixed(study: "optuna.Study") -> list[str]:
    codes = {str(trial.user_attrs.get("code_version"))[:12] for trial in finished(study)}
    if len(codes) < 2:
        return []
    return [
        f"WARNING: the trials ran with different code ({', '.join(sorted(codes))}) and may not be "
        "comparable; trials.csv says which is which"
    ]


def _state(trial: "optuna.trial.FrozenTrial") -> str:
    lost = trial.state.name == "FAIL" and "reason" not in trial.user_attrs
    return "lost" if lost else STATES[trial.state.name]


def _value(trial: "optuna.trial.FrozenTrial") -> float | None:
    return trial.value if trial.state.name == "COMPLETE" else None


def _shown_value(trial: "optuna.trial.FrozenTrial") -> float | None:
    """J at the end, or where the trial was pruned."""
    if trial.state.name == "PRUNED" and trial.intermediate_values:
        return trial.intermediate_values[max(trial.intermediate_values)]
    return _value(trial)


def _of_seed(trial: "optuna.trial.FrozenTrial", place: int) -> float | None:
    values = trial.user_attrs.get("objective_g_by_seed", [])
    return values[place] if place < len(values) else None


def _narrow(name: str) -> str:
    return name.replace("_", " ")


def _yaml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    return str(value) if isinstance(value, int) else f"{value:#.3g}"
