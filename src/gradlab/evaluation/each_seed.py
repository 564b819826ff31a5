"""The networks of several seeds measured at the same time, each on a core."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import nn

from gradlab.records.environment import available_cores

Found = TypeVar("Found")


def of_each_seed(models: Mapping[int, nn.Module], measure: Callable[[nn.Module], Found]) -> dict[int, Found]:
    """What a measurement finds of each seed's network, in the order of the seeds.

    On a processor as many networks are measured at a time as there are cores, if each is to compute with one thread;
    else one after the other. The bits are the same: what one network computes does not depend on the others.

    Args:
        models: seed -> network.
        measure: draws nothing from torch's global generator; is called from several threads, where autocast is the
            caller's and any other mode of torch, as that without slopes, is for it to set.
    """
    parameters = [parameter for model in models.values() for parameter in model.parameters()]
    on_cpu = all(parameter.device.type == "cpu" for parameter in parameters)
    at_once = min(len(models), available_cores()) if on_cpu and torch.get_num_threads() == 1 else 1
    if at_once <= 1:
        return {seed: measure(model) for seed, model in models.items()}
    # Threads begin without the settings of the one that starts them.
    autocast, dtype = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

    def alone(model: nn.Module) -> Found:
        torch.set_num_threads(1)
        with torch.autocast("cpu", dtype=dtype, enabled=autocast, cache_enabled=False):
            return measure(model)

    with ThreadPoolExecutor(at_once) as threads:
        return dict(zip(models, threads.map(alone, models.values()), strict=True))
