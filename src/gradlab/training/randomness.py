"""Which networks draw random numbers in their forward pass, and which cannot be stacked."""

from torch import nn


def draws_randomness(model: nn.Module) -> bool:
    """Whether a network draws random numbers while it trains: dropout that is switched on, or sampling.

    A class of modules that samples says so with the class attribute `draws_randomness = True`.
    """
    return any(_draws(module) for module in model.modules())


def why_not_stacked(model: nn.Module) -> str | None:
    """Why replicas of a network cannot share one stack, as the end of a sentence; None where they can."""
    if draws_randomness(model):
        return "random draws (dropout, sampling), which a stack cannot keep apart"
    if any(isinstance(module, nn.RNNBase) for module in model.modules()):
        return "torch's recurrent layers, which cannot be batched over weights"
    return None


def _draws(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    # These call the dropout function themselves, without a dropout module.
    if isinstance(module, (nn.MultiheadAttention, nn.RNNBase)):
        return module.dropout > 0
    return isinstance(module, nn.RReLU) or getattr(module, "draws_randomness", False) is True
