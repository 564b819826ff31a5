"""Trainings that two experiments of a group have in common: made once, taken over by the other."""

from typing import Any

from torch import Tensor

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

    Raises:
        FileError: such a state is damaged.
    """
    if training.identity is None:
        return None
    for states in task.place.twins or ():
        for folder in sorted(states.glob(f"*/{name}")):
            found = newest_state(folder)
            if found is not None and isinstance(found[1], dict) and found[1].get("identity") == training.identity:
                tensors, meta = found
                refuse_misshapen(task, training, meta)
                if meta["finished"] and meta["exact"]:
                    return tensors, _as_own(meta, task.arm, states.parent.name)
    return None


def _as_own(meta: dict[str, Any], arm: str, run: str) -> dict[str, Any]:
    """What was saved of a training of another arm, as this arm's: nothing but the name differs, and it cost nothing."""
    maker = f"{run}, {meta['settings']['arm']}"
    return {
        **meta,
        "settings": {**meta["settings"], "arm": arm},
        "rows": [{**row, "arm": arm} for row in meta["rows"]],
        "seconds": 0.0,
        "taken_from": meta["taken_from"] or maker,
    }
