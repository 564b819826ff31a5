"""Binary cross-entropy from logits.

A binary classifier gives logits [batch]; sigmoid(logit) is its probability of class 1. Write
`binary_cross_entropy(logits, labels)` for labels 0 or 1 (float32, [batch]): the mean over the batch of

    - y log p - (1 - y) log (1 - p),    p = sigmoid(logit)

It must be right for logits of +-100 as well, where p rounds to 0 or 1 and its logarithm to minus infinity.
"""

from torch import Tensor
from torch.nn import functional

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: loss modules, BCEWithLogitsLoss"
WITHOUT = ("binary_cross_entropy_with_logits", "binary_cross_entropy", "BCEWithLogitsLoss", "BCELoss")
HINTS = (
    "log sigmoid(x) can be computed without computing sigmoid(x): `functional.logsigmoid`. And 1 - sigmoid(x)?",
    "1 - sigmoid(x) = sigmoid(-x), so the second logarithm is `logsigmoid(-logits)`.",
    "`-(labels * logsigmoid(logits) + (1 - labels) * logsigmoid(-logits)).mean()`.",
)


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Returns the mean loss, one number.

    Args:
        logits: [batch].
        labels: 0.0 or 1.0 [batch].
    """
    ### BEGIN SOLUTION
    terms = labels * functional.logsigmoid(logits) + (1 - labels) * functional.logsigmoid(-logits)
    return -terms.mean()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    count = draw.size(4, 8)
    logits = draw.normal(count) * (150.0 if draw.case in (2, 4) else 2.0)
    labels = draw.labels(count, 2).float()
    labels[0], labels[1] = 1.0, 0.0
    return {"logits": logits, "labels": labels}


def _naive(logits: Tensor, labels: Tensor) -> Tensor:
    p = logits.sigmoid()
    return -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()


def _terms(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.softplus(logits) - labels * logits


CHECK = Check(
    case=_case,
    faults=(
        Fault("large logits give nan or inf", "Take the logarithm of the sigmoid in one step: `logsigmoid`.", _naive),
        Fault("the sum instead of the mean", "Divide by the number of samples.", lambda x, y: _terms(x, y).sum()),
        Fault("one loss for each sample is returned", "The mean over the batch is asked for.", _terms),
        Fault("the sign is flipped", "A loss is positive: minus the logarithms.", lambda x, y: -_terms(x, y).mean()),
        Fault(
            "the term of class 0 is missing",
            "Samples of class 0 count with (1 - y) log(1 - p).",
            lambda x, y: -(y * functional.logsigmoid(x)).mean(),
        ),
        Fault(
            "the labels are swapped",
            "sigmoid(logit) is the probability of class 1.",
            lambda x, y: _terms(x, 1 - y).mean(),
        ),
        Fault(
            "the sigmoid is applied twice",
            "Either logits and `logsigmoid`, or probabilities: not both.",
            lambda x, y: _terms(x.sigmoid(), y).mean(),
        ),
        Fault(
            "the logits are taken for probabilities",
            "Logits are any numbers; the sigmoid makes probabilities of them.",
            lambda x, y: -(y * x.log() + (1 - y) * (1 - x).log()).mean(),
        ),
        Fault(
            "logarithm to the base 2", "The natural logarithm is meant.", lambda x, y: _terms(x, y).mean() / 0.6931472
        ),
        Fault(
            "the probabilities are clamped",
            "Clamping makes large losses too small: use `logsigmoid`.",
            lambda x, y: functional.binary_cross_entropy(x.sigmoid().clamp(1e-7, 1 - 1e-7), y),
        ),
        Fault(
            "squared error instead of cross-entropy",
            "Logarithms of probabilities are asked for.",
            lambda x, y: (x.sigmoid() - y).square().mean(),
        ),
    ),
)
