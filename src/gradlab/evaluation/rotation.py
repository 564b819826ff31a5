"""What rotating the images does to a classifier."""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.augment import Transform
from gradlab.data import Images
from gradlab.evaluation.classification import predict_logits
from gradlab.evaluation.each_seed import of_each_seed
from gradlab.records import Row


def rotate(images: Tensor, degrees: float) -> Tensor:
    """The images turned about their centre, counter-clockwise for positive angles; what comes from outside is 0: black.

    A multiple of 90 degrees that keeps the images' shape moves whole pixels and keeps their type. Any other angle takes
    bytes or floats, interpolates bilinearly and returns floats on the scale [0, 1].

    Args:
        images: [batch, channels, height, width], uint8 in [0, 255] or floats in [0, 1].
        degrees: any finite angle; whole turns do not matter.

    Source: handbook, practical 2, part 2 (torchvision's `rotate` with bilinear interpolation).
    """
    quarters, rest = divmod(degrees % 360, 90)
    height, width = images.shape[-2:]
    if rest == 0 and (height == width or quarters % 2 == 0):
        return images.rot90(int(quarters), dims=(-2, -1))
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # Rows point down and both sides run from -1 to 1, so a picture that is not square mixes them by its shape.
    matrix = pixels.new_tensor([[cosine, -sine * height / width, 0.0], [sine * width / height, cosine, 0.0]])
    return _sampled(pixels, matrix.expand(len(images), 2, 3))


def rotate_each(images: Tensor, degrees: Tensor) -> Tensor:
    """Every image turned by an angle of its own, as `rotate` does, but always interpolated: floats on the scale [0, 1].

    Args:
        images: [batch, channels, height, width], uint8 in [0, 255] or floats in [0, 1].
        degrees: [batch], counter-clockwise.
    """
    height, width = images.shape[-2:]
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    radians = torch.deg2rad(degrees.to(pixels))
    cosine, sine, zero = radians.cos(), radians.sin(), torch.zeros_like(radians)
    rows = (
        torch.stack([cosine, -sine * height / width, zero], -1),
        torch.stack([sine * width / height, cosine, zero], -1),
    )
    return _sampled(pixels, torch.stack(rows, -2))


def turned(images: Images, generator: torch.Generator) -> Images:
    """Every image turned about its middle by an angle of its own, as bytes again.

    Args:
        images: of a split.
        generator: of the angles, which are uniform on the circle.
    """
    degrees = 360 * torch.rand(len(images), generator=generator)
    parts = [
        (255 * rotate_each(pixels, angles)).round().to(torch.uint8)
        for pixels, angles in zip(images.pixels.split(1000), degrees.split(1000), strict=True)
    ]
    return Images(torch.cat(parts), images.labels, images.classes)


def _sampled(pixels: Tensor, matrices: Tensor) -> Tensor:
    """Images read where [batch, 2, 3] send their pixels, at full precision: autocast would round the places."""
    with torch.autocast(pixels.device.type, enabled=False):
        grid = F.affine_grid(matrices, list(pixels.shape), align_corners=False)
        return F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def accuracy_over_rotation(
    models: Mapping[int, nn.Module],
    images: Images,
    prepare: Transform,
    angles: Sequence[int],
    *,
    split: str = "test",
) -> Iterator[Row]:
    """Yields a row for each angle and each seed's network: the share of right answers on the rotated images.

    Images are rotated before they are prepared, so that the corners are black whatever the normalisation.

    Args:
        models: seed -> network.
        images: the split.
        prepare: turns pixels into what the network takes.
        angles: in degrees, counter-clockwise.
        split: its name in the rows.
    """
    for angle in angles:
        rotated = rotate(images.pixels, angle)

        def accuracy(model: nn.Module, rotated: Tensor = rotated) -> float:
            right = predict_logits(model, rotated, prepare).argmax(1) == images.labels
            return right.double().mean().item()

        for seed, found in of_each_seed(models, accuracy).items():
            yield {"seed": seed, "split": split, "angle": angle, "accuracy": found}
