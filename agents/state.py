"""Where learning stands, on disk: trees of numbers, texts and tensors in one safetensors file.

The shape of the tree lies as JSON in the file's header. Every number comes back to the bit, and
nothing in the file can execute.
"""

import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_TREE = "tree"


def write(path: Path, tree: Any) -> None:
    """Write a tree so that a reader finds all of it or nothing.

    Args:
        path: The file.
        tree: Nested dicts, lists and tuples of None, bool, int, float, str, tensors and arrays.

    Raises:
        TypeError: There is something else in it.
    """
    tensors: dict[str, Tensor] = {}
    shape = _encode(tree, tensors)
    temporary = path.with_name(f".{path.name}")
    save_file(tensors, temporary, metadata={_TREE: json.dumps(shape)})
    os.replace(temporary, path)


def read(path: Path) -> Any:
    """Read what ``write`` wrote; tensors come on the CPU."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        shape = json.loads(file.metadata()[_TREE])
    return _decode(shape, tensors)


def read_agent(folder: Path, files: Sequence[str], shape: Mapping[str, Any]) -> Any:
    """Read what an agent wrote of itself among the files of a checkpoint.

    Raises:
        ValueError: It is of an agent of another shape.
    """
    saved = read(folder / next(name for name in files if name.startswith("agent-")))
    if saved["shape"] != shape:
        raise ValueError(f"expected {shape}, found {saved['shape']} in {folder}")
    return saved


def _encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {kind: _put(torch.from_numpy(np.array(value)), tensors)}
    if isinstance(value, Tensor):
        return {"tensor": _put(value, tensors)}
    if isinstance(value, Mapping):  # of any keys: optimizers number their parameters
        return {"map": [[_encode(k, tensors), _encode(v, tensors)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_encode(item, tensors) for item in value]}
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def _put(tensor: Tensor, tensors: dict[str, Tensor]) -> str:
    name = str(len(tensors))
    # safetensors refuses tensors that share memory; a copy shares none.
    tensors[name] = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    return name


def _decode(shape: Any, tensors: Mapping[str, Tensor]) -> Any:
    if not isinstance(shape, dict):
        return shape
    ((kind, content),) = shape.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "array":
        return tensors[content].numpy()
    if kind == "scalar":
        return tensors[content].numpy()[()]
    if kind == "map":
        return {_decode(key, tensors): _decode(value, tensors) for key, value in content}
    items = [_decode(item, tensors) for item in content]
    return tuple(items) if kind == "tuple" else items


def of_module(module: nn.Module) -> dict[str, Any]:
    """Everything a module and its parts hold: tensors, and the plain numbers they count by.

    Nothing is named here, so that a module may grow without its checkpoints forgetting the new.
    """
    return {
        "tensors": dict(_tensors(module)),
        "numbers": {name: dict(_numbers(part)) for name, part in module.named_modules()},
    }


def into_module(module: nn.Module, saved: Mapping[str, Any]) -> None:
    """Bring a module of the same make to the state that was saved.

    Raises:
        ValueError: It is of another make.
    """
    known = dict(_tensors(module))
    if differing := sorted(known.keys() ^ saved["tensors"].keys()):
        raise ValueError(f"{', '.join(differing)} are in the checkpoint or in the agent, not both")
    with torch.no_grad():
        for name, tensor in known.items():
            tensor.copy_(saved["tensors"][name])
    for name, part in module.named_modules():
        for attribute, number in saved["numbers"].get(name, {}).items():
            setattr(part, attribute, number)


def _tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _numbers(module: nn.Module) -> Iterator[tuple[str, bool | int | float]]:
    for name, value in vars(module).items():
        if isinstance(value, bool | int | float):
            yield name, value


def of_global_random() -> dict[str, Any]:
    """The states of the generators that everybody shares: Python's, NumPy's and torch's."""
    kind, words, *rest = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        # As signed words: safetensors knows fewer types than NumPy.
        "numpy": (kind, np.asarray(words, np.int64), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if _cuda_is_used() else [],
    }


def _cuda_is_used() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def into_global_random(saved: Mapping[str, Any]) -> None:
    """Bring the shared generators to the states that were saved."""
    kind, words, *rest = saved["numpy"]
    random.setstate(saved["python"])
    np.random.set_state((kind, words.astype(np.uint32), *rest))
    torch.set_rng_state(saved["torch"])
    if saved["cuda"]:
        torch.cuda.set_rng_state_all(saved["cuda"])
