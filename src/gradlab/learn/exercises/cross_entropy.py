"""Cross-entropy from logits.

Write `cross_entropy(logits, labels)` for logits [batch, classes] and labels [batch] (int64): the mean over the batch of
minus the logarithm of the probability that softmax gives to the right class. It must be right for logits of 1000, too:
log softmax(x)[k] = x[k] - log(sum of exp(x)), and the last term can be computed without overflow.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: the criterion; cheat-sheet: CrossEntropyLoss takes logits"
WITHOUT = ("cross_entropy", "CrossEntropyLoss", "nll_loss", "NLLLoss", "log_softmax", "LogSoftmax", "softmax")
HINTS = (
    "For each sample you need two numbers: the logit of its class and the log of the sum of exponentials.",
    "`logits.logsumexp(dim=1)` does not overflow; `logits[torch.arange(batch), labels]` picks one logit a row.",
    "`(logits.logsumexp(1) - logits[torch.arange(len(labels)), labels]).mean()`.",
)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean loss in nats, one number.

    Args:
        logits: [batch, classes].
        labels: the right classes [batch] (int64).
    """
    ### BEGIN SOLUTION
    right = logits[torch.arange(len(labels)), labels]
    return (logits.logsumexp(dim=1) - right).mean()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    batch = draw.size(2, 5)
    classes = batch if draw.case == 1 else draw.size(3, 6)
    scale = 500.0 if draw.case in (2, 4) else 1.0
    return {"logits": draw.normal(batch, classes) * scale, "labels": draw.labels(batch, min(batch, classes))}


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]


def _naive(logits: Tensor, labels: Tensor) -> Tensor:
    probabilities = logits.exp() / logits.exp().sum(1, keepdim=True)
    return -probabilities.gather(1, labels[:, None]).log().mean()


CHECK = Check(
    case=_case,
    faults=(
        Fault("large logits give nan or inf", "exp overflows: use `logsumexp`, or take the largest logit off.", _naive),
        Fault("the sum instead of the mean", "Divide by the number of samples.", lambda x, y: _losses(x, y).sum()),
        Fault("one loss for each sample is returned", "The mean over the batch is one number.", _losses),
        Fault("the sign is flipped", "A loss is positive: minus the logarithm.", lambda x, y: -_losses(x, y).mean()),
        Fault(
            "the exponentials are summed over the batch",
            "The classes of one sample compete: sum along axis 1.",
            lambda x, y: (x.logsumexp(0)[y] - x.gather(1, y[:, None])[:, 0]).mean(),
        ),
        Fault(
            "the exponentials are summed over the whole batch",
            "Each row is normalised by itself.",
            lambda x, y: (x.exp().sum().log() - x.gather(1, y[:, None])).mean(),
        ),
        Fault(
            "every class counts instead of the right one",
            "Only the logit of the right class is taken off.",
            lambda x, y: (x.logsumexp(1, keepdim=True) - x).mean(),
        ),
        Fault(
            "every row meets every label",
            "`logits[:, labels]` picks all labels from all rows: pair row i with label i.",
            lambda x, y: (x.logsumexp(1, keepdim=True) - x[:, y]).mean(),
        ),
        Fault(
            "the logits are not normalised",
            "The log of the sum of exponentials is missing.",
            lambda x, y: -x.gather(1, y[:, None]).mean(),
        ),
        Fault(
            "the probability instead of its logarithm",
            "The loss is minus the logarithm of the probability.",
            lambda x, y: -(-_losses(x, y)).exp().mean(),
        ),
        Fault(
            "the softmax is applied twice",
            "The logits become probabilities once.",
            lambda x, y: _losses(x.softmax(1), y).mean(),
        ),
        Fault(
            "the logarithm is taken of the mean probability",
            "First the logarithm of each sample, then the mean.",
            lambda x, y: -(-_losses(x, y)).exp().mean().log(),
        ),
    ),
)
