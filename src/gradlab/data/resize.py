"""Images of another size."""

import torch
from torch.nn import functional as F

from gradlab.data.images import Images, Splits


def resized(splits: Splits, side: int) -> Splits:
    """The splits with every image `side` x `side`, bilinear and antialiased, rounded to whole bytes.

    Splits of that size already are returned as they are. A published normalisation is kept, a computed one computed
    anew.

    Raises:
        ValueError: `side` is not positive.
    """
    if side < 1:
        raise ValueError(f"images need a side of at least 1: got {side}")
    if splits.shape[1:] == (side, side):
        return splits
    parts = {name: _resized(images, side) for name, images in splits.parts().items()}
    computed = splits.normalisation == splits.train.mean_and_std()
    return Splits(**parts, name=splits.name, normalisation=((), ()) if computed else splits.normalisation)


def _resized(images: Images, side: int) -> Images:
    chunks = [
        F.interpolate(chunk.float(), size=(side, side), mode="bilinear", antialias=True).round().to(torch.uint8)
        for chunk in images.pixels.split(1000)
    ]
    return Images(torch.cat(chunks), images.labels, images.classes, images.files)
