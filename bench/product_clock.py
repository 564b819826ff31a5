"""How long a training spends in products and convolutions, each timed by the clock as it is called."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = ("mm", "convolution", "scaled_dot_product", "linear_pointwise")
"""Parts of the names of operations that multiply and add; in `bmm`, `addmm` and `baddbmm` is the first one."""
ROUNDS = 5


class ProductClock(TorchDispatchMode):
    """A context that adds up the processor seconds of products and convolutions, those of backward passes too.

    It sees what torch records for its slopes: in inference mode whole layers would pass unseen. Each product is charged
    with a part of its call from Python, which weighs in small networks.

    torch's profiler would tell them as well, but what it notes takes the place of the step's freed tensors: the next
    ones lie in pages that the system clears first, which made a stack's slopes four times as long (LOG.md, 2026-11-30).
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.calls = 0.0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not any(part in func._schema.name for part in PRODUCTS):
            return func(*args, **(kwargs or {}))
        begin = time.process_time()
        result = func(*args, **(kwargs or {}))
        self.seconds += time.process_time() - begin
        self.calls += 1
        return result


def share_of_products(work: Callable[[], object]) -> float:
    """The share of its processor time that some work spends in products and convolutions; the median of some rounds.

    Each round does the work with and without the clock, one right after the other. It has been done once before.
    """
    shares = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        whole = time.process_time() - begin
        with ProductClock() as clock:
            work()
        shares.append(clock.seconds / whole)
    return statistics.median(shares)
