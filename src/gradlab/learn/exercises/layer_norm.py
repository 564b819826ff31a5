"""Layer normalisation.

Write `layer_norm(x, gamma, beta)` for x [..., features]: each vector of features is normalised by itself to mean 0 and
variance 1, then scaled by gamma and shifted by beta, both [features]. The variance divides by the number of features
(biased), and 1e-5 is added to it under the root.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 3: pre-layer normalisation; practical 1, part 2: normalisation"
WITHOUT = ("layer_norm", "LayerNorm", "native_layer_norm")
HINTS = (
    "Mean and variance run over the last axis and keep it, so that they broadcast.",
    "`x.var(-1, correction=0, keepdim=True)` is the biased variance.",
    "`gamma * (x - mean) / (var + 1e-5).sqrt() + beta`.",
)


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Returns the normalised x in its shape.

    Args:
        x: [..., features].
        gamma: scale [features].
        beta: shift [features].
    """
    ### BEGIN SOLUTION
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, correction=0, keepdim=True)
    return gamma * (x - mean) / (var + 1e-5).sqrt() + beta
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    features = draw.size(3, 5)
    lead = [(2,), (4,), (2, 3), (features,), (3, 2), (1, 4)][draw.case]
    scale = 0.01 if draw.case == 5 else 2.0
    return {
        "x": draw.normal(*lead, features) * scale + 1,
        "gamma": draw.normal(features),
        "beta": draw.normal(features),
    }


def _norm(x: Tensor, gamma: Tensor, beta: Tensor, axis: int | tuple[int, ...] = -1, correction: int = 0) -> Tensor:
    mean, var = x.mean(axis, keepdim=True), x.var(axis, correction=correction, keepdim=True)
    return gamma * (x - mean) / (var + 1e-5).sqrt() + beta


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    return x - x.mean(-1, keepdim=True), x.var(-1, correction=0, keepdim=True)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the variance is the unbiased one",
            "`correction=0` divides by the number of features.",
            lambda x, g, b: _norm(x, g, b, correction=1),
        ),
        Fault(
            "normalised over the batch",
            "That is batch norm: each vector by itself, the last axis.",
            lambda x, g, b: _norm(x, g, b, axis=0),
        ),
        Fault(
            "normalised over everything at once",
            "Each vector by itself: the last axis.",
            lambda x, g, b: _norm(x, g, b, axis=tuple(range(x.ndim))),
        ),
        Fault(
            "divided by the variance",
            "Divide by its square root.",
            lambda x, g, b: g * _parts(x)[0] / (_parts(x)[1] + 1e-5) + b,
        ),
        Fault(
            "the mean is not taken off",
            "Normalised numbers have mean 0.",
            lambda x, g, b: g * x / (_parts(x)[1] + 1e-5).sqrt() + b,
        ),
        Fault(
            "1e-5 is added outside the root",
            "sqrt(var + 1e-5).",
            lambda x, g, b: g * _parts(x)[0] / (_parts(x)[1].sqrt() + 1e-5) + b,
        ),
        Fault("1e-5 is missing", "sqrt(var + 1e-5).", lambda x, g, b: g * _parts(x)[0] / _parts(x)[1].sqrt() + b),
        Fault("gamma and beta are swapped", "gamma scales, beta shifts.", lambda x, g, b: _norm(x, b, g)),
        Fault("gamma is missing", "Multiply by gamma.", lambda x, g, b: _norm(x, g * 0 + 1, b)),
        Fault("beta is missing", "Add beta.", lambda x, g, b: _norm(x, g, b * 0)),
        Fault("beta is scaled by gamma", "Add beta after the scale.", lambda x, g, b: _norm(x, g, b * g)),
        Fault(
            "the second moment instead of the variance",
            "The variance is taken around the mean.",
            lambda x, g, b: g * _parts(x)[0] / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() + b,
        ),
    ),
)
