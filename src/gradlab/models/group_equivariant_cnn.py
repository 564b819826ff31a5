"""The handbook's group-equivariant network."""

from torch import Tensor, nn
from torch.nn import functional as F

from gradlab.equivariance import Family, GroupBase, GroupConvolution, LiftingConvolution
from gradlab.nn import check_images


class GroupEquivariantCNN(nn.Module):
    """A lifting convolution, group convolutions, the mean over group and plane, a linear layer; invariant logits.

    Layer norm over channels, group and plane, then ReLU, follow each convolution. No convolution is padded, so every
    one takes `kernel_size` - 1 off the sides.

    Args:
        group: the group H.
        in_channels: channels of the images.
        out_channels: number of classes.
        kernel_size: taps along a side.
        num_hidden: group convolutions.
        hidden_channels: channels of every convolution.
        family: which kernels are possible; exact taps or the agreement basis where None.

    Source: the handbook, practical 4, section 2.3.
    Differs from the handbook: a batch of one keeps its axis.
    """

    def __init__(
        self,
        group: GroupBase,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        num_hidden: int,
        hidden_channels: int,
        *,
        family: Family | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.lifting_conv = LiftingConvolution(group, in_channels, hidden_channels, kernel_size, family=family)
        self.gconvs = nn.ModuleList(
            GroupConvolution(group, hidden_channels, hidden_channels, kernel_size, family=family)
            for _ in range(num_hidden)
        )
        self.projection_layer = nn.AdaptiveAvgPool3d(1)
        self.final_linear = nn.Linear(hidden_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, in_channels, height, width].

        Raises:
            ValueError: the images have other channels.
        """
        return self.final_linear(self.projected(x))

    def projected(self, x: Tensor) -> Tensor:
        """What the linear layer reads, [batch, hidden_channels]: the mean over group and plane."""
        return self.projection_layer(self.feature_maps(x)[-1]).flatten(1)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """After each convolution, norm and ReLU: [batch, hidden_channels, order, height', width']."""
        check_images(x, "GroupEquivariantCNN", channels=self.in_channels)
        maps = []
        for convolution in (self.lifting_conv, *self.gconvs):
            x = convolution(x)
            x = F.relu(F.layer_norm(x, x.shape[-4:]))
            maps.append(x)
        return maps
