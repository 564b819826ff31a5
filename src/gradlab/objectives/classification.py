"""What a classifier is trained on."""

from torch import Tensor, nn
from torch.nn import functional as F

Measured = tuple[Tensor, dict[str, Tensor]]
"""The loss, a mean over the batch, and further metrics, each a sum over the batch."""

IGNORED = -100
"""A label that torch's cross entropy leaves out of its mean."""


def classification(model: nn.Module, images: Tensor, labels: Tensor, *, label_smoothing: float = 0.0) -> Measured:
    """Cross entropy in nats over the logits, and how many images are classified right ("accuracy").

    Args:
        model: gives logits [batch, classes].
        images: [batch, ...].
        labels: int64 [batch].
        label_smoothing: the share of the target that all classes have equally, in [0, 1]; the loss is that of such
            targets (Szegedy et al. 2016, "Rethinking the Inception architecture for computer vision", section 7).
    """
    logits = model(images)
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing), {
        "accuracy": (logits.argmax(-1) == labels).sum()
    }


def classification_of_replicas(
    logits: Tensor, labels: Tensor, *, replicas: int, label_smoothing: float = 0.0
) -> Measured:
    """What `classification` gives of each replica's samples, from the logits of all: losses and metrics [replicas].

    Args:
        logits: [replicas x batch, classes], the samples of each replica one after another.
        labels: int64 [replicas x batch].
        replicas: how many.
        label_smoothing: as of `classification`.
    """
    losses = F.cross_entropy(logits, labels, label_smoothing=label_smoothing, reduction="none")
    counted = (labels != IGNORED).view(replicas, -1).sum(1)
    return losses.view(replicas, -1).sum(1) / counted, {
        "accuracy": (logits.argmax(-1) == labels).view(replicas, -1).sum(1)
    }


def mean_squared_error(model: nn.Module, images: Tensor, labels: Tensor) -> Measured:
    """The mean squared distance of the outputs from one-hot targets, and how many images are classified right.

    Source: the loss of LeCun et al. 1998's fully connected networks (the slides' table).
    """
    outputs = model(images)
    # A comparison instead of F.one_hot, whose output size depends on the data, which vmap does not allow.
    targets = (labels.unsqueeze(-1) == labels.new_tensor(range(outputs.shape[-1]))).to(outputs.dtype)
    return F.mse_loss(outputs, targets), {"accuracy": (outputs.argmax(-1) == labels).sum()}
