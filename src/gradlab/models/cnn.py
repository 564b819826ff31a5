"""The plain twin of the handbook's group-equivariant network."""

from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.nn import check_images


class CNN(nn.Module):
    """Convolutions, each with layer norm and ReLU, the mean over the plane, a linear layer.

    No convolution is padded, so every one takes `kernel_size` - 1 off the sides.

    Args:
        in_channels: channels of the images.
        out_channels: number of classes.
        kernel_size: taps along a side.
        num_hidden: convolutions after the first.
        hidden_channels: channels of every convolution.

    Source: the handbook, practical 4, section 2.3.
    Differs from the handbook: a batch of one keeps its axis.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, num_hidden: int, hidden_channels: int
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.first_conv = nn.Conv2d(in_channels, hidden_channels, kernel_size)
        self.convs = nn.ModuleList(nn.Conv2d(hidden_channels, hidden_channels, kernel_size) for _ in range(num_hidden))
        self.final_linear = nn.Linear(hidden_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, in_channels, height, width].

        Raises:
            ValueError: the images have other channels.
        """
        return self.final_linear(self.projected(x))

    def projected(self, x: Tensor) -> Tensor:
        """What the linear layer reads, [batch, hidden_channels]: the mean over the plane."""
        return F.adaptive_avg_pool2d(self.feature_maps(x)[-1], 1).flatten(1)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """After each convolution, norm and ReLU: [batch, hidden_channels, height', width']."""
        check_images(x, "CNN", channels=self.in_channels)
        maps = []
        for convolution in (self.first_conv, *self.convs):
            x = convolution(x)
            x = F.relu(F.layer_norm(x, x.shape[-3:]))
            maps.append(x)
        return maps
