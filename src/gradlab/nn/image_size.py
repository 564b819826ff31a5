"""Whether a batch of images fits a network."""

from torch import Tensor


def check_images(images: Tensor, network: str, *, channels: int, smallest_side: int = 1) -> None:
    """Lets images [batch, `channels`, height, width] pass whose sides are at least `smallest_side`.

    Raises:
        ValueError: they have other axes, other channels or smaller sides.
    """
    found = "x".join(map(str, images.shape))
    if images.ndim != 4:
        raise ValueError(f"{network} takes images [batch, channels, height, width]: got {found}")
    if images.shape[1] != channels:
        raise ValueError(f"{network} takes images of {channels} channels: got {images.shape[1]}")
    if min(images.shape[2:]) < smallest_side:
        sides = "x".join(map(str, images.shape[2:]))
        raise ValueError(f"{network} needs images of at least {smallest_side}x{smallest_side}: got {sides}")
