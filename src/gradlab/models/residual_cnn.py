"""The plain residual network of the cheat-sheet."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from gradlab.nn import check_images


class ResidualBlock(nn.Module):
    """Convolution and batch norm with a shortcut around them, then ReLU and 2x2 max pooling, which halves the sides.

    Where the channels change, the shortcut is a 1x1 convolution.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: an odd number, so that the convolution keeps the sides.

    Source: handbook, cheat-sheet, "Convolutional layers".

    Raises:
        ValueError: the kernel has an even side.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"a kernel must have an odd side to keep the sides of the images: got {kernel_size}")
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=(kernel_size - 1) // 2)
        self.bn = nn.BatchNorm2d(out_channels)
        self.conv_identity = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        self.activation = nn.ReLU()
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Returns [batch, out_channels, height // 2, width // 2] for `x` [batch, in_channels, height, width]."""
        out = self.bn(self.conv(x))
        out = self.activation(out + self.conv_identity(x))
        return self.pool(out)


class ResidualCNN(nn.Module):
    """Residual blocks, each of which halves the sides, then one linear layer over all that is left.

    Args:
        image_size: height and width of the square images.
        in_channels: channels of the images.
        num_classes: number of classes.
        channels: output channels of each block.
        kernel_size: side of the convolutions, odd.

    Source: handbook, cheat-sheet, "Convolutional layers".

    Raises:
        ValueError: the images are too small for the blocks, or the kernel has an even side.
    """

    def __init__(
        self,
        image_size: int = 32,
        in_channels: int = 3,
        num_classes: int = 10,
        channels: Sequence[int] = (32, 64),
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        smallest = 2 ** len(channels)
        if image_size < smallest:
            raise ValueError(f"ResidualCNN needs images of at least {smallest}x{smallest}: got {image_size}")
        self.image_size = image_size
        self.in_channels = in_channels
        sizes = [in_channels, *channels]
        self.blocks = nn.Sequential(*(ResidualBlock(before, after, kernel_size) for before, after in pairwise(sizes)))
        self.fc = nn.Linear(sizes[-1] * (image_size // smallest) ** 2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels or sides.
        """
        check_images(x, "ResidualCNN", channels=self.in_channels)
        if x.shape[2:] != (self.image_size, self.image_size):
            sides = "x".join(map(str, x.shape[2:]))
            raise ValueError(f"ResidualCNN takes images of {self.image_size}x{self.image_size}: got {sides}")
        return self.fc(self.blocks(x).flatten(1))
