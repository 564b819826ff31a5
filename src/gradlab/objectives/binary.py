"""What a network with one output is trained on to answer yes or no."""

from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.objectives.classification import Measured


def binary_classification(model: nn.Module, inputs: Tensor, labels: Tensor) -> Measured:
    """Binary cross entropy in nats over the logits, and how many samples are on the right side of 0 ("accuracy").

    Args:
        model: gives one logit a sample, [batch, 1] or [batch]; no sigmoid, which the loss holds already and which
            would round to 0 or 1 where a logit is large.
        inputs: [batch, ...].
        labels: 0 or 1, [batch].

    Source: handbook, introduction to PyTorch, "Loss modules".

    Raises:
        ValueError: the model gives another number of logits.
    """
    logits = model(inputs).flatten()
    if logits.shape != labels.shape:
        raise ValueError(f"binary_classification takes one logit a sample: got {len(logits)} for {len(labels)}")
    loss = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    return loss, {"accuracy": ((logits > 0) == (labels > 0)).sum()}
