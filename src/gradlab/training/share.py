"""One process's share in the training of one seed."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from gradlab import rng
from gradlab.objectives import from_all_processes
from gradlab.training.signals import EXIT_CODES, Stop
from gradlab.training.solo import Solo
from gradlab.training.task import Task


class Share(Solo):
    """A learner of one seed whose steps are made by several processes, each with its share of the batch.

    Gradients are averaged in one message a step, and batch norm takes the statistics of the joint batch, so that the
    steps are those of one process with the joint batch, up to rounding. Networks that draw random numbers draw other
    ones in each process: their results are as good, but not those of one process.

    Args:
        task: the arm; its place tells which process this is, and its `stop` is what all processes have agreed on.
        seed: of this replica.
        heard: whether somebody asked this process to stop.
    """

    def __init__(self, task: Task, seed: int, heard: Stop) -> None:
        super().__init__(task, seed)
        self._heard = heard
        self._ranks = task.place.ranks

    def _start_draws(self, number: int) -> None:
        rng.start_step(self.seeds[0], number * self._ranks.count + self._ranks.rank)

    def _forward(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        with JointStatistics():
            return super()._forward(inputs, targets)

    def _sums(self, loss: Tensor, metrics: dict[str, Tensor], samples: int) -> dict[str, float]:
        """The joint batch's sums; a signal that any process heard travels with them, so that all stop at this step."""
        heard = [float(self._heard.signal_number == number) for number in EXIT_CODES]
        own = super()._sums(loss, metrics, samples)
        joint = self._ranks.summed([*own.values(), *heard])
        for number, asked in zip(EXIT_CODES, joint[-len(heard) :], strict=True):
            if asked:
                self._task.place.stop.request(number)
        return dict(zip(own, joint, strict=False))

    def _share_gradients(self) -> None:
        self._ranks.average([parameter.grad for parameter in self._parameters if parameter.grad is not None])


class JointStatistics(TorchFunctionMode):
    """A context in which batch norm, wherever it is called, takes the statistics of all processes' batches.

    `torch.nn.SyncBatchNorm` does the same on GPUs alone.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Calls the function, or `joint_batch_norm` for a batch norm that trains."""
        kwargs = kwargs or {}
        if func is F.batch_norm and kwargs.get("training", args[5] if len(args) > 5 else False):
            return joint_batch_norm(*args, **kwargs)
        return func(*args, **kwargs)


def joint_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`torch.nn.functional.batch_norm` of the joint batch, of which every process gets its part.

    Args:
        input: [batch, channels, ...], of the same size in every process.
        running_mean: [channels], moved towards the joint batch's.
        running_var: [channels], moved towards the joint batch's, without bias.
        weight: [channels], what normalised numbers are multiplied by.
        bias: [channels], what is added to them.
        training: True; evaluation needs no other process.
        momentum: how far the running statistics move.
        eps: added to variances.

    Source: Ioffe and Szegedy 2015, "Batch normalization", algorithm 1.
    """
    assert training
    wide = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
    made, mean, variance, numbers = _JointNorm.apply(wide, weight, bias, eps)  # pyright: ignore[reportGeneralTypeIssues]
    if running_mean is not None and running_var is not None:
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(variance * (numbers / max(numbers - 1, 1)), momentum)
    return made.to(input.dtype)


class _JointNorm(torch.autograd.Function):
    """Torch's own passes of batch norm, with statistics and sums of slopes that the processes tell each other between.

    Put together from differentiable steps it took five times as long (LOG.md, "two processes, one seed").
    """

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, int]:
        means, variances = from_all_processes(
            torch.stack(torch.batch_norm_update_stats(input, None, None, 0.0))
        ).unbind(1)
        mean = means.mean(0)
        variance = (variances + (means - mean).square()).mean(0)
        made = torch.native_batch_norm(input, weight, bias, mean, variance, False, 0.0, eps)[0]
        ctx.save_for_backward(input, weight, mean, variance)
        ctx.eps, ctx.biased, ctx.numbers = eps, bias is not None, input.numel() // input.shape[1] * len(means)
        ctx.mark_non_differentiable(mean, variance)
        return made, mean, variance, ctx.numbers

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        input, weight, mean, variance = ctx.saved_tensors
        inverse = (variance + ctx.eps).rsqrt()
        # As if the statistics were constants; what flows back through them is added below.
        slope, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            slopes[0], input, weight, mean, variance, mean, inverse, False, ctx.eps, [True, True, True]
        )
        means = torch.stack([of_weight, of_bias])
        dist.all_reduce(means)
        means /= ctx.numbers
        scale = inverse if weight is None else inverse * weight
        of_input = -scale * inverse * means[0]
        shape = [1, -1, *[1] * (input.ndim - 2)]
        slope.addcmul_(input, of_input.view(shape)).sub_((scale * means[1] + of_input * mean).view(shape))
        return slope, None if weight is None else of_weight, of_bias if ctx.biased else None, None
