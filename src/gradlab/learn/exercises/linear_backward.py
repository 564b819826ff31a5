"""Backward through a linear layer.

A linear layer computes y = x W^T + b for x [batch, in], weight W [out, in] and bias b [out]. Given the gradient of the
loss with respect to y, [batch, out], write `linear_backward(x, weight, upstream)`, which returns the gradients with
respect to x, the weight and the bias, each in the shape of what it belongs to. No autograd here.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: autograd, the gradients of a product; cheat-sheet: vector-Jacobian products, F.linear"
WITHOUT = ("backward", "grad", "autograd", "requires_grad_", "vjp")
HINTS = (
    "Shapes nearly decide it: which product of `upstream` and what else has the shape of x, which that of W?",
    "The weight and the bias are shared by all samples, so their gradients sum over the batch.",
    "`upstream @ weight`, `upstream.T @ x`, `upstream.sum(0)`.",
)


def linear_backward(x: Tensor, weight: Tensor, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the gradients with respect to x [batch, in], weight [out, in] and bias [out].

    Args:
        x: input [batch, in].
        weight: [out, in].
        upstream: gradient with respect to the output [batch, out].
    """
    ### BEGIN SOLUTION
    return upstream @ weight, upstream.T @ x, upstream.sum(0)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    batch, inputs = draw.size(2, 5), draw.size(3, 5)
    outputs = inputs if draw.case in (1, 3) else inputs + 1
    if draw.case == 3:
        batch = inputs
    return {
        "x": draw.normal(batch, inputs),
        "weight": draw.normal(outputs, inputs),
        "upstream": draw.normal(batch, outputs),
    }


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the weight's gradient is transposed",
            "It has the shape of the weight, [out, in]: upstream^T x.",
            lambda x, w, g: (g @ w, x.T @ g, g.sum(0)),
        ),
        Fault(
            "the weight's gradient is averaged over the batch",
            "Sum over the samples; the loss has its mean in it already.",
            lambda x, w, g: (g @ w, g.T @ x / len(x), g.sum(0)),
        ),
        Fault(
            "the bias's gradient is averaged over the batch",
            "Sum over the samples; the loss has its mean in it already.",
            lambda x, w, g: (g @ w, g.T @ x, g.mean(0)),
        ),
        Fault(
            "weight and bias are averaged over the batch",
            "Sum over the samples; the loss has its mean in it already.",
            lambda x, w, g: (g @ w, g.T @ x / len(x), g.mean(0)),
        ),
        Fault(
            "the bias's gradient is not summed over the batch",
            "One bias serves all samples: [out], summed over axis 0.",
            lambda x, w, g: (g @ w, g.T @ x, g),
        ),
        Fault(
            "the bias's gradient is summed over the outputs",
            "Sum over the samples, axis 0: [out].",
            lambda x, w, g: (g @ w, g.T @ x, g.sum(1)),
        ),
        Fault(
            "the bias's gradient ignores the upstream gradient",
            "d y / d b = 1, times what comes from above.",
            lambda x, w, g: (g @ w, g.T @ x, g.new_full((g.shape[1],), len(g))),
        ),
        Fault(
            "the input's gradient does not use the upstream gradient",
            "The chain rule multiplies by what comes from above.",
            lambda x, w, g: (w.sum(0).expand_as(x), g.T @ x, g.sum(0)),
        ),
        Fault(
            "the gradients of input and weight are swapped",
            "The order is x, weight, bias.",
            lambda x, w, g: (g.T @ x, g @ w, g.sum(0)),
        ),
        Fault(
            "the forward pass is returned for the input",
            "The gradient of x has the shape of x: upstream times W.",
            lambda x, w, g: (x @ w.T, g.T @ x, g.sum(0)),
        ),
        Fault("the signs are flipped", "A gradient points uphill.", lambda x, w, g: (-g @ w, -g.T @ x, -g.sum(0))),
    ),
)
