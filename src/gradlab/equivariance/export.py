"""A whole network over a group as one of plain convolutions."""

import copy

from torch import nn

from gradlab.equivariance.convolution import MovedKernelConvolution
from gradlab.equivariance.separable import SeparableGroupConvolution


def exported(network: nn.Module) -> nn.Module:
    """A copy of a network whose group convolutions are torch's own, with the numbers of now; the rest stays.

    In evaluation mode it gives the same bits. Trained further it would lose its equivariance, since nothing holds the
    moved copies of a kernel together any more.
    """
    return _replaced(copy.deepcopy(network))


def _replaced(module: nn.Module) -> nn.Module:
    if isinstance(module, MovedKernelConvolution | SeparableGroupConvolution):
        return module.export()
    for name, child in module.named_children():
        setattr(module, name, _replaced(child))
    return module
