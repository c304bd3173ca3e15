"""TensorBoard: event files under the results folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmark.tracking_process import flat, pictures

VALIDATION = ("objective_g", "carbon_g", "penalty_g", "violated_share")
"""Of the learning curve; the rest of a row is about training."""


class TensorBoardSink:
    """A folder of event files: config, curve, result and pictures."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        identity: Mapping[str, Any],
        config: Mapping[str, Any],
        root: Path,
    ) -> None:
        """Open the folder; what an earlier attempt left there goes, or its curve would be shown."""
        from torch.utils.tensorboard import SummaryWriter

        name = f"seed{identity['seed']}-{identity['key'][:12]}"
        folder = root / "tensorboard" / identity["env"] / identity["agent"] / name
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        self._writer: Any = SummaryWriter(log_dir=str(folder))
        self._step = 0
        text = yaml.safe_dump(dict(config), sort_keys=False)
        self._writer.add_text("config", _indented(text), 0)

    def log(self, row: Mapping[str, Any]) -> None:
        """Take a row of the learning curve."""
        self._step = int(row["env_steps"])
        for name, value in row.items():
            if name != "env_steps":
                group = "validation" if name in VALIDATION else "training"
                self._writer.add_scalar(f"{group}/{name}", value, self._step)
        self._writer.flush()

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Take result and pictures."""
        from matplotlib.image import imread

        for name, value in flat(result).items():
            if isinstance(value, int | float):
                self._writer.add_scalar(f"result/{name}", value, self._step)
        text = json.dumps(dict(result), indent=2)
        self._writer.add_text("result", _indented(text), self._step)
        for name, path in pictures(folder).items():
            self._writer.add_image(name, imread(path)[..., :3], self._step, dataformats="HWC")
        self._writer.close()


def _indented(text: str) -> str:
    """As Markdown shows text word for word."""
    return "".join(f"    {line}\n" for line in text.splitlines())
