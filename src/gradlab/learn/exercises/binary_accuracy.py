"""Accuracy of a binary classifier.

Write `binary_accuracy(logits, labels)` for logits [batch] or [batch, 1] and labels 0 or 1, int64 [batch]: the share of
samples that are classified right, a Python float. A sample counts as class 1 where its probability sigmoid(logit) is
above one half.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practicals, introduction: evaluation, (true positives + true negatives) / all"
HINTS = (
    "For which logits is the sigmoid above one half? No sigmoid is needed.",
    "Logits [batch, 1] against labels [batch] broadcast to [batch, batch]: bring them to one shape first.",
    "`predicted = logits.reshape(-1) > 0`, then `(predicted == labels.bool()).float().mean().item()`.",
)


def binary_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Returns the share of right predictions, in [0, 1].

    Args:
        logits: [batch] or [batch, 1].
        labels: 0 or 1 [batch] (int64).
    """
    ### BEGIN SOLUTION
    predicted = logits.reshape(-1) > 0
    return (predicted == labels.bool()).float().mean().item()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, Tensor]:
    count = draw.size(5, 9)
    logits = draw.normal(count)
    logits[0], logits[1], logits[2] = 0.3, 0.9, -0.4
    labels = draw.labels(count, 2)
    labels[0], labels[1], labels[2] = 1, 1, 0
    return {"logits": logits[:, None] if draw.case % 2 else logits, "labels": labels}


def _rate(right: Tensor) -> float:
    return right.float().mean().item()


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "logits [batch, 1] are compared with every label",
            "They broadcast to [batch, batch]: flatten the logits.",
            lambda x, y: _rate((x > 0) == y.bool()),
        ),
        Fault(
            "the logits are compared with 0.5",
            "A probability of one half is a logit of 0.",
            lambda x, y: _rate((x.reshape(-1) > 0.5) == y.bool()),
        ),
        Fault(
            "the sigmoid is compared with 0",
            "A sigmoid is always above 0: compare it with 0.5, or the logit with 0.",
            lambda x, y: _rate((x.reshape(-1).sigmoid() > 0) == y.bool()),
        ),
        Fault(
            "the error rate instead of the accuracy",
            "Count the right predictions, not the wrong ones.",
            lambda x, y: _rate((x.reshape(-1) > 0) != y.bool()),
        ),
        Fault(
            "the count is not divided by the number of samples",
            "A share lies in [0, 1].",
            lambda x, y: float(((x.reshape(-1) > 0) == y.bool()).sum()),
        ),
        Fault(
            "only true positives are counted",
            "True negatives are right as well.",
            lambda x, y: _rate((x.reshape(-1) > 0) & y.bool()),
        ),
        Fault(
            "precision instead of accuracy",
            "Divide by all samples, not by those predicted as 1.",
            lambda x, y: float(((x.reshape(-1) > 0) & y.bool()).sum() / (x > 0).sum()),
        ),
        Fault(
            "recall instead of accuracy",
            "Divide by all samples, not by those of class 1.",
            lambda x, y: float(((x.reshape(-1) > 0) & y.bool()).sum() / y.sum()),
        ),
        Fault(
            "per cent instead of a share",
            "A share lies in [0, 1].",
            lambda x, y: 100 * _rate((x.reshape(-1) > 0) == y.bool()),
        ),
        Fault(
            "one truth value for each sample is returned",
            "The share of right samples is one number.",
            lambda x, y: (x.reshape(-1) > 0) == y.bool(),
        ),
        Fault(
            "only whether all are right is returned",
            "`torch.equal` and `all` say whether every sample is right.",
            lambda x, y: bool(((x.reshape(-1) > 0) == y.bool()).all()),
        ),
    ),
)
