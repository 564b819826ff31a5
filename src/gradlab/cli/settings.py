"""A run's settings: its experiment, configuration, device and place."""

import dataclasses
import importlib
import math
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch

from gradlab import training
from gradlab.data import FRAMINGS, IMAGE_MEMORY, refuse_unknown
from gradlab.errors import FileError, UsageError, unknown
from gradlab.experiments import experiment_names
from gradlab.records import RunFolder
from gradlab.records.environment import available_cores


def complete_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the device chosen and the whole configuration written out.

    Raises:
        UsageError: the device is not there, the machine has fewer cores than threads, the dataset is unknown, or
            a value is impossible.
    """
    if settings["threads"] > (cores := available_cores()):
        raise UsageError(
            f"--threads {settings['threads']} is more than the {cores} cores of this machine, on which convolutions "
            f"become many times slower: use --threads {cores} or fewer"
        )
    module = load_experiment(settings["experiment"])
    base = module.QUICK if settings["quick"] else module.Config()
    config = dataclasses.replace(base, **settings["changes"])
    usual = getattr(base, "data", None)  # the experiment's own, which may be "auto"
    if (dataset := settings["changes"].get("data", usual)) != usual:
        refuse_unknown(dataset)
    return {**settings, "device": choose_device(settings["device"]), "config": dataclasses.asdict(config)}


def load_experiment(name: str) -> ModuleType:
    """The module of an experiment.

    Raises:
        UsageError: there is no experiment of that name.
    """
    if name not in experiment_names():
        raise unknown("experiment", name, experiment_names(), where="gradlab list")
    return importlib.import_module(f"gradlab.experiments.{name}")


MOST_THREADS = 4096
KINDS: dict[str, Any] = {
    "question": str,
    "seeds": tuple[int, ...],
    "together": str,
    "device": str,
    "precision": Literal["float32", "float64", "bfloat16"],
    "threads": int,
    "save_seconds": float,
    "data_root": str | None,
    "offline": bool,
    "command": str,
    "config": dict,
}
"""What `config.json` says beside the experiment's name, and the kind of each value."""


def checked_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a run that is to go on, each of a kind that a run can have.

    Raises:
        FileError: one is missing or of another kind.
        UsageError: the experiment is unknown, or the device is not there.
    """
    for name, kind in {"experiment": str, **KINDS}.items():
        if name not in settings or not _fits(settings[name], kind):
            raise FileError(f"config.json is damaged: its '{name}' is {settings.get(name)!r:.80}")
    if not _fits(settings.get("image_memory", IMAGE_MEMORY), float):
        raise FileError(f"config.json is damaged: its 'image_memory' is {settings['image_memory']!r:.80}")
    if settings.get("compile", "off") not in training.COMPILES:
        raise FileError(f"config.json is damaged: its 'compile' is {settings['compile']!r:.80}")
    if settings.get("framing", "crop") not in FRAMINGS:
        raise FileError(f"config.json is damaged: its 'framing' is {settings['framing']!r:.80}")
    if not 1 <= settings["threads"] <= MOST_THREADS or settings["save_seconds"] < 0:
        raise FileError(f"config.json is damaged: {settings['threads']} threads, {settings['save_seconds']} seconds")
    if min(settings["seeds"], default=-1) < 0:
        raise FileError(f"config.json is damaged: its seeds are {settings['seeds']!r:.80}")
    load_experiment(settings["experiment"])
    choose_device(settings["device"])
    return settings


def configured(module: ModuleType, settings: dict[str, Any]) -> Any:
    """The experiment's `Config` as `config.json` has it: never today's defaults, which may be others.

    Raises:
        FileError: it does not fit the experiment.
    """
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in settings["config"].items()}
    known = {field.name for field in dataclasses.fields(module.Config)}
    if values.keys() != known:
        raise FileError(f"config.json does not fit the experiment: it differs in {sorted(values.keys() ^ known)}")
    for name, kind in get_type_hints(module.Config).items():
        if not _fits(values[name], kind):
            raise FileError(f"config.json does not fit the experiment: its '{name}' is {values[name]!r:.80}")
    return module.Config(**values)


def _fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of a kind: int, finite float, str, bool, dict, Literal, a tuple of one kind, a union."""
    inside = get_args(kind)
    if get_origin(kind) is Literal:
        return value in inside and isinstance(value, str)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple | list) and all(_fits(part, inside[0]) for part in value)
    if isinstance(kind, UnionType):
        return any(_fits(value, choice) for choice in inside)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, kind)


def choose_device(asked: str | None) -> str:
    """The device asked for if it is there, else the fastest one there is.

    Raises:
        UsageError: the device asked for is unknown or not there.
    """
    if asked is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        kind = torch.device(asked).type
    except RuntimeError:
        raise UsageError(f"unknown device '{asked}': known are cpu, cuda, cuda:N and mps") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(kind, False):
        raise UsageError(f"--device {asked} is not there: use --device cpu, or see `gradlab doctor`")
    return asked


def cautions(settings: dict[str, Any]) -> list[str]:
    """What to hear before a run: why it will be slow here, and what `--quick` does to one's own pictures."""
    found = (
        training.oversubscribed(min(len(settings["seeds"]), 2), settings["threads"]),
        training.slow_precision(choose_device(settings["device"]), settings["precision"]),
        _tiny_pictures(settings),
    )
    return [caution for caution in found if caution]


def _tiny_pictures(settings: dict[str, Any]) -> str | None:
    """A warning where pictures of one's own are shrunk to the size of the digits that `--quick` is made for."""
    changes = settings.get("changes", {})
    own, side = str(changes.get("data", "")).startswith("folder:"), settings.get("config", {}).get("image_size")
    if not (settings.get("quick") and own and side and "image_size" not in changes):
        return None
    return f"--quick reads these pictures at {side} x {side} pixels, few to tell them apart by: give --image-size"


def make_run(folder: RunFolder | None, settings: dict[str, Any], **place: Any) -> training.Run:
    """The `Run` that a run's settings describe."""
    ranks = place.get("ranks", training.Ranks())
    return training.Run(
        seeds=tuple(settings["seeds"]),
        together=settings["together"],
        place=training.Place(
            device=ranks.device(settings["device"]),
            precision=settings["precision"],
            compile=settings.get("compile", "off"),  # older runs did not compile
            threads=settings["threads"],
            **place,
        ),
        folder=folder,
        data_root=Path(settings["data_root"]) if settings["data_root"] else None,
        offline=settings["offline"],
        framing=settings.get("framing", "crop"),  # older runs do not say
        image_memory=settings.get("image_memory", IMAGE_MEMORY),
    )
