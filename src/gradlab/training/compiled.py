"""Whether a step's forward pass, loss and slopes are compiled, and the compiled pass."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._triton import has_triton

from gradlab.errors import UsageError, unknown
from gradlab.training.task import COMPILES, Place

Pass = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]
"""(inputs, targets) -> (loss, sums of further metrics)."""
BACKEND = "inductor"
EARNING_STEPS = 20_000
"""A minute of compiling is earned back after so many steps, if each gets 3 ms shorter: what an uncompiled step of some
twenty layers asks of the host beside a GPU. An estimate; no GPU has measured it."""
TRIES = 3
"""A CUDA graph is recorded in the second pass, and first replayed in the third."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """Whether steps are compiled, and why, in one line."""

    on: bool
    reason: str

    def told(self) -> str:
        """The line of a record or a report."""
        return f"{'on' if self.on else 'off'}: {self.reason}"


def choose_compilation(place: Place, steps: int) -> Compilation:
    """Whether the steps of one learner are compiled.

    The choice depends on the place and the number of steps, never on a timing, so that the same command gives the same
    bits. A compiler that was asked for and does not work is told in a warning.

    Raises:
        UsageError: the choice asked for is unknown or impossible.
    """
    if place.compile not in COMPILES:
        raise unknown("choice to compile", place.compile, COMPILES)
    asked = place.compile == "on"
    if place.compile == "off":
        return Compilation(on=False, reason="as asked")
    if place.ranks.count > 1:
        if asked:
            raise UsageError("processes that train one seed together do not compile: leave out --compile on")
        return Compilation(on=False, reason="processes that train one seed together talk within a step")
    if place.dry:
        return Compilation(on=False, reason="a dry run is too short")
    if not asked and (obstacle := _not_worth_it(place.device, steps)):
        return Compilation(on=False, reason=obstacle)
    if broken := why_not_compiled(place.device):
        if asked:
            warnings.warn(f"steps are not compiled: {broken}", stacklevel=2)
        return Compilation(on=False, reason=broken)
    return Compilation(on=True, reason="as asked" if asked else f"{steps:,} steps earn the time of compiling back")


def _not_worth_it(device: str, steps: int) -> str | None:
    kind = torch.device(device).type
    if kind == "cpu":
        return "on a CPU compiling takes longer than it saves"
    if kind != "cuda":
        return f"nobody has tried it on {kind}"
    if steps < EARNING_STEPS:
        return f"{steps:,} steps, fewer than the {EARNING_STEPS:,} that earn the time of compiling back"
    return None if has_triton() else "torch's compiler needs triton on a GPU, which is not there"


def why_not_compiled(device: str) -> str | None:
    """What a compiler says that does not work on a device, in one line; None where it works, tried on two numbers."""
    x = torch.ones(2, device=device, requires_grad=True)
    compiled = _compiled(lambda inputs, _targets: (inputs.sin().sum(), {}), device)

    def steps() -> None:
        compiled(x, x)[0].backward()

    return _failure(steps)


def compiled_for(forward: Pass, inputs: Tensor, device: str) -> Pass:
    """The pass compiled for batches of one shape; batches of other shapes (the last of an epoch) are not compiled.

    What an earlier call compiled is forgotten: torch keeps only a few versions of a function, one for each network.
    """
    torch.compiler.reset()
    shape, compiled = inputs.shape, _compiled(forward, device)

    def either(inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if inputs.shape != shape:
            return forward(inputs, targets)
        torch.compiler.cudagraph_mark_step_begin()
        return compiled(inputs, targets)

    return either


def tried(step: Callable[[], Tensor], parameters: Iterable[Tensor], buffers: Iterable[Tensor]) -> bool:
    """Whether a compiled pass and its slopes work; says in a warning what the compiler said if not.

    Numbers are as they were afterwards; what was compiled stays.

    Args:
        step: makes the pass and returns the loss.
        parameters: whose slopes are thrown away.
        buffers: what the pass may change.
    """
    buffers = list(buffers)
    before = [buffer.clone() for buffer in buffers]

    def passes() -> None:
        for _ in range(TRIES):
            step().backward()
            for parameter in parameters:
                parameter.grad = None

    failure = _failure(passes)
    for parameter in parameters:
        parameter.grad = None
    with torch.no_grad():
        for buffer, value in zip(buffers, before, strict=True):
            buffer.copy_(value)
    if failure:
        warnings.warn(f"steps are not compiled: {failure}", stacklevel=2)
    return failure is None


def named(device: str) -> str:
    """What compiles on a device, for the record of what can change bits."""
    return f"{BACKEND}, CUDA graphs asked for" if _options(device).get("triton.cudagraphs") else BACKEND


def _compiled(forward: Pass, device: str) -> Pass:
    return torch.compile(forward, backend=BACKEND, dynamic=False, options=_options(device) or None)


def _options(device: str) -> dict[str, Any]:
    """Dropout draws what it draws uncompiled; on a CPU no helper processes, which a fork would not inherit."""
    if BACKEND != "inductor":
        return {}
    kind = torch.device(device).type
    return {"fallback_random": True, **({"triton.cudagraphs": True} if kind == "cuda" else {"compile_threads": 1})}


def _failure(attempt: Callable[[], object]) -> str | None:
    """What the attempt failed with, in a line; what the compiler merely warns of is between it and torch."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attempt()
    except Exception as error:  # a compiler fails in as many ways as there are networks
        told = " ".join(str(error).split("\n")[:2]).strip()  # the second line often names what the first one wraps
        return f"the compiler failed ({type(error).__name__}: {told:.200})"
    return None
