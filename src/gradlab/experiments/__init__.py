"""One question a file: the only place where a model, data, an objective and training meet."""

import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradlab.errors import unknown

PARTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "slides": {"logistic_regression": {}, "lenet": {}, "mlp_mnist": {}},
    "practical1": {
        "xor": {},
        "optimizer_paths": {},
        "mlp_cifar10": {},
        "mlp_improvements": {},
        "pixel_shuffle": {"networks": ("MLP",), "epochs": 25},
    },
    "practical2": {"resnet": {}, "rotation_robustness": {}, "pixel_shuffle": {}},
    "practical3": {"vit": {}, "positional_embedding": {}},
    "practical4": {"group_equivariance": {}, "rotated_mnist": {}},
    "practical5": {"simclr": {}, "few_labels": {}, "ssl_methods": {}, "augmentation_strength": {}},
    "cheatsheet": {
        "initialization": {},
        "learning_rates": {},
        "regularization": {},
        "rnn_rows": {},
        "lstm_next_symbol": {},
        "transformer_reverse": {},
        "vae": {},
    },
}
"""The parts of the course: each one's experiments, with the settings they have there."""
GROUPS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    **PARTS,
    # Each once, by its own defaults: those of `pixel_shuffle` train the networks of both practicals that want it.
    "handbook": {name: {} for members in PARTS.values() for name in members},
    # What practicals 1 to 3 are about, for as long as the handbook trains where it is in a hurry.
    "core": {
        "mlp_cifar10": {},
        "pixel_shuffle": {"mlp_epochs": 25},
        "resnet": {"recipes": ("handbook",)},
        "rotation_robustness": {},
        "vit": {"arms": ("handbook",)},
    },
}
"""Experiments that belong together, with the settings they have there: `gradlab run slides` runs them all and makes one
report, `gradlab run handbook` does so with all that the handbook, the cheat-sheet and the slides ask for, and `gradlab
run core` with what practicals 1 to 3 are about."""


def experiment_names() -> list[str]:
    """The names of all experiments: the files of this folder."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))


def source_of(name: str) -> Path:
    """The file of an experiment.

    Raises:
        UsageError: there is no experiment of that name.
    """
    if name not in experiment_names():
        raise unknown("experiment", name, experiment_names(), where="gradlab list")
    return Path(__file__).parent / f"{name}.py"
