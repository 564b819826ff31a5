"""The handbook's small encoder for contrastive learning."""

from torch import Tensor, nn

from gradlab.nn import NormSiLUSequential


class BaseNetwork(nn.Module):
    """Five 3x3 convolutions, each with batch norm and SiLU, three of them with stride 2, and a linear layer.

    Args:
        num_input_channels: channels of the images.
        c_hid: channels of the first two convolutions; the others have twice as many.
        output_dim: numbers of a feature.
        image_size: height and width of the images; they are halved three times, rounding up.

    Source: handbook, practical 5, part 1.

    Raises:
        ValueError: a number is not positive.
    """

    def __init__(self, num_input_channels: int, c_hid: int, output_dim: int, image_size: int = 32) -> None:
        super().__init__()
        if min(num_input_channels, c_hid, output_dim, image_size) < 1:
            raise ValueError(
                f"channels, features and image size must be positive: got {num_input_channels}, {c_hid}, {output_dim} "
                f"and {image_size}"
            )
        self.image_shape = (num_input_channels, image_size, image_size)
        side = -(-image_size // 8)
        self.net = NormSiLUSequential(
            *_convolved(num_input_channels, c_hid, stride=2),
            *_convolved(c_hid, c_hid),
            *_convolved(c_hid, 2 * c_hid, stride=2),
            *_convolved(2 * c_hid, 2 * c_hid),
            *_convolved(2 * c_hid, 2 * c_hid, stride=2),
            nn.Flatten(),
            nn.Linear(2 * c_hid * side**2, output_dim),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns features [batch, output_dim] of images [batch, channels, side, side].

        Raises:
            ValueError: the images have another shape.
        """
        if x.shape[1:] != self.image_shape:
            wanted, found = ("x".join(map(str, shape)) for shape in (self.image_shape, x.shape[1:]))
            raise ValueError(f"BaseNetwork takes images of {wanted}: got {found}")
        return self.net(x)


def _convolved(c_in: int, c_out: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return nn.Conv2d(c_in, c_out, 3, stride, padding=1), nn.BatchNorm2d(c_out), nn.SiLU()
