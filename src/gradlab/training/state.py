"""What a replica, or a stack of them, needs in order to go on exactly where it stopped."""

import contextlib
import copy
import json
import math
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from gradlab.errors import FileError
from gradlab.records import read_sealed, write_sealed
from gradlab.training.randomness import ELEMENT_WISE

KEPT = 2  # the newest state may be damaged; the one before it is the fallback
META = "__meta__"


def write_state(folder: Path, step: int, tensors: dict[str, Tensor], meta: dict[str, Any]) -> int:
    """Writes `<step>.state` into `folder`, removes all but the newest two, and returns the file's size in bytes.

    Raises:
        FileError: the file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot write {folder}: {error.strerror}") from error
    content = pack(tensors, meta)
    write_sealed(folder / f"{step:012d}.state", content)
    for old in state_files(folder)[KEPT:]:
        with contextlib.suppress(OSError):  # the new state is safe: one too many is no reason to stop
            old.unlink()
    return len(content)


def newest_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest valid state of a folder, or None where there is none; a damaged file is named in a warning."""
    for path in state_files(folder):
        try:
            return unpack(read_sealed(path))
        except FileError as error:
            warnings.warn(f"{error}; trying the state before it", stacklevel=2)
    return None


def state_files(folder: Path) -> list[Path]:
    """The state files of a folder, newest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if re.fullmatch(r"\d{12}\.state", path.name)), reverse=True)


def pack(tensors: dict[str, Tensor], meta: dict[str, Any]) -> bytes:
    """Tensors and a JSON document as one string of bytes."""
    text = json.dumps(meta, allow_nan=True).encode()  # allow_nan: Python's own reader; not a document for others
    packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save({**packed, META: torch.frombuffer(bytearray(text), dtype=torch.uint8)})


def unpack(content: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the JSON document of `pack`.

    Raises:
        FileError: the bytes are not a packed state.
    """
    try:
        tensors = load(content)
        text = tensors.pop(META)
        return tensors, json.loads(text.numpy().tobytes())
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileError(f"the state is damaged: {error}") from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The state of an optimiser as named tensors and the rest as JSON values."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for index, entries in optimizer.state_dict()["state"].items():
        for key, value in entries.items():
            target = tensors if isinstance(value, Tensor) else scalars
            target[f"{index}/{key}"] = value
    return tensors, scalars


def optimizer_settings(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimiser's class and default settings, as JSON values."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in optimizer.defaults.items()}
    kept = {name: value for name, value in plain.items() if isinstance(value, int | float | str | bool | list | None)}
    return {"class": type(optimizer).__name__, **kept}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
    """Puts back what `optimizer_tensors` took; the groups' settings stay those of the newly made optimiser.

    Raises:
        ValueError: of a parameter with entries one is missing, another's or of another shape, or its step is below 0;
            told of torch's own element-wise optimisers, since others may keep what a first step does not show.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, value in {**tensors, **scalars}.items():
        index, _, key = name.partition("/")
        state.setdefault(int(index), {})[key] = _laid_out_like(parameters[int(index)], value)
    if state and type(optimizer) in ELEMENT_WISE:
        _refuse_other_entries(optimizer, state)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _refuse_other_entries(optimizer: torch.optim.Optimizer, state: dict[int, dict[str, Any]]) -> None:
    """What an optimiser keeps shows only after a step: a copy of it makes one, with gradients of zero."""
    probe = copy.deepcopy(optimizer)
    for group in probe.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    probe.step()
    kept = probe.state_dict()["state"]
    for index, entries in state.items():
        shapes, known = (
            {name: tuple(value.shape) if isinstance(value, Tensor) else None for name, value in of.items()}
            for of in (entries, kept.get(index, {}))
        )
        if shapes != known:
            raise ValueError(f"of parameter {index} the optimiser keeps {known}, not {shapes}")
        made = float(entries.get("step", 0))
        if not 0 <= made < math.inf:
            raise ValueError(f"the optimiser cannot have made {made} steps of parameter {index}")


def _laid_out_like(parameter: Tensor, value: Any) -> Any:
    """The value in the parameter's memory layout: arithmetic on another layout may round differently."""
    if isinstance(value, Tensor) and value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
    return value
