"""What the loop trains, and how far it is."""

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from gradlab.records import Row
from gradlab.training.unread import Sums


class Learner(Protocol):
    """What the loop trains: one replica (`Solo`) or a stack of them (`Stack`)."""

    kind: str
    seeds: tuple[int, ...]
    diverged: dict[int, str]
    """Replica -> why its loss is not finite."""
    diverged_at: dict[int, int]
    """Replica -> the step of that loss."""
    compiled: str
    """What compiles the steps; "no" where nothing does."""

    def shaped(self, batch: Tensor) -> Tensor:
        """A flat batch [replicas * samples, ...] as the model takes it."""
        ...

    def start_epoch(self) -> None:
        """Puts the model in training mode."""
        ...

    def compile(self, inputs: Tensor, targets: Tensor) -> None:
        """Compiles the steps for batches like this one and changes no number; where that fails, a warning says so."""
        ...

    def step(self, inputs: Tensor, targets: Tensor, *, factor: float, number: int) -> Sums | None:
        """Makes one optimiser step and returns each replica's sums over its batch.

        None leaves the sums on the accelerator, and whatever is not finite undetected, until `read_sums`.
        """
        ...

    def read_sums(self) -> Sums:
        """Each replica's sums over the steps since the last call that returned None; marks replicas as diverged."""
        ...

    def module(self, replica: int) -> nn.Module:
        """A plain module with one replica's weights; good until the next call."""
        ...

    def weights(self, replica: int) -> dict[str, Tensor]:
        """A copy of one replica's weights as a plain model's state dict."""
        ...

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Model and optimiser as named tensors, and the optimiser's other values."""
        ...

    def settings(self) -> dict[str, Any]:
        """The optimiser's kind and settings, as JSON values."""
        ...

    def restore(self, tensors: dict[str, Tensor], scalars: dict[str, Any]) -> None:
        """Puts back what `tensors` returned."""
        ...


@dataclass(slots=True)
class Standing:
    """One replica's place in its training, apart from weights and optimiser."""

    sums: dict[str, float] = field(default_factory=dict)
    samples: int = 0
    window_sums: dict[str, float] = field(default_factory=dict)
    window_samples: int = 0
    best: float | None = None
    best_epoch: int | None = None
    finished_epoch: int | None = None
    diverged: str | None = None


@dataclass(slots=True)
class Training:
    """The whole state of a learner's training; `train` advances it."""

    learner: Learner
    standings: list[Standing]
    best_weights: list[dict[str, Tensor]]
    epoch: int = 1
    step_in_epoch: int = 0
    rows: list[Row] = field(default_factory=list)
    finished: bool = False
    exact: bool = True
    seconds: float = 0.0
    step_seconds: float | None = None
    fingerprint: dict[str, Any] = field(default_factory=dict)
    """What can change its bits, as it was when it was trained."""
    identity: str | None = None
    """See `identity.identity_of`; None where nobody asks."""
    taken_from: str | None = None
    """The run and the arm that made this very training; None where it was made here."""

    def active(self) -> list[int]:
        """The replicas still learning."""
        return [
            replica
            for replica, standing in enumerate(self.standings)
            if standing.finished_epoch is None and standing.diverged is None
        ]

    def last_loss(self) -> float:
        """The first replica's mean training loss over its last whole epoch; not a number before its first one's end."""
        seed = self.learner.seeds[0]
        train = (row for row in reversed(self.rows) if row["seed"] == seed and row["split"] == "train")
        return next((loss for row in train if isinstance(loss := row.get("loss"), float)), math.nan)

    def selected(self, replica: int) -> dict[str, Tensor]:
        """The weights that training ends with: the best ones where a selection was asked for, else the last."""
        return self.best_weights[replica] or self.learner.weights(replica)
