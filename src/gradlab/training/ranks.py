"""The processes that train one seed together: which of them this is, and what they tell each other."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from gradlab.errors import GradlabError, UsageError

PATIENCE = timedelta(days=1)
"""How long one process waits for another: a download is waited for, and one that has died is noticed at once."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of `count` processes this one is; each has its share of every batch, and all make the same steps.

    Whatever is told goes through `torch.distributed`, and with one process nowhere.

    Raises:
        GradlabError: another process has gone, from every method that talks to it.
    """

    rank: int = 0
    count: int = 1

    def device(self, asked: str) -> str:
        """This process's own accelerator, where one kind was asked for and there are several processes."""
        return f"cuda:{os.environ.get('LOCAL_RANK', self.rank)}" if asked == "cuda" and self.count > 1 else asked

    def share(self, batch: Tensor) -> Tensor:
        """The rows of a batch, or of a list of its rows, that are this process's."""
        return batch.chunk(self.count)[self.rank]

    def refuse_uneven(self, batches: Mapping[str, int]) -> None:
        """Refuses batches (what it is called -> samples) that cannot be shared evenly.

        Raises:
            UsageError: one cannot.
        """
        for name, samples in batches.items():
            if samples % self.count:
                raise UsageError(
                    f"{name} has {samples} samples, which {self.count} processes cannot share evenly: "
                    f"choose a multiple of {self.count} (--batch-size)"
                )

    def summed(self, numbers: Sequence[float]) -> list[float]:
        """The sums over the processes of some numbers, in double precision."""
        total = torch.tensor(numbers, dtype=torch.float64)
        with _told():
            dist.all_reduce(total)
        return total.tolist()

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replaces tensors of one type by their means over the processes, all in one message."""
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with _told():
            dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def of_first(self, metrics: dict[str, float]) -> dict[str, float]:
        """The first process's metrics: devices may round differently, and all must select the same weights."""
        if self.count == 1:
            return metrics
        values = torch.tensor(list(metrics.values()), dtype=torch.float64)
        with _told():
            dist.broadcast(values, 0)
        return dict(zip(metrics, values.tolist(), strict=True))

    def value_of_first(self, value: Any) -> Any:
        """The first process's JSON value."""
        return value if self.count == 1 else json.loads(self.text_of_first(json.dumps(value)))

    def text_of_first(self, text: str) -> str:
        """The first process's text."""
        content = torch.tensor(list(text.encode()), dtype=torch.uint8)
        length = torch.tensor([len(content)])
        with _told():
            dist.broadcast(length, 0)
            content = content if self.rank == 0 else torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0)
        return content.numpy().tobytes().decode()

    def agree(self, what: str, numbers: Sequence[int]) -> None:
        """Refuses to go on where processes have different numbers.

        Raises:
            GradlabError: they have.
        """
        if self.count == 1:
            return
        extremes = torch.tensor([*numbers, *(-number for number in numbers)])
        with _told():
            dist.all_reduce(extremes, dist.ReduceOp.MAX)
        largest, smallest = extremes[: len(numbers)], -extremes[len(numbers) :]
        if not torch.equal(largest, smallest):
            raise GradlabError(
                f"the processes of this run have different {what} ({smallest.tolist()} to {largest.tolist()}): "
                "its folder must be one that all of them see"
            )

    @contextlib.contextmanager
    def one_before_others(self) -> Iterator[None]:
        """Runs a block in the first process and then in the others, so that a download happens once."""
        if self.rank:
            self.agree("readiness", [0])
        yield
        if self.rank == 0:
            self.agree("readiness", [0])


def ranks_here() -> Ranks:
    """What the environment says that `torchrun` started this process with; one of one where it says nothing.

    Raises:
        UsageError: its numbers are no numbers.
    """
    rank, count = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and count.isdecimal() and int(rank) < int(count)):
        raise UsageError(f"RANK and WORLD_SIZE must be numbers as torchrun gives them: got '{rank}' and '{count}'")
    return Ranks(int(rank), int(count))


@contextlib.contextmanager
def joined(ranks: Ranks, store: str = "env://") -> Iterator[None]:
    """Runs a block in which the processes can talk, over gloo, and NCCL between NVIDIA's accelerators.

    Args:
        ranks: this process's place among them.
        store: where they meet, as `torch.distributed` has it; as `torchrun` says, if left out.

    Raises:
        GradlabError: they do not meet.
    """
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    with _told():
        dist.init_process_group(
            backend, init_method=store, rank=ranks.rank, world_size=ranks.count, timeout=PATIENCE
        )  # fmt: skip
    try:
        yield
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # gloo's own errors name a file and a line of its source
        raise GradlabError(f"another process of this run has gone ({type(error).__name__}); what was saved can be "
                           "resumed") from error  # fmt: skip
