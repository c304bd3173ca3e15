"""The process of a tracker: it reads what a run tells it, line by line, and passes it on.

The first line is ``{"settings", "identity", "config", "root"}``, then come ``{"row"}`` and at last
``{"result", "folder"}``. The reason of a failure is the last line it prints.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from benchmark.errors import EXIT_FAILED, EXIT_OK


class Sink(Protocol):
    """A tracker's own side; its constructor takes settings, identity, config and root."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Take a row of the learning curve."""
        ...

    def finish(self, result: Mapping[str, Any], folder: Path) -> None:
        """Take the result and what lies in the run's folder, and close."""
        ...


def serve(lines: Iterable[str]) -> None:
    """Pass lines on until they end."""
    sink: Sink | None = None
    for text in lines:
        line = json.loads(text)
        if sink is None:
            sink = _open(line)
        elif "row" in line:
            sink.log(line["row"])
        else:
            sink.finish(line["result"], Path(line["folder"]))


def flat(result: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a result by dotted name; what is missing is left out."""
    out: dict[str, Any] = {}
    for name, value in result.items():
        if isinstance(value, Mapping):
            out |= {f"{name}.{key}": item for key, item in flat(value).items()}
        elif value is not None and not isinstance(value, list):
            out[name] = value
    return out


def pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a run's folder by name."""
    return {path.stem: path for path in sorted(folder.glob("*.png"))}


def _open(line: Mapping[str, Any]) -> Sink:
    settings, root = line["settings"], Path(line["root"])
    if settings["name"] == "wandb":
        from benchmark.tracking_wandb import WandbSink

        return WandbSink(settings, line["identity"], line["config"], root)
    from benchmark.tracking_tensorboard import TensorBoardSink

    return TensorBoardSink(settings, line["identity"], line["config"], root)


def main() -> int:
    """Serve standard input."""
    try:
        serve(sys.stdin)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        print(f"{type(error).__name__}: {reason}", flush=True)
        return EXIT_FAILED
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
