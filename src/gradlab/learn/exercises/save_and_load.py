"""Save and load a model's weights.

Write two functions. `save_model(model, path)` writes the model's parameters and buffers to a file. `load_model(model,
path)` reads such a file into a model of the same kind, in place, on the CPU, and returns nothing. Save the state and
not the whole model, which would tie the file to your code. The file lies where `path` says, under exactly that name.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gradlab.learn.exercise import Check, Draw, Fault
from gradlab.learn.probing import fill

SOURCE = "practical 1, part 1: save_model and load_model; slides: tensor input and output"
HINTS = (
    "`model.state_dict()` is the state, a dict of tensors: `torch.save` can write it, and so can `numpy.savez`.",
    "Reading the file gives a dict; `model.load_state_dict(...)` puts it into the model.",
    "`torch.save(model.state_dict(), path)`; `model.load_state_dict(torch.load(path, weights_only=True))`.",
)


def save_model(model: nn.Module, path: Path) -> None:
    """Writes the state of `model` to `path`."""
    ### BEGIN SOLUTION
    # NumPy's format holds numbers only; with torch.save, read with weights_only=True.
    with path.open("wb") as file:
        np.savez(file, **{name: tensor.numpy(force=True) for name, tensor in model.state_dict().items()})
    ### END SOLUTION


def load_model(model: nn.Module, path: Path) -> None:
    """Reads the state at `path` into `model`, in place."""
    ### BEGIN SOLUTION
    with np.load(path) as held:
        model.load_state_dict({name: torch.from_numpy(held[name]) for name in held.files})
    ### END SOLUTION


def _probe(save: Any, load: Any, sizes: list[int], images: Tensor) -> dict[str, Any]:
    import tempfile

    def network() -> nn.Module:
        return nn.Sequential(nn.Linear(sizes[0], sizes[1]), nn.BatchNorm1d(sizes[1]), nn.Linear(sizes[1], 2))

    model, other = network(), network()
    fill(model)
    model(images)  # moves the running statistics
    before = [tensor.clone() for tensor in model.state_dict().values()]
    with tempfile.TemporaryDirectory(dir=".") as name:
        path = Path(name) / "weights.pt"
        returned = save(model, path)
        there = path.is_file()
        for parameter in model.parameters():
            parameter.data.zero_()  # the file must not follow the model
        returned_by_load = load(other, path)
        code = there and b"torch.nn.modules" in path.read_bytes()
    return {
        "there is a file": there,
        "the file holds the whole model": code,
        "loaded tensors": list(other.state_dict().values()),
        "as they were": before,
        "returned": [returned is None, returned_by_load is None],
        "trainable": all(parameter.requires_grad for parameter in other.parameters()),
    }


def _case(draw: Draw) -> dict[str, Any]:
    inputs = draw.size(2, 4)
    return {"sizes": [inputs, draw.size(2, 5)], "images": draw.normal(draw.size(3, 6), inputs)}


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    with path.open("wb") as file:
        arrays: dict[str, Any] = {name: tensor.numpy(force=True) for name, tensor in tensors.items()}
        np.savez(file, **arrays)


def _read(path: Path) -> dict[str, Tensor]:
    with np.load(path) as held:
        return {name: torch.from_numpy(held[name]) for name in held.files}


def _save_parameters(model: nn.Module, path: Path) -> None:
    _write(path, dict(model.named_parameters()))


def _load_what_is_there(model: nn.Module, path: Path) -> None:
    model.load_state_dict(_read(path), strict=False)


def _save_whole(model: nn.Module, path: Path) -> None:
    """Marked like a pickled module, which names its classes."""
    save_model(model, path)
    with path.open("ab") as file:
        file.write(b"torch.nn.modules")


def _load_and_return(model: nn.Module, path: Path) -> nn.Module:
    load_model(model, path)
    return model


def _save_elsewhere(model: nn.Module, path: Path) -> None:
    save_model(model, path.with_suffix(".pth"))


def _load_elsewhere(model: nn.Module, path: Path) -> None:
    load_model(model, path.with_suffix(".pth"))


def _load_frozen(model: nn.Module, path: Path) -> None:
    load_model(model, path)
    model.requires_grad_(False)


def _save_zeros(model: nn.Module, path: Path) -> None:
    _write(path, {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items()})


def _save_first_layer(model: nn.Module, path: Path) -> None:
    _write(path, {name: tensor for name, tensor in model.state_dict().items() if name.startswith("0.")})


CHECK = Check(
    probe=_probe,
    case=_case,
    cases=3,
    faults=(
        Fault(
            "the buffers are not saved",
            "BatchNorm's running statistics are no parameters: save `model.state_dict()`.",
            {"save_model": _save_parameters, "load_model": _load_what_is_there},
        ),
        Fault(
            "the whole model is saved",
            "A pickled model breaks when the code changes: save its `state_dict()`.",
            {"save_model": _save_whole},
        ),
        Fault(
            "what is read is not put into the model",
            "`torch.load` gives a dict: hand it to `model.load_state_dict`.",
            {"load_model": lambda model, path: None},
        ),
        Fault(
            "what is read is returned instead of put into the model",
            "Change the model that was handed in: `model.load_state_dict`.",
            {"load_model": lambda model, path: _read(path)},
        ),
        Fault("the model is returned", "It is changed in place: return nothing.", {"load_model": _load_and_return}),
        Fault(
            "the file has another name",
            "Write to exactly `path`, whatever its ending.",
            {"save_model": _save_elsewhere, "load_model": _load_elsewhere},
        ),
        Fault(
            "the loaded parameters are frozen",
            "They must stay trainable: leave `requires_grad` alone.",
            {"load_model": _load_frozen},
        ),
        Fault("zeros are saved", "Save the tensors of the model as they are.", {"save_model": _save_zeros}),
        Fault(
            "only the first layer is saved",
            "The state has all layers.",
            {"save_model": _save_first_layer, "load_model": _load_what_is_there},
        ),
    ),
)
