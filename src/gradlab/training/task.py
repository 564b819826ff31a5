"""All that the training of one arm needs to know, whichever way its seeds run."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gradlab import rng
from gradlab.augment import Transform, native_augmentation, uses_the_kernel
from gradlab.nn import DenseProducts, native_norm
from gradlab.records import code_digest, processor_name, vector_instructions
from gradlab.training.arithmetic import linear_library
from gradlab.training.pretrained import Pretrained
from gradlab.training.ranks import Ranks
from gradlab.training.recipe import Recipe
from gradlab.training.signals import Stop

Objective = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]
"""(model, inputs, targets) -> (mean loss, sums over the batch of further metrics)."""
Measure = Callable[[nn.Module], dict[str, float]]
"""model -> its metrics on a split."""
Precision = Literal["float32", "float64", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float64", "bfloat16")
Compile = Literal["auto", "on", "off"]
COMPILES: tuple[Compile, ...] = ("auto", "on", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a learner is, told several times a second: one replica, or `replicas` in a stack that `seed` leads."""

    arm: str
    seed: int
    replicas: int = 1
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    samples_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how training runs: none of it belongs to the question that an experiment asks.

    Args:
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: "float32", "float64" (tests), or "bfloat16" (float32 weights, bfloat16 autocast).
        compile: whether steps are compiled; "auto" chooses, see `compiled.choose_compilation`.
        threads: intra-op threads of each process.
        workers: processes that keep the machine busy; None takes one a core. A last wave may hold a few more.
        state: the folder where training can be resumed from; None keeps nothing.
        twins: the state folders of the other runs of a group: a finished training that is exactly this one is taken
            from there; None where a run stands alone.
        save_seconds: the shortest time between two saves.
        save_steps: saves every so many steps instead; None leaves it to the time.
        stop: looked at before each step.
        report: is told the progress.
        ranks: which of the processes that train one seed together this one is.
        dry: trains a few steps only, to learn what they cost.
    """

    device: str = "cpu"
    precision: Precision = "float32"
    compile: Compile = "auto"
    threads: int = 1
    workers: int | None = None
    state: Path | None = None
    twins: tuple[Path, ...] | None = None
    save_seconds: float = 10.0
    save_steps: int | None = None
    stop: Stop = field(default_factory=Stop)
    report: Callable[[Progress], None] = lambda _progress: None
    ranks: Ranks = field(default_factory=Ranks)
    dry: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """The type of weights and inputs."""
        return torch.float64 if self.precision == "float64" else torch.float32

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of a forward pass here: bfloat16 arithmetic where the precision asks for it, else nothing.

        Training is always in it; an experiment puts measurements in it whose cost would exceed that of training.
        """
        if self.precision != "bfloat16":
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16, cache_enabled=False)

    def linear_library(self) -> str:
        """What multiplies for large linear layers while a seed is trained here: "oneDNN" or "torch"."""
        plain = self.precision == "float32" and self.compile != "on" and torch.device(self.device).type == "cpu"
        return linear_library() if plain else "torch"

    def arithmetic(self) -> AbstractContextManager[Any]:
        """The context of a training step's forward pass: autocast, or oneDNN's products where they are faster."""
        return DenseProducts() if self.linear_library() == "oneDNN" else self.autocast()

    def in_precision(self, measure: Measure) -> Measure:
        """The measurement made in the arithmetic of training."""

        def measured(model: nn.Module) -> dict[str, float]:
            with self.autocast():
                return measure(model)

        return measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One arm: its network, data, objective and recipe, and the place where it is trained.

    Args:
        make_model: builds the network; called once a seed, on that seed's stream of initial weights.
        inputs: [samples, ...], moved to the device by whoever makes the task.
        targets: [samples, ...].
        prepare: turns a batch of inputs into what the network takes, with random numbers if it wants any.
        measure: split name -> what is measured after each epoch.
    """

    arm: str
    make_model: Callable[[], nn.Module]
    inputs: Tensor
    targets: Tensor
    objective: Objective
    recipe: Recipe
    prepare: Transform | None
    measure: Mapping[str, Measure]
    place: Place

    def initial_model(self, seed: int) -> nn.Module:
        """The network of a seed before its first step, drawn from the seed's stream or `Pretrained`."""
        with rng.global_stream(seed, "initial weights"):
            model = self.make_model()
        return self.make_model.given(model, seed) if isinstance(self.make_model, Pretrained) else model

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in one epoch."""
        return self.recipe.steps_per_epoch(len(self.inputs))

    def fingerprint(self) -> dict[str, Any]:
        """What can change the bits of training; recorded with each state and compared on resume."""
        return {
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "device": self.place.device,
            "processes": self.place.ranks.count,
            "precision": self.place.precision,
            "capability": torch.backends.cpu.get_cpu_capability(),
            "processor": processor_name(),
            "instructions": vector_instructions(),
            "accelerator": _accelerator(self.place.device),
            "augmentation": native_augmentation() if uses_the_kernel(self.prepare) else "torch",
            "batch norm": native_norm() if self.place.precision == "bfloat16" else "torch",
            "linear layers": self.place.linear_library(),
            "code": code_digest(),
        }


def _accelerator(device: str) -> str | None:
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else None
