"""What steps measured and nobody has read yet."""

import torch
from torch import Tensor

Sums = list[dict[str, float]]
"""For each replica of a learner, metric -> its sum over samples."""


class Unread:
    """Sums over the steps since the last reading; they stay on the accelerator, so that no step waits to be read.

    Reading a number from an accelerator waits until all that was asked of it is done, and leaves it idle until it is
    asked for more: with small networks that is most of the time.

    Args:
        replicas: how many numbers each metric has.
        device: where they are.
    """

    def __init__(self, replicas: int, device: str) -> None:
        # Apple's GPUs have no float64.
        wide = torch.float32 if torch.device(device).type == "mps" else torch.float64
        self._first = torch.full((replicas,), -1, dtype=wide, device=device)
        self._sums: dict[str, Tensor] = {}

    def add(self, losses: Tensor, metrics: dict[str, Tensor], *, samples: int, number: int) -> None:
        """Adds a step.

        Args:
            losses: [replicas], means over the samples.
            metrics: each [replicas], sums over the samples.
            samples: of each replica.
            number: of the step; remembered for replicas of which this is the first loss that is not finite.
        """
        for name, values in {**metrics, "loss": losses.to(self._first) * samples}.items():
            # With its graph a sum would keep the activations of all steps that it adds up.
            self._sums[name] = self._sums.get(name, 0) + values.detach().to(self._first)
        self._first = torch.where(losses.isfinite() | (self._first >= 0), self._first, number)

    def read(self) -> tuple[Sums, dict[int, int]]:
        """The sums of each replica since the last reading, and replica -> its first step with a loss not finite."""
        rows = torch.stack([*self._sums.values(), self._first], dim=1).tolist()
        sums = [dict(zip(self._sums, row, strict=False)) for row in rows]
        self._sums = {}
        return sums, {replica: int(row[-1]) for replica, row in enumerate(rows) if row[-1] >= 0}


def unread_on(device: str, replicas: int) -> Unread | None:
    """Keeps the sums of steps on an accelerator; None on a CPU, where reading a number costs nothing."""
    return None if torch.device(device).type == "cpu" else Unread(replicas, device)
