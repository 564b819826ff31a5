"""One question a file: the only place where a model, data, an objective and training meet."""

import pkgutil
from pathlib import Path

from gradlab.errors import unknown

GROUPS = {
    "slides": ("logistic_regression", "lenet", "mlp_mnist"),
}
"""Experiments that belong together: `gradlab run slides` runs them all and makes one report."""


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
