"""Trainings that two experiments of a group have in common: made once, taken over by the other."""

from typing import Any

from torch import Tensor

from gradlab.errors import FileError
from gradlab.training.agreement import refuse_misshapen
from gradlab.training.learner import Training
from gradlab.training.state import newest_state
from gradlab.training.task import Task


def twin_of(task: Task, training: Training, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The finished state of another run's training with this one's identity, told as this arm's; None without one.

    Args:
        task: what is to be trained.
        training: at its beginning, with its identity.
        name: of the folder that keeps a learner's states below its arm's.
    """
    if training.identity is None:
        return None
    for states in task.place.twins or ():
        for folder in sorted(states.glob(f"*/{name}")):
            found = newest_state(folder)
            if found is not None and _is_twin(task, training, found[1]):
                return found[0], _as_own(found[1], task.arm, states.parent.name)
    return None


def _is_twin(task: Task, training: Training, meta: Any) -> bool:
    """Whether what was saved is a finished, exact training with this one's identity, and whole."""
    try:
        refuse_misshapen(task, training, meta)
    except FileError:
        return False
    maker = meta.get("taken_from"), meta["settings"].get("arm")
    told = isinstance(maker[0], str | None) and isinstance(maker[1], str)
    return told and meta.get("identity") == training.identity and meta["finished"] and meta["exact"]


def _as_own(meta: dict[str, Any], arm: str, run: str) -> dict[str, Any]:
    """What was saved of a training of another arm, as this arm's: nothing but the name differs, and it cost nothing."""
    return {
        **meta,
        "settings": {**meta["settings"], "arm": arm},
        "rows": [{**row, "arm": arm} for row in meta["rows"]],
        "seconds": 0.0,
        "taken_from": meta.get("taken_from") or f"{run}, {meta['settings']['arm']}",
    }
