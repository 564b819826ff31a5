"""The handbook's two rows of augmentations: for contrastive learning, and the weaker one for labels from scratch."""

from collections.abc import Collection

from gradlab.augment.blur import GaussianBlur
from gradlab.augment.crop import RandomResizedCrop
from gradlab.augment.flip import RandomHorizontalFlip
from gradlab.augment.fused import FusedPipeline
from gradlab.augment.greyscale import RandomGrayscale
from gradlab.augment.jitter import ColorJitter
from gradlab.augment.normalize import Normalize
from gradlab.augment.pipeline import Transform

PARTS = ("flip", "crop", "colour", "grey", "blur")
"""What `simclr_augmentation` can leave out."""
CENTRE = ((0.5,), (0.5,))
"""Mean and deviation for every channel: views lie in [-1, 1]."""


def blur_size(size: int) -> int:
    """The side of the blur for images of `size` pixels: 3 at 32, as in the handbook, and 9 at 96, as in its model.

    Source: handbook, practical 5; tutorial 17 of the University of Amsterdam's course. The paper takes a tenth of the
    image's side.
    """
    return max(3, 2 * round((size / 10 - 1) / 2) + 1)


def simclr_augmentation(size: int = 32, *, leave_out: Collection[str] = ()) -> FusedPipeline:
    """One view for contrastive learning, of images [batch, 1 or 3, height, width]: bytes in, floats in [-1, 1] out.

    Args:
        size: side of a view, in pixels; without the crop a view is as large as its image.
        leave_out: any of "flip", "crop", "colour" (the jitter), "grey", "blur".

    Raises:
        ValueError: `leave_out` names something else.

    Source: handbook, practical 5; Chen et al. 2020, "A simple framework for contrastive learning", section 3.
    Differs from the paper: amounts of 0.5 and a hue of 0.1 instead of 0.8 and 0.2, crops from a quarter of the image
    instead of 8 % on, and a blur of every image instead of every other one, all as in the handbook.
    """
    if unknown := sorted(set(leave_out) - set(PARTS)):
        raise ValueError(f"leave_out takes {', '.join(PARTS)}: got {', '.join(unknown)}")
    parts: dict[str, Transform] = {
        "flip": RandomHorizontalFlip(),
        "crop": RandomResizedCrop(size, scale=(0.25, 1.0)),
        "colour": ColorJitter(0.5, 0.5, 0.5, 0.1, p=0.8),
        "grey": RandomGrayscale(0.2),
        "blur": GaussianBlur(blur_size(size)),
    }
    return FusedPipeline([*(part for name, part in parts.items() if name not in leave_out), Normalize(*CENTRE)])


def baseline_augmentation(size: int = 32) -> FusedPipeline:
    """The weaker augmentation for learning from labels alone: hardly cropped, no other colours, hardly blurred.

    Args:
        size: side of the output, in pixels.

    Source: handbook, practical 5, the supervised baseline.
    """
    return FusedPipeline(
        [
            RandomHorizontalFlip(),
            RandomResizedCrop(size, scale=(0.8, 1.0)),
            RandomGrayscale(0.2),
            GaussianBlur(blur_size(size), sigma=(0.1, 0.5)),
            Normalize(*CENTRE),
        ]
    )
