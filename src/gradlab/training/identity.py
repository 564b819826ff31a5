"""Whether two trainings are the same one: a digest of all that decides on the bits of a training."""

import dataclasses
import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from gradlab.data import StreamedPixels
from gradlab.training.agreement import fingerprint_of, settings_of
from gradlab.training.learner import Learner
from gradlab.training.task import Task

PLAIN = (str, int, float, bool, bytes, type(None), torch.dtype)
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
_HOOKS = sorted(name for name in _OF_EVERY_MODULE if name.endswith("_hooks"))


class _Digest(Protocol):
    def update(self, data: Any, /) -> None: ...


class _UntoldError(Exception):
    """A value whose content cannot be read off, such as a function that was made inside another."""


def identity_of(task: Task, learner: Learner) -> str | None:
    """The SHA-256, in hexadecimal, of whatever decides on a training's weights and rows; the arm's name does not.

    Two trainings with the same identity end with the same bits. None where something cannot be told from its content:
    images that stay in their files, a function made inside another, compiled steps; where several
    processes train a seed together.
    """
    recipe, digest = task.recipe, hashlib.sha256()
    if task.place.compile == "on" or task.place.ranks.count > 1:
        return None
    networks = [task.initial_model(seed) for seed in learner.seeds]
    optimizer = recipe.optimizer(networks[0].parameters())
    told = {
        "settings": {**settings_of(task, learner), "arm": None},
        "fingerprint": fingerprint_of(task, learner),
        "kind": learner.kind,
        "seeds": learner.seeds,
        "inputs": task.inputs,
        "targets": task.targets,
        "prepare": task.prepare,
        "objective": task.objective,
        "networks": networks,
        "optimizer": [type(optimizer), optimizer.param_groups],
        "schedule": [float(recipe.schedule(step)) for step in range(recipe.epochs * task.steps_per_epoch)],
        "measure": dict(task.measure),
    }
    try:
        _feed(digest, told)
    except (_UntoldError, RecursionError):
        return None
    return digest.hexdigest()  # pyright: ignore[reportAttributeAccessIssue]


def _feed(digest: _Digest, value: Any) -> None:
    """Feeds a value's kind and content to a digest; what holds other values feeds them in turn.

    Raises:
        _UntoldError: its content cannot be read off.
    """
    digest.update(f"<{_qualified(type(value))}>".encode())
    if isinstance(value, PLAIN):
        digest.update(repr(value).encode())
    elif isinstance(value, Tensor | np.ndarray) and not isinstance(value, StreamedPixels):
        _feed_numbers(digest, value)
    else:
        parts = _parts(value)
        digest.update(str(len(parts)).encode())
        for name, part in parts.items():
            digest.update(f"<{name}>".encode())
            _feed(digest, part)


def _feed_numbers(digest: _Digest, value: Tensor | np.ndarray) -> None:
    learns = isinstance(value, Tensor) and value.requires_grad
    array = torch.as_tensor(value).detach().cpu().contiguous()
    digest.update(f"{array.dtype}{list(array.shape)}{learns}".encode())
    digest.update(array.flatten().view(torch.uint8).numpy().data)


def _parts(value: Any) -> Mapping[str, Any]:
    """What a value is made of, by name."""
    if isinstance(value, Mapping):
        return {repr(name): part for name, part in value.items()}
    if isinstance(value, list | tuple):
        return {str(place): part for place, part in enumerate(value)}
    if isinstance(value, nn.Module):
        return _parts_of_network(value)
    if isinstance(value, partial):
        return {"function": value.func, "arguments": value.args, "keywords": value.keywords}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if callable(value):
        is_transform = hasattr(value, "uniforms") and not isinstance(value, type)
        return _parts_of_transform(value) if is_transform else {"named": _qualified(value)}
    raise _UntoldError(type(value).__name__)


def _parts_of_transform(transform: Any) -> Mapping[str, Any]:
    """What a transform was made with; what it keeps in names that begin with _ follows from that."""
    return {name: part for name, part in vars(transform).items() if not name.startswith("_")}


def _parts_of_network(module: nn.Module) -> Mapping[str, Any]:
    if any(vars(module)[hooks] for hooks in _HOOKS):
        raise _UntoldError("hooks")
    own = {name: part for name, part in vars(module).items() if name not in _OF_EVERY_MODULE}
    numbers = {**dict(module.named_parameters(recurse=False)), **dict(module.named_buffers(recurse=False))}
    return {**own, **numbers, **dict(module.named_children()), "training": module.training}


def _qualified(function: Callable[..., Any]) -> str:
    """The full name of a function or class that a module defines: its content is the module's.

    Raises:
        _UntoldError: it was made inside another, or is bound to a value.
    """
    name = getattr(function, "__qualname__", "<")
    bound = getattr(function, "__self__", None)
    if "<" in name or (bound is not None and not inspect.ismodule(bound)):
        raise _UntoldError(name)
    return f"{function.__module__}.{name}"
