"""Which way several seeds are trained, and with how many threads."""

import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from gradlab.errors import UsageError, unknown
from gradlab.records.environment import available_cores
from gradlab.training.processes import forking_works, waves_of
from gradlab.training.randomness import why_not_stacked
from gradlab.training.task import Place

Together = Literal["auto", "processes", "stacked", "in a row"]
WAYS: tuple[Together, ...] = ("auto", "processes", "stacked", "in a row")
SEEDS_A_CORE, FEW_CORES = 2, 2
"""With so many seeds a core and so few cores, one stack with small steps is ahead of processes (LOG.md, "stacks of
small networks"): with four seeds it makes 1.8 times as many steps as one seed after the other, or more."""


@dataclass(frozen=True, slots=True)
class Way:
    """How seeds run together, and why, in one line; in processes also how many of them in each wave."""

    name: Together
    reason: str
    waves: tuple[int, ...] = ()


def choose_way(
    together: str,
    place: Place,
    seeds: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    small_steps: bool = False,
) -> Way:
    """The way in which `seeds` replicas of a model are trained.

    The choice depends on the device, the model, the optimiser, the number of seeds and of cores, and on whether a stack
    has small steps (see `has_small_steps`), never on a timing, so that the same command gives the same bits.

    Raises:
        UsageError: the name is unknown, or the way is impossible here.
    """
    if together not in WAYS:
        raise unknown("way to train seeds together", together, WAYS)
    on_cpu = torch.device(place.device).type == "cpu"
    if together == "processes" and not (on_cpu and forking_works()):
        raise UsageError("processes need a CPU and a system that forks (Linux): use --together stacked")
    if together == "processes" and place.threads > 1:
        raise UsageError(f"processes use one thread each: got --threads {place.threads}; use --together 'in a row'")
    if place.ranks.count > 1:
        if together not in ("auto", "in a row"):
            raise UsageError(f"{place.ranks.count} processes train one seed after another: leave out --together")
        return Way("in a row", f"{place.ranks.count} processes train each seed together")
    waves = waves_of(seeds, place.workers or available_cores())
    if together != "auto":
        return Way(together, "as asked", waves if together == "processes" else ())
    return _best_way(place, seeds, waves, why_not_stacked(model, optimizer), small_steps=small_steps)


def _best_way(place: Place, seeds: int, waves: tuple[int, ...], obstacle: str | None, *, small_steps: bool) -> Way:
    if seeds == 1:
        return Way("in a row", "one seed")
    if torch.device(place.device).type != "cpu":
        if obstacle is None:
            return Way("stacked", "an accelerator is used best by one stack of all seeds")
        return Way("in a row", f"no stack for {obstacle}")
    if place.threads > 1:
        # OpenMP's threads do not survive a fork: a forked process would wait for them for ever.
        return Way("in a row", f"{place.threads} threads were asked for, and processes use one each")
    return _best_on_cpu(seeds, waves, one_stack=small_steps and obstacle is None)


def _best_on_cpu(seeds: int, waves: tuple[int, ...], *, one_stack: bool) -> Way:
    cores = available_cores()
    if one_stack and cores <= FEW_CORES and seeds >= SEEDS_A_CORE * cores:
        return Way("stacked", f"small steps of {seeds} seeds on few cores: fastest in one stack")
    if forking_works():
        return Way("processes", "1 thread each; fastest for several seeds on a CPU", waves)
    return Way("in a row", "this system cannot fork processes")


def oversubscribed(processes: int, threads: int) -> str | None:
    """A warning where more threads want to run than there are free cores, else None."""
    cores = available_cores()
    try:
        load = os.getloadavg()[0]
    except (OSError, AttributeError):  # no such number on Windows
        return None
    if threads > cores:
        return f"{threads} threads on {cores} cores: convolutions can become many times slower; use --threads {cores}"
    if threads > 1 and processes * threads + load > cores + 0.5:
        return (
            f"{processes} x {threads} threads on {cores} cores that already carry a load of {load:.1f}: "
            "several threads that wait for each other can become many times slower; use --threads 1"
        )
    if load > cores + 0.5:
        kept = "the only core" if cores == 1 else f"these {cores} cores"
        return f"other programs keep {kept} busy (load {load:.1f}): expect longer times"
    return None
