"""Tensors and settings on disk, as safetensors and JSON: nothing in the folder can execute."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

_WEIGHTS = "weights.safetensors"
_SETTINGS = "agent.json"


def write(folder: Path, module: nn.Module, settings: Mapping[str, Any]) -> None:
    """Write a module's parameters and buffers, and what tells whether they fit.

    Args:
        folder: An existing folder.
        module: What to write.
        settings: JSON values; ``read`` demands the same.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in _tensors(module).items()
    }
    save_file(tensors, folder / _WEIGHTS)
    (folder / _SETTINGS).write_text(json.dumps(dict(settings), indent=2, sort_keys=True) + "\n")


def read(folder: Path, module: nn.Module, settings: Mapping[str, Any]) -> None:
    """Read into a module what ``write`` wrote.

    Args:
        folder: Where it was written.
        module: Takes the values, on whatever device it is.
        settings: What the module was made with.

    Raises:
        ValueError: The folder holds weights made with other settings.
    """
    stored = json.loads((folder / _SETTINGS).read_text())
    if stored != dict(settings):
        differing = sorted(
            key for key in stored.keys() | settings.keys() if stored.get(key) != settings.get(key)
        )
        found = {key: stored.get(key) for key in differing}
        expected = {key: settings.get(key) for key in differing}
        raise ValueError(
            f"{folder / _SETTINGS}: expected {expected}, found {found}; "
            "construct the agent with the settings it was saved with"
        )
    tensors = load_file(folder / _WEIGHTS)
    if differing := sorted(tensors.keys() ^ _tensors(module).keys()):
        raise ValueError(
            f"{folder / _WEIGHTS}: {', '.join(differing)} are in the file or in the agent, not in "
            "both; construct the agent with the settings it was saved with"
        )
    for name, tensor in _tensors(module).items():
        if tensors[name].shape != tensor.shape or tensors[name].dtype != tensor.dtype:
            raise ValueError(
                f"{folder / _WEIGHTS}: {name}: expected {_form(tensor)}, "
                f"found {_form(tensors[name])}"
            )
    with torch.no_grad():
        for name, tensor in _tensors(module).items():
            tensor.copy_(tensors[name])


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
