"""Bytes to floats, and what two or more transforms ask of colours."""

import torch
from torch import Tensor

GREY = (0.2989, 0.587, 0.114)
"""What red, green and blue add to brightness: ITU-R BT.601, rounded as torchvision rounds it."""


def to_floats(images: Tensor, dtype: torch.dtype) -> Tensor:
    """The images as floats of `dtype`: bytes become shares of 255, floats keep their values."""
    return images.to(dtype) / 255 if images.dtype == torch.uint8 else images.to(dtype)


def check_colours(channels: int) -> None:
    """Raises ValueError unless so many channels are colours: three for red, green and blue, or one for grey."""
    if channels not in (1, 3):
        raise ValueError(f"colours need 1 or 3 channels: got {channels}; leave the colour transforms out")


def grey(images: Tensor) -> Tensor:
    """The brightness of float images [batch, 1 or 3, height, width], as [batch, 1, height, width].

    Raises:
        ValueError: the images have neither one channel nor three.
    """
    check_colours(images.shape[1])
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return torch.mul(red, GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])


def shift_hue(images: Tensor, turns: Tensor) -> Tensor:
    """The float images [batch, 1 or 3, height, width] with each one's hues turned around the colour wheel.

    Brightest and darkest channel of a pixel, thus value and saturation, stay. One channel has no hue and stays.

    Args:
        images: in [0, 1].
        turns: [batch], whole turns; 1/3 makes red green.

    Raises:
        ValueError: the images have neither one channel nor three.

    Source: Smith 1978, "Color gamut transform pairs", written without its six cases.
    """
    check_colours(images.shape[1])
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    top, bottom = images.amax(1), images.amin(1)
    chroma = top - bottom
    # From red, the hue's way round the wheel is as long as red is away from the top and the others from the bottom, and
    # goes to green's side where there is more green than blue. Comparing pixel by pixel would cost more than the rest.
    way = ((top - red).add_(green - bottom).add_(blue - bottom)).div_(chroma.clamp(min=torch.finfo(images.dtype).tiny))
    hue = torch.copysign(way, green - blue).div_(6).add_(turns.view(-1, 1, 1))
    sixths = hue.sub_(hue.floor()).mul_(6)
    shares = (sixths - 3).abs_() - 1, 2 - (sixths - 2).abs_(), 2 - (sixths - 4).abs_()
    return torch.stack([torch.addcmul(bottom, chroma, share.clamp_(0, 1)) for share in shares], dim=1)
