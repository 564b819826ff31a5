"""The training error of an epoch.

Training adds up statistics batch by batch. Write `running_error(logits, labels)` for two lists, a tensor
[batch, classes] and a tensor [batch] (int64) for each batch: the share of wrong predictions among all samples of all
batches in per cent, a Python float. The predicted class has the largest logit. The last batch may be smaller.
"""

from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "slides: track training error (which counts a full batch even where the last one is shorter)"
HINTS = (
    "Two running numbers: samples that were right, and samples seen. Divide once, at the end.",
    "The class is `logits.argmax(dim=1)`; the number of samples is `len(labels)`, which differs in the last batch.",
    "`right += (scores.argmax(1) == y).sum().item()`, `seen += len(y)`, then `100 * (1 - right / seen)`.",
)


def running_error(logits: list[Tensor], labels: list[Tensor]) -> float:
    """Returns the share of wrong predictions in per cent, in [0, 100].

    Args:
        logits: [batch, classes] for each batch.
        labels: [batch] for each batch (int64).
    """
    ### BEGIN SOLUTION
    right, seen = 0, 0
    for scores, truth in zip(logits, labels, strict=True):
        right += int((scores.argmax(dim=1) == truth).sum())
        seen += len(truth)
    return 100 * (1 - right / seen)
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    batch, last, classes = draw.size(4, 6), draw.size(1, 3), draw.size(3, 5)
    sizes = [batch] * draw.size(2, 4) + [last]
    logits = [draw.normal(size, classes) for size in sizes]
    labels = [scores.argmax(1) for scores in logits]
    labels[0][0] = (labels[0][0] + 1) % classes
    labels[-1][0] = (labels[-1][0] + 1) % classes
    return {"logits": logits, "labels": labels}


def _right(logits: list[Tensor], labels: list[Tensor]) -> list[int]:
    return [int((scores.argmax(1) == truth).sum()) for scores, truth in zip(logits, labels, strict=True)]


def _seen(labels: list[Tensor]) -> int:
    return sum(map(len, labels))


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "every batch counts as a full one",
            "The last batch is smaller: add `len(labels)` of each batch.",
            lambda x, y: 100 * (1 - sum(_right(x, y)) / (len(y) * len(y[0]))),
        ),
        Fault(
            "the batches' errors are averaged",
            "A small batch would weigh as much as a full one: add up samples, divide once.",
            lambda x, y: sum(100 * (1 - r / len(t)) for r, t in zip(_right(x, y), y, strict=True)) / len(y),
        ),
        Fault(
            "the accuracy instead of the error",
            "Wrong predictions are asked for: 1 - right / seen.",
            lambda x, y: 100 * sum(_right(x, y)) / _seen(y),
        ),
        Fault("a share instead of per cent", "Per cent are asked for.", lambda x, y: 1 - sum(_right(x, y)) / _seen(y)),
        Fault(
            "only the last batch counts",
            "The numbers run over all batches: `+=`, and set to 0 before the loop only.",
            lambda x, y: 100 * (1 - _right(x, y)[-1] / len(y[-1])),
        ),
        Fault(
            "the last batch is left out",
            "Samples of a short batch count as well.",
            lambda x, y: 100 * (1 - sum(_right(x, y)[:-1]) / _seen(y[:-1])),
        ),
        Fault(
            "the smallest logit is taken",
            "The predicted class has the largest logit.",
            lambda x, y: 100 * (1 - sum(_right([-s for s in x], y)) / _seen(y)),
        ),
        Fault(
            "the number of wrong predictions",
            "Divide by the number of samples.",
            lambda x, y: float(_seen(y) - sum(_right(x, y))),
        ),
        Fault(
            "divided by the number of batches",
            "Divide by the number of samples.",
            lambda x, y: 100 * (1 - sum(_right(x, y)) / len(y)),
        ),
        Fault(
            "the right samples of the last batch over all samples",
            "Add up the right ones over all batches, not the samples only.",
            lambda x, y: 100 * (1 - _right(x, y)[-1] / _seen(y)),
        ),
    ),
)
