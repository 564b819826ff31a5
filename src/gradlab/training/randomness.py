"""Which networks draw random numbers in their forward pass, and what cannot be stacked."""

import torch
from torch import nn

ELEMENT_WISE = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad)
"""Optimisers of torch's whose step of a number looks at that number's own gradients alone."""


def draws_randomness(model: nn.Module) -> bool:
    """Whether a network draws random numbers while it trains: dropout that is switched on, or sampling.

    A class of modules that samples says so with the class attribute `draws_randomness = True`.
    """
    return any(_draws(module) for module in model.modules())


def why_not_stacked(model: nn.Module, optimizer: torch.optim.Optimizer) -> str | None:
    """Why replicas cannot share one stack, as a noun and what it does; None where they can.

    An optimiser of one's own that steps a stack as it would each replica says so with `keeps_replicas_apart = True`,
    and so does a class of modules that draws by `nn.standard_normal` alone.
    """
    if any(_draws(module) and not _keeps_apart(module) for module in model.modules()):
        return "the model's random draws (dropout, sampling), which a stack cannot keep apart"
    if any(isinstance(module, nn.RNNBase) for module in model.modules()):
        return "torch's recurrent layers, which cannot be batched over weights"
    if type(optimizer) not in ELEMENT_WISE and not _keeps_apart(optimizer):
        return f"the optimiser {type(optimizer).__name__}, which may look at whole tensors and would mix the seeds"
    return None


def _keeps_apart(part: object) -> bool:
    return getattr(part, "keeps_replicas_apart", False) is True


def _draws(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    # These call the dropout function themselves, without a dropout module.
    if isinstance(module, (nn.MultiheadAttention, nn.RNNBase)):
        return module.dropout > 0
    return isinstance(module, nn.RReLU) or getattr(module, "draws_randomness", False) is True
