"""LeNet as the slides draw it: two convolutions, two linear layers."""

from torch import Tensor, nn
from torch.nn import functional as F

KERNEL_SIZE = 5
SMALLEST_SIDE = 16


class LeNet(nn.Module):
    """Two 5x5 convolutions with 2x2 max pooling, then two linear layers, ReLU throughout.

    Args:
        image_size: height and width of the square images, at least 16.
        in_channels: channels of the images.
        num_classes: number of classes.
        filters: filters of the first and the second convolution.
        hidden_units: units of the hidden linear layer.

    Source: the slides, "LeNet"; after LeCun et al. 1998, "Gradient-based learning applied to document recognition".
    Differs from the paper: ReLU for scaled tanh, max pooling for trainable subsampling, full connections between the
    convolutions, a linear output layer for radial basis functions.

    Raises:
        ValueError: the images are too small for two convolutions and poolings.
    """

    def __init__(
        self,
        image_size: int = 28,
        in_channels: int = 1,
        num_classes: int = 10,
        filters: tuple[int, int] = (20, 50),
        hidden_units: int = 500,
    ) -> None:
        super().__init__()
        if image_size < SMALLEST_SIDE:
            raise ValueError(f"LeNet needs images of at least {SMALLEST_SIDE}x{SMALLEST_SIDE}: got {image_size}")
        side = _side_after(_side_after(image_size))
        self.conv1 = nn.Conv2d(in_channels, filters[0], KERNEL_SIZE)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(filters[0], filters[1], KERNEL_SIZE)
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(filters[1] * side * side, hidden_units)
        self.fc2 = nn.Linear(hidden_units, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width]."""
        features = self.pool1(F.relu(self.conv1(images)))
        features = self.pool2(F.relu(self.conv2(features)))
        hidden = F.relu(self.fc1(features.flatten(1)))
        return self.fc2(hidden)


def _side_after(side: int) -> int:
    return (side - KERNEL_SIZE + 1) // 2
