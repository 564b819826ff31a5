"""What a network is trained on that says something about every token of a sequence."""

from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives.classification import Measured

IGNORED = -100
"""The target of a token that does not count; torch's own choice."""


def token_classification(model: nn.Module, sequences: Tensor, targets: Tensor) -> Measured:
    """Cross entropy in nats, a mean over the tokens that count, and each sequence's share of right ones ("accuracy").

    Args:
        model: gives logits [batch, time, classes] or [batch x time, classes].
        sequences: [batch, time, ...].
        targets: int64 [batch, time]; a token whose target is `IGNORED` does not count.
    """
    logits = model(sequences).flatten(0, -2)
    counted = targets != IGNORED
    right = (logits.argmax(-1) == targets.flatten()).view_as(targets)
    loss = F.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED)
    return loss, {"accuracy": (right.sum(-1) / counted.sum(-1).clamp(min=1)).sum()}
