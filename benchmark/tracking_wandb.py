"""Weights & Biases: offline unless asked otherwise, and told nothing of the machine."""

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.tracking_process import flat, pictures

ROWS = "reference_rows"
MOST_EPISODES = 10_000
"""Rows a table of W&B shows."""

HOST = "-"
"""In place of the machine's name."""

COLUMNS = ("objective_g", "carbon_g", "penalty_g", "score", "gap_closed", "violated_share")


class WandbSink:
    """A run there: config, curve, tables, pictures, and the run's folder as an artifact."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        identity: Mapping[str, Any],
        config: Mapping[str, Any],
        root: Path,
    ) -> None:
        """Begin the run; offline ones lie in the ``wandb`` folder of the results."""
        folder = root / "wandb"
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.update(
            {
                # Artifacts wait here for `wandb sync`, not in the user's home.
                "WANDB_DATA_DIR": str(folder.resolve()),
                "WANDB_CACHE_DIR": str(folder.resolve() / "cache"),
                "WANDB_SILENT": "true",
                "WANDB_ERROR_REPORTING": "false",
            }
        )
        import wandb

        patience_s = float(settings["finish_s"])
        self._identity = identity
        self._run: Any = wandb.init(
            project=settings["project"],
            entity=settings["entity"],
            mode=settings["mode"],
            name=f"{identity['env']}/{identity['agent']} seed {identity['seed']}",
            group=f"{identity['env']}/{identity['agent']}",
            config={**config, "run": dict(identity)},
            dir=str(root),
            reinit="create_new",
            settings=wandb.Settings(
                console="off",
                silent=True,
                disable_git=True,
                save_code=False,
                host=HOST,
                finish_timeout=max(patience_s, 1.0),
                login_timeout=patience_s,
                x_disable_meta=True,
                x_disable_machine_info=True,
                x_disable_stats=True,  # its readings would draw power that is being measured
            ),
        )

    def log(self, row: Mapping[str, Any]) -> None:
        """Take a row of the learning curve."""
        self._run.log(dict(row), step=row["env_steps"])

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Take result, tables, pictures and folder."""
        import wandb

        figures = {name: value for name, value in result.items() if name != ROWS}
        self._run.summary.update(flat(figures))
        shown: dict[str, Any] = {}
        if ROWS in result:
            shown["standing"] = _standing(wandb, result)
        if (folder / "episodes.csv").is_file():
            shown["episodes"] = _episodes(wandb, folder / "episodes.csv")
        for name, path in pictures(folder).items():
            shown[name] = wandb.Image(str(path))
        if shown:
            self._run.log(shown)
        if result["status"] == "done":
            identity = self._identity
            name = f"{identity['env']}-{identity['agent']}-{identity['key'][:12]}"
            artifact = wandb.Artifact(re.sub(r"[^\w.-]", "-", name), type="run")
            artifact.add_dir(str(folder))
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=0 if result["status"] == "done" else 1)


def _standing(wandb: Any, result: Mapping[str, Any]) -> Any:
    """The table at the end of a run."""
    rows = {**result[ROWS], str(result["agent"]): result}
    data = [[name, *(row.get(column) for column in COLUMNS)] for name, row in rows.items()]
    return wandb.Table(columns=["row", *COLUMNS], data=data)


def _episodes(wandb: Any, path: Path) -> Any:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    data = [[float(value) for value in row] for row in rows[:MOST_EPISODES]]
    return wandb.Table(columns=header, data=data)
