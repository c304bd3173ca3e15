"""The commands that Hydra composes: ``run`` and ``oracle``."""

import os
import sys
from collections.abc import Callable, Sequence

import hydra
from omegaconf import DictConfig

from benchmark import sweep
from benchmark.complaints import HYDRA_ERRORS, OPEN_MAPS, translate
from benchmark.errors import EXIT_FAILED, EXIT_OK, BenchmarkError
from benchmark.options import option_names
from benchmark.outcome import Outcome, interrupted, of_exception

Job = Callable[[DictConfig], Outcome]

MULTIRUN = frozenset(("-m", "--multirun"))

GROUPS = {
    "config": ("env", "agent", "protocol", "tracking"),
    "tune": ("env", "agent", "protocol"),
    "oracle": ("env",),
}
"""The groups each command chooses from."""

CUSTOM = "agent=custom"
"""An agent from elsewhere, whose values are its own."""

HELP = frozenset(("-h", "--help"))

RUN_EXAMPLE = "python -m benchmark run env=channels agent=gdm protocol=quick"
TUNE_EXAMPLE = "python -m benchmark tune env=offload_paper agent=ppo trials=12"
ORACLE_EXAMPLE = "python -m benchmark oracle env=channels"


def run(arguments: Sequence[str]) -> int:
    """Train, score and keep one run, or a sweep of them (``-m``)."""
    return _invoke("config", run_job, arguments, RUN_EXAMPLE)


def oracle(arguments: Sequence[str]) -> int:
    """Compute the reference of a problem, resuming where it was left."""
    return _invoke("oracle", oracle_job, arguments, ORACLE_EXAMPLE)


def tune(arguments: Sequence[str]) -> int:
    """Search an agent's values; ``--show`` the trials, ``--propose`` the best values instead."""
    chosen = [flag for flag in TUNE_JOBS if flag in arguments]
    if len(chosen) > 1:
        raise BenchmarkError(f"choose one of {' and '.join(chosen)}")
    job = TUNE_JOBS[chosen[0]] if chosen else tune_job
    rest = [argument for argument in arguments if argument not in TUNE_JOBS]
    return _invoke("tune", job, rest, TUNE_EXAMPLE)


def run_job(config: DictConfig) -> Outcome:
    """The body of ``run``; in a sweep it is called in the launcher's process."""
    from benchmark.experiment import run_experiment

    return _guard(run_experiment, config)


def oracle_job(config: DictConfig) -> Outcome:
    """The body of ``oracle``."""
    from benchmark.oracles import compute_oracle

    return _guard(compute_oracle, config)


def tune_job(config: DictConfig) -> Outcome:
    """The body of ``tune``."""
    from benchmark import tuning

    return _guard(tuning.tune_job, config)


def show_job(config: DictConfig) -> Outcome:
    """The body of ``tune --show``."""
    from benchmark import tuning_report

    return _guard(tuning_report.show_job, config)


def propose_job(config: DictConfig) -> Outcome:
    """The body of ``tune --propose``."""
    from benchmark import tuning_report

    return _guard(tuning_report.propose_job, config)


TUNE_JOBS: dict[str, Job] = {"--show": show_job, "--propose": propose_job}


def _guard(job: Job, config: DictConfig) -> Outcome:
    """Run a job so that its failure is told once and stops no other job of a sweep."""
    with sweep.announced():
        try:
            outcome = job(config)
        except Exception as error:
            outcome = of_exception(error)
            print(f"benchmark: {outcome.message}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            sweep.record(interrupted())
            raise
    sweep.record(outcome)
    return outcome


def _invoke(config_name: str, job: Job, arguments: Sequence[str], example: str) -> int:
    if not HELP.isdisjoint(arguments):
        print(_help(config_name, example))
        return EXIT_OK
    outcomes: list[Outcome] = []
    multirun = not MULTIRUN.isdisjoint(arguments)

    def collect(config: DictConfig) -> Outcome:
        outcome = job(config)
        outcomes.append(outcome)
        return outcome

    # A sweep's jobs may run in other processes: they get the importable function, and leave their
    # outcomes in files.
    task = job if multirun else collect
    entry = hydra.main(config_path="pkg://conf", config_name=config_name, version_base="1.3")(task)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # let exceptions through, to be told by us
    # argparse takes overrides in one stretch: the flag may stand among them all the same.
    flags = ["--multirun"] if multirun else []
    open_maps = (*OPEN_MAPS, "agent.") if CUSTOM in arguments else OPEN_MAPS
    rest = [_open(argument, open_maps) for argument in arguments if argument not in MULTIRUN]
    sys.argv = ["python -m benchmark", *flags, *rest]
    code = EXIT_OK
    try:
        entry()
    except KeyboardInterrupt:
        sweep.end(interrupted=True)
        raise
    except BenchmarkError:
        raise
    except HYDRA_ERRORS as error:
        raise translate(error, config_name, arguments, example) from error
    except OSError as error:
        raise BenchmarkError(f"cannot write: {error}") from error
    except Exception as error:
        raise BenchmarkError(f"{type(error).__name__}: {error}", EXIT_FAILED) from error
    finally:
        if multirun:
            code = sweep.end()
    if multirun:
        return code
    return outcomes[-1].code if outcomes else EXIT_OK


def _help(config_name: str, example: str) -> str:
    groups = GROUPS[config_name]
    lines = [f"example: {example}", ""]
    lines += [f"  {group}=  {', '.join(option_names(group))}" for group in groups]
    if config_name == "config":
        lines += [
            "",
            "  seed=N  device=auto|cpu|cuda  results=DIR  force=true",
            "  'env.parameters.NAME=\"30 MHz\"'  overrides a parameter of the spec",
            "  env=spec env.spec=FILE  runs a spec of your own",
            "  agent=custom agent._target_=pkg.Class agent.VALUE=…  runs an agent of your own",
            "  -m env=A,B agent=C,D 'seed=range(0,10)'  runs a sweep;",
            "     hydra/launcher=joblib hydra.launcher.n_jobs=2  side by side",
        ]
    if config_name == "tune":
        lines += ["", "  trials=N  seeds=N  protocol.env_steps=N  results=DIR"]
        lines += ["  --show     prints every trial", "  --propose  writes a file for conf/agent"]
    lines += ["", "  --cfg job (with env= and agent=) shows every value there is to override"]
    return "\n".join(lines)


def _open(argument: str, open_maps: tuple[str, ...]) -> str:
    """Let a key be added to an open map without Hydra's plus signs."""
    return f"++{argument}" if argument.startswith(open_maps) else argument
