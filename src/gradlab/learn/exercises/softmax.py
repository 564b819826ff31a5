"""Softmax that does not overflow.

Turn logits [batch, classes] into probabilities of the same shape: the exponential of each logit, divided by the sum
of its row's exponentials. exp(100) is already infinite in float32, so logits of 1000 must work as well: softmax does
not change when the same number is taken off every logit of a row.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "cheat-sheet: nonlinearities, CrossEntropyLoss; slides: logistic regression"
WITHOUT = ("softmax", "log_softmax", "Softmax", "LogSoftmax", "softmin")
HINTS = (
    "Exponentials overflow for large logits only. Which number can you take off a row so that none is large?",
    "Take each row's largest logit off the row; then the exponentials lie in (0, 1].",
    "`x = logits - logits.max(dim=1, keepdim=True).values`, then `x.exp() / x.exp().sum(dim=1, keepdim=True)`.",
)


def softmax(logits: Tensor) -> Tensor:
    """Returns the probabilities [batch, classes] of logits [batch, classes]; each row adds to 1."""
    ### BEGIN SOLUTION
    exponentials = (logits - logits.max(dim=1, keepdim=True).values).exp()
    return exponentials / exponentials.sum(dim=1, keepdim=True)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    scale = 500.0 if draw.case in (2, 4) else 1.0
    return {"logits": draw.normal(draw.size(2, 5), draw.size(3, 6)) * scale}


def _over(logits: Tensor, *axes: int) -> Tensor:
    exponentials = (logits - logits.amax(dim=axes, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim=axes, keepdim=True)


def _unstable(logits: Tensor) -> Tensor:
    return logits.exp() / logits.exp().sum(dim=1, keepdim=True)


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "large logits overflow",
            "exp of a large logit is inf, and inf / inf is nan: take each row's largest logit off first.",
            _unstable,
        ),
        Fault(
            "the sum runs over the batch instead of the classes",
            "Each row is one sample and must add to 1: sum along axis 1.",
            lambda logits: _over(logits, 0),
        ),
        Fault(
            "the sum runs over the whole batch",
            "Each row must add to 1 by itself: sum along axis 1 and keep the axis.",
            lambda logits: _over(logits, 0, 1),
        ),
        Fault(
            "the largest logit is taken over the whole batch",
            "A row far below the batch's largest logit underflows to 0 / 0: take each row's own largest.",
            lambda logits: _unstable(logits - logits.max()),
        ),
        Fault(
            "the exponentials are not divided by their sum",
            "Probabilities add to 1: divide by the row's sum.",
            lambda logits: (logits - logits.max(dim=1, keepdim=True).values).exp(),
        ),
        Fault(
            "the logarithm of the probabilities is returned",
            "Probabilities are asked for, not their logarithms.",
            lambda logits: logits - logits.logsumexp(dim=1, keepdim=True),
        ),
        Fault(
            "the logits have the wrong sign",
            "The largest logit should get the largest probability.",
            lambda logits: _over(-logits, 1),
        ),
        Fault(
            "each class has its own sigmoid",
            "The classes compete: divide by the sum over all of them.",
            lambda logits: logits.sigmoid(),
        ),
        Fault(
            "the logits are divided without an exponential",
            "Logits may be negative: take exponentials before dividing by the sum.",
            lambda logits: logits / logits.sum(dim=1, keepdim=True),
        ),
    ),
)
