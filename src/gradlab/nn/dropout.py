"""Dropout whose draws cost a CPU a seventh of torch's."""

import torch
from torch import Tensor, nn
from torch._C._functorch import is_functorch_wrapped_tensor

FEW = 1024
"""Fewer numbers than these are drawn for as fast by torch."""
STEPS = 2**16
"""Of so many equally likely draws a number is dropped at some."""


class Dropout(nn.Dropout):
    """Drops each number with probability p while training, and scales the others so that the mean stays.

    On CPUs every 64 random bits decide on four numbers, so p is rounded to a multiple of 1/65,536, and what is kept is
    scaled by that p. Torch draws number by number, which was a fifth of a vision transformer's step (LOG.md, "dropout,
    four draws to a word"). Elsewhere, for a few numbers and under `vmap` it is torch's own.

    Source: Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting".

    Raises:
        ValueError: p is no probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The input, with some numbers zero and the others larger while training."""
        dropped = round(self.p * STEPS)
        if not self.training or self.inplace or not 0 < dropped < STEPS or not _pays(input):
            return super().forward(input)
        words = torch.randint(-(2**63), 2**63 - 1, (-(-input.numel() // 4),), device=input.device)
        kept = words.view(torch.int16).ge_(dropped - STEPS // 2)[: input.numel()].view(input.shape)
        return input * kept.to(input.dtype).mul_(STEPS / (STEPS - dropped))


def _pays(input: Tensor) -> bool:
    replicas = not torch.compiler.is_compiling() and is_functorch_wrapped_tensor(input)
    return input.device.type == "cpu" and input.is_floating_point() and input.numel() >= FEW and not replicas
