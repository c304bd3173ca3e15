"""One run: train, score, keep."""

import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from agents import Budget, Checkpoint, Resumable
from benchmark import sweep
from benchmark.assessment import assess, assess_variants, best_heuristic
from benchmark.attempts import Past
from benchmark.checkpoints import Checkpoints
from benchmark.energy import EnergyMeter
from benchmark.errors import EXIT_FAILED, BenchmarkError
from benchmark.evaluation import Episodes, evaluate
from benchmark.monitor import LearningCurve, LearningMonitor
from benchmark.outcome import Outcome
from benchmark.pictures import draw_learning_curve, draw_strategy
from benchmark.plan import Run, checkpoint_identity, manifest, plan
from benchmark.problems import agent_values, make_agent, unit_of
from benchmark.progress import ProgressBar
from benchmark.protocol import selected_point
from benchmark.references import HEURISTIC, ROW_SEED, act_of, load_optimum, rows_of, scale_of
from benchmark.scoring import payback
from benchmark.seal import PROBLEM, seal
from benchmark.store import (
    CHECKPOINTS,
    SELECTED,
    RunFolder,
    write_bytes,
    write_csv,
    write_json,
    write_text,
)
from benchmark.strategy import StrategyRecorder
from benchmark.table import print_result
from benchmark.tracking import Tracker, make_tracker
from benchmark.training import environment
from benchmark.variants import judge, long_columns


def run_experiment(config: DictConfig) -> Outcome:
    """Train, score and keep a run, unless that is done already.

    A run that was stopped goes on from its last checkpoint.

    Raises:
        BenchmarkError: What was asked for cannot be done.
        Busy: Another process runs it now.
        KeyboardInterrupt: The run was stopped; what it had is kept.
    """
    run = plan(config)
    folder = RunFolder(run.root, run.problem.name, run.agent, run.seed, run.key)
    try:
        with folder.claimed():
            # Looked at under the lock: another process may have finished it just now.
            done = None if config.force else folder.result()
            if done is None:
                result = _carry_out(run, folder)
    except OSError as error:
        raise BenchmarkError(f"cannot write to results={run.root}: {error}") from error
    if done is not None:
        print_result(done)
        print(f"already done: {folder.final} (force=true repeats it)", flush=True)
        return Outcome("already done", _headline(done))
    print(f"results: {folder.final}", flush=True)
    return Outcome("done", _headline(result))


def _carry_out(run: Run, folder: RunFolder) -> dict[str, Any]:
    folder.begin(afresh=bool(run.values["force"]))
    tracker = make_tracker(run.values["tracking"], run.identity, run.values, run.root)
    result: dict[str, Any] = {"status": "failed", **run.identity}
    try:
        result = _train_and_score(run, folder, tracker)
        seal(folder.work)
        folder.finish()
    except KeyboardInterrupt:
        result = {"status": "interrupted", **run.identity}
        _leave(folder, result, "interrupted")
        print(f"interrupted; what there is lies in {folder.work}", file=sys.stderr, flush=True)
        raise
    except BenchmarkError as error:
        _leave(folder, {**result, "status": "failed"}, error.message)
        raise
    except Exception as error:
        kept = _leave(folder, {**result, "status": "failed"}, f"{type(error).__name__}: {error}")
        if isinstance(error, OSError):
            raise
        where = f"; the traceback is in {folder.work / 'error.txt'}" if kept else ""
        message = f"{run.name} failed: {type(error).__name__}: {error}{where}"
        raise BenchmarkError(message, EXIT_FAILED) from error
    finally:
        tracker.finish(result, folder.final if result["status"] == "done" else folder.work)
    return result


def _leave(folder: RunFolder, result: dict[str, Any], message: str) -> bool:
    """Say in the folder why it is not finished; False when not even that could be written."""
    try:
        if result["status"] == "failed":
            write_text(folder.work / "error.txt", traceback.format_exc())
        write_json(folder.work / "result.json", {**result, "message": message})
        trace = traceback.format_exc() if result["status"] == "failed" else None
        folder.status(result["status"], message, trace)
    except OSError:
        return False
    return True


def _train_and_score(run: Run, folder: RunFolder, tracker: Tracker) -> dict[str, Any]:
    import torch

    torch.set_num_threads(int(run.values["threads"]))
    problem, protocol, work = run.problem, run.protocol, folder.work
    write_text(work / "config.yaml", yaml.safe_dump(run.values, sort_keys=False))
    if "spec" in run.values["env"]:
        write_bytes(work / PROBLEM, Path(run.values["env"]["spec"]).read_bytes())
    scale = scale_of(problem, protocol, run.root)
    write_json(work / "manifest.json", manifest(run, scale))
    rows = rows_of(problem, protocol, scale, run.root)
    optimum = load_optimum(problem, protocol.test_scenarios, run.root)

    agent = make_agent(run.values["agent"], problem, run.seed, run.device)
    act = act_of(agent)

    def publish(curve: LearningCurve) -> None:
        tracker.log(curve.rows[-1])
        if selected_point(curve.rows) == len(curve.rows) - 1:
            try:
                _save(agent, work / SELECTED)
            except OSError:  # half of it is worse than none: its variants are left out, and told
                shutil.rmtree(work / SELECTED, ignore_errors=True)
        progress = min(curve.rows[-1]["env_steps"] / protocol.env_steps, 1.0)
        sweep.advance(progress)
        with suppress(OSError):  # a disk that is full now may not be at the end, where it is told
            write_csv(work / "learning_curve.csv", curve.columns())
            folder.advance(progress)

    checkpoints = Checkpoints(
        work / CHECKPOINTS, checkpoint_identity(run), float(run.values["checkpoint_s"])
    )

    def stands() -> dict[str, Any]:
        return {"monitor": monitor.state(), "past": past.with_now(meter.so_far())}

    def offered(write: Checkpoint) -> None:
        checkpoints.offer(write, stands, env.state_arrays)

    env = environment(problem, protocol, agent, run.seed, scale)
    energy = run.values["energy"]
    meter = EnergyMeter(str(energy["country"]), float(energy["interval_s"]), run.device)
    try:
        with ProgressBar(run.name, protocol.env_steps) as progress, meter:
            monitor = LearningMonitor(
                protocol,
                lambda: evaluate(problem, act, protocol.validation_scenarios, "validation"),
                progress,
                publish,
                offered,
            )
            past = Past()
            saved = checkpoints.latest() if isinstance(agent, Resumable) else None
            if saved is not None and isinstance(agent, Resumable):
                env.set_state_arrays(saved.env)
                agent.resume(checkpoints.folder, saved.files)
                monitor.restore(saved.harness["monitor"])
                past = Past.of(saved.harness["past"])
                for row in monitor.curve.rows:
                    tracker.log(row)
                print(f"going on from step {monitor.env_steps:,}", flush=True)
            agent.learn(env, Budget(protocol.env_steps), monitor)
            monitor.finish()
            train_seconds = monitor.seconds
    finally:
        env.close()
        with suppress(OSError):
            _save(agent, work)

    recorder = StrategyRecorder(problem)
    episodes = evaluate(problem, act, protocol.test_scenarios, "test", recorder)
    chosen = selected_point(monitor.curve.rows)
    taken_at = {"final": monitor.env_steps, "selected": monitor.curve.rows[chosen]["env_steps"]}
    variants = judge(run, agent, episodes, work / SELECTED, taken_at)
    reading = past.total(meter.reading)
    result = {
        "status": "done",
        **run.identity,
        **assess(run.agent, episodes, rows, optimum, run.oracle_command),
        "test_scenarios": protocol.test_scenarios,
        "variants": assess_variants(variants, taken_at, rows, optimum),
        "env_steps": monitor.env_steps,
        "gradient_steps": monitor.gradient_steps,
        "train_seconds": round(train_seconds, 3),
        "validation_seconds": round(monitor.evaluation_seconds, 3),
        "resumptions": past.resumptions,
        "train_wh": reading.wh,
        "train_gco2": reading.gco2,
        "energy_method": reading.method,
        "energy_reason": reading.reason,
        "payback": payback(
            reading.gco2,
            episodes,
            best_heuristic(rows),
            problem.horizon,
            problem.functional_unit,
        ),
    }
    # The result is told before it is written: a full disk does not take it away.
    print_result(result)

    def keep(place: Path) -> None:
        _save(agent, place)
        write_csv(place / "learning_curve.csv", monitor.curve.columns())
        columns = {name: values.tolist() for name, values in episodes.columns().items()}
        write_csv(place / "episodes.csv", columns)
        write_csv(place / "variants.csv", long_columns(variants))
        write_json(place / "emissions.json", reading.as_dict())
        write_json(place / "result.json", result)

    _keep_somewhere(work, keep)
    draw_learning_curve(work / "learning_curve.png", run.name, monitor.curve, rows, optimum)
    rival = _record_rival(run, best_heuristic(rows))
    draw_strategy(
        work / "strategy.png", run.agent, recorder, rival, lambda name: unit_of(problem, name)
    )
    return result


def _record_rival(
    run: Run, heuristic: tuple[str, Episodes] | None
) -> tuple[str, StrategyRecorder] | None:
    """What the best heuristic decides on the test scenarios."""
    if heuristic is None:
        return None
    name = heuristic[0].removeprefix(HEURISTIC)
    agent = make_agent({**agent_values("heuristic"), "name": name}, run.problem, ROW_SEED, "cpu")
    recorder = StrategyRecorder(run.problem)
    evaluate(run.problem, act_of(agent), run.protocol.test_scenarios, "test", recorder)
    return heuristic[0], recorder


def _keep_somewhere(work: Path, keep: Callable[[Path], None]) -> None:
    """Write what was found; where the results folder takes nothing more, beside it, and say so."""
    try:
        keep(work)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="benchmark-"))
        keep(refuge)
        message = f"cannot write to {work}: {error}; nothing is lost, the result is in {refuge}"
        raise BenchmarkError(message, EXIT_FAILED) from error


def _save(agent: Any, folder: Path) -> None:
    weights = folder / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    agent.save(weights)


def _headline(result: dict[str, Any]) -> str:
    text = f"J {result['objective_g']:.4g} g"
    if result["score"] is not None:
        text += f", score {result['score']:.3f}"
    if result["gap_closed"] is not None:
        text += f", gap closed {result['gap_closed']:.3f}"
    return text
