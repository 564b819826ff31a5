"""How well a network finds the other view of an image, on images that it was not trained on."""

import torch
from torch import Tensor, nn

from gradlab.augment import Transform
from gradlab.data import Images
from gradlab.errors import UsageError
from gradlab.evaluation.classification import EVALUATION_BATCH, predict_logits
from gradlab.objectives import alone, info_nce_loss, positive_positions, ranking

PAIRS = 256


def measure_contrastive(
    model: nn.Module, images: Images, views: Transform, *, temperature: float = 0.07, pairs: int = PAIRS
) -> dict[str, float]:
    """InfoNCE "loss" in nats, "top1_accuracy", "top5_accuracy" and "mean_position", means over views.

    All batches have `pairs` images, since finding one view among 512 is harder than among 272: images of a last batch
    with fewer are left out. The views are the same at every call.

    Args:
        model: gives features [2N, D] of the views of N images.
        images: the split.
        views: makes two views of each image, view v of image i at v * N + i.
        temperature: what cosines are divided by.
        pairs: images of a batch.

    Source: handbook, practical 5, part 1. Differs from the handbook: see above.

    Raises:
        UsageError: there are fewer images than pairs.
    """
    if len(images) < pairs:
        raise UsageError(f"views are found among those of {pairs} images: got {len(images)}")
    losses, found = [], []
    for start in range(0, len(images) - pairs + 1, pairs):
        made = said_of_views(model, images.pixels[start : start + pairs], views)
        with alone():
            losses.append(info_nce_loss(made, temperature).item())
            found.append(positive_positions(made))
    ranks = ranking(torch.cat(found))
    return {"loss": sum(losses) / len(losses), **{name: of.double().mean().item() for name, of in ranks.items()}}


def said_of_views(model: nn.Module, pixels: Tensor, views: Transform) -> Tensor:
    """What a network says of two views of each image, [2N, D], view v of image i at v * N + i, on the CPU.

    Args:
        model: gives features [2N, D] of the views of N images.
        pixels: [N, channels, height, width].
        views: makes two views of each image of a batch, the second ones after all first ones.
    """
    # The images go through in parts, and each part gives its first views before its second ones.
    parts = [predict_logits(model, part, views).chunk(2) for part in pixels.split(EVALUATION_BATCH)]
    return torch.cat([torch.cat(of_a_view) for of_a_view in zip(*parts, strict=True)])
