"""Batch normalisation.

Write `batch_norm(x, gamma, beta, running_mean, running_var, training, momentum)` for x [batch, features]. While
training each feature is normalised with its mean and its (biased) variance over the batch, otherwise with the running
ones: gamma (x - mean) / sqrt(var + 1e-5) + beta. Return the result, the new running mean and the new running variance:
running = (1 - momentum) running + momentum batch's, where the running variance takes the unbiased one, as torch does.
Outside training the running values come back as they are. Change nothing in place.
"""

from typing import Any

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: nn.BatchNorm1d; practical 1, part 2: normalisation"
WITHOUT = ("batch_norm", "BatchNorm1d", "native_batch_norm", "instance_norm")
HINTS = (
    "One mean and one variance a feature: over axis 0, the batch.",
    "Biased variance divides by the batch's size (`correction=0`), the unbiased one by one less.",
    "`mean, var = x.mean(0), x.var(0, correction=0)`; the running variance uses `x.var(0, correction=1)`.",
)


def batch_norm(
    x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor, training: bool, momentum: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the normalised x [batch, features] and the new running mean and variance [features].

    Args:
        x: [batch, features], at least two samples.
        gamma: scale [features].
        beta: shift [features].
        running_mean: [features].
        running_var: [features].
        training: whether the batch's own statistics count.
        momentum: weight of the new statistics.
    """
    ### BEGIN SOLUTION
    mean, var = running_mean, running_var
    if training:
        mean, var = x.mean(0), x.var(0, correction=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * x.var(0, correction=1)
    return gamma * (x - mean) / (var + 1e-5).sqrt() + beta, running_mean, running_var
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    batch, features = draw.size(3, 6), draw.size(2, 4)
    batch = features if draw.case == 3 else batch
    return {
        "x": draw.normal(batch, features) * 2 + 1,
        "gamma": draw.normal(features),
        "beta": draw.normal(features),
        "running_mean": draw.normal(features),
        "running_var": draw.uniform(features) + 0.5,
        "training": draw.case != 1,
        "momentum": draw.choice((0.1, 0.3, 0.2)),
    }


def _norm(
    x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor, training: bool, momentum: float,
    **switch: Any,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm with the switches used, kept (corrections of the variances), axis, root, use_batch and keep."""
    mean, var = running_mean, running_var
    axis = switch.get("axis", 0)
    if switch.get("use_batch", training):
        mean, var = x.mean(axis, keepdim=True), x.var(axis, correction=switch.get("used", 0), keepdim=True)
    if switch.get("keep", training):
        running_mean = (1 - momentum) * running_mean + momentum * x.mean(0)
        running_var = (1 - momentum) * running_var + momentum * x.var(0, correction=switch.get("kept", 1))
    scale = (var + 1e-5).sqrt() if switch.get("root", True) else var + 1e-5
    return gamma * (x - mean) / scale + beta, running_mean, running_var


def _in_place(
    x: Tensor, gamma: Tensor, beta: Tensor, running_mean: Tensor, running_var: Tensor, training: bool, momentum: float
) -> tuple[Tensor, Tensor, Tensor]:
    y, mean, var = _norm(x, gamma, beta, running_mean, running_var, training, momentum)
    return y, running_mean.copy_(mean), running_var.copy_(var)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the samples are normalised instead of the features",
            "That is layer norm: take statistics over axis 0.",
            lambda *g: _norm(*g, axis=1),
        ),
        Fault(
            "the batch is normalised with the unbiased variance",
            "`correction=0` for the batch itself.",
            lambda *g: _norm(*g, used=1),
        ),
        Fault(
            "the running variance takes the biased one",
            "`correction=1` for the running variance, as in torch.",
            lambda *g: _norm(*g, kept=0),
        ),
        Fault(
            "the variances are swapped",
            "Biased for the batch itself, unbiased for the running variance.",
            lambda *g: _norm(*g, used=1, kept=0),
        ),
        Fault("the square root is missing", "Divide by the standard deviation.", lambda *g: _norm(*g, root=False)),
        Fault(
            "the momentum weighs the old values",
            "(1 - momentum) times the old, momentum times the new.",
            lambda x, g, b, m, v, t, q: _norm(x, g, b, m, v, t, 1 - q),
        ),
        Fault(
            "the batch's statistics are used outside training",
            "Outside training the running ones count.",
            lambda *g: _norm(*g, use_batch=True),
        ),
        Fault(
            "the running statistics are used while training",
            "While training the batch's own count.",
            lambda *g: _norm(*g, use_batch=False),
        ),
        Fault(
            "the running statistics change outside training",
            "They come back as they are.",
            lambda *g: _norm(*g, keep=True),
        ),
        Fault(
            "the running statistics never change",
            "While training they move by momentum.",
            lambda *g: _norm(*g, keep=False),
        ),
        Fault("beta is missing", "Add beta after the scale.", lambda x, g, b, *rest: _norm(x, g, b * 0, *rest)),
        Fault("gamma is missing", "Multiply by gamma.", lambda x, g, b, *rest: _norm(x, g * 0 + 1, b, *rest)),
        Fault("the running values are changed in place", "Return new tensors.", _in_place),
    ),
)
