"""Images as sequences of patches."""

from torch import Tensor


def img_to_patch(x: Tensor, patch_size: int, flatten_channels: bool = True) -> Tensor:
    """The square patches of images, left to right and top to bottom.

    Args:
        x: images [batch, channels, height, width].
        patch_size: height and width of a patch in pixels; divides both sides of the images.
        flatten_channels: makes each patch one vector, channel by channel, each row by row.

    Returns:
        [batch, patches, channels * patch_size**2], or [batch, patches, channels, patch_size, patch_size] for
        `flatten_channels=False`.

    Raises:
        ValueError: the patch does not divide the sides of the images.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words", figure 1; handbook, practical 3, part 1.
    """
    batch, channels, height, width = x.shape
    if patch_size < 1 or height % patch_size or width % patch_size:
        raise ValueError(f"patch must divide the image sides: got patch {patch_size}, image {height}x{width}")
    rows, columns = height // patch_size, width // patch_size
    grid = x.reshape(batch, channels, rows, patch_size, columns, patch_size)
    patches = grid.permute(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, channels, patch_size, patch_size)
    return patches.flatten(2) if flatten_channels else patches
