import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab.models import LeNet
from gradlab.models.lenet import SMALLEST_SIDE


def composed(model: LeNet, images: Tensor) -> Tensor:
    """The slides' figure, written out with functions."""
    weights = dict(model.named_parameters())

    def convolved(name: str, maps: Tensor) -> Tensor:
        activated = F.conv2d(maps, weights[f"{name}.weight"], weights[f"{name}.bias"]).clamp(min=0)
        batch, channels, height, width = activated.shape
        height, width = height // 2 * 2, width // 2 * 2
        pairs = activated[..., :height, :width].reshape(batch, channels, height // 2, 2, width // 2, 2)
        return pairs.amax((3, 5))

    numbers = convolved("conv2", convolved("conv1", images)).reshape(len(images), -1)
    hidden = (numbers @ weights["fc1.weight"].T + weights["fc1.bias"]).clamp(min=0)
    return hidden @ weights["fc2.weight"].T + weights["fc2.bias"]


class MeanPooling(LeNet):
    """Wrong: pools by the mean, as the network of 1998 did."""

    def __init__(self) -> None:
        super().__init__()
        self.pool1 = self.pool2 = torch.nn.AvgPool2d(2)


class ActivatedOutput(LeNet):
    """Wrong: a ReLU after the last layer."""

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(super().forward(images))


def check_equals_the_figure(model: LeNet, *, side: int = 28, channels: int = 1) -> None:
    images = torch.randn(4, channels, side, side, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    model = model.double()
    torch.testing.assert_close(model(images), composed(model, images), rtol=0, atol=1e-13)


def test_it_equals_the_slides_figure():
    check_equals_the_figure(LeNet())


@pytest.mark.parametrize("wrong", [MeanPooling, ActivatedOutput])
def test_other_networks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_figure(wrong())


@pytest.mark.parametrize(("side", "channels"), [(16, 1), (17, 2), (19, 1), (32, 3), (33, 1)])
def test_it_equals_the_figure_for_other_images(side, channels):
    model = LeNet(image_size=side, in_channels=channels, num_classes=7, filters=(3, 4), hidden_units=6)
    check_equals_the_figure(model, side=side, channels=channels)
    assert model.double()(torch.zeros(2, channels, side, side, dtype=torch.float64)).shape == (2, 7)


def test_parameters_are_those_of_the_slides():
    """1x5x5 weights and 1 bias for each of 20 filters, 20x5x5 + 1 for 50, 50x4x4 + 1 for 500 units, 500 + 1 for 10."""
    model = LeNet()
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in model.named_children()}
    assert {name: count for name, count in counts.items() if count} == {
        "conv1": 20 * (25 + 1), "conv2": 50 * (20 * 25 + 1), "fc1": 500 * (50 * 16 + 1), "fc2": 10 * (500 + 1),
    }  # fmt: skip
    assert list(counts.values()) == [520, 0, 25_050, 0, 400_500, 5_010]
    assert sum(counts.values()) == 431_080


def test_the_smallest_images_are_the_smallest_that_fit():
    assert LeNet(image_size=SMALLEST_SIDE)(torch.zeros(1, 1, SMALLEST_SIDE, SMALLEST_SIDE)).shape == (1, 10)
    reference = LeNet(image_size=SMALLEST_SIDE)
    too_small = torch.zeros(1, 1, SMALLEST_SIDE - 1, SMALLEST_SIDE - 1)
    with pytest.raises(RuntimeError):
        reference.pool2(reference.conv2(reference.pool1(reference.conv1(too_small))))


@pytest.mark.parametrize("side", [15, 5, 0, -3])
def test_smaller_images_are_refused(side):
    with pytest.raises(ValueError, match=f"LeNet needs images of at least 16x16: got {side}"):
        LeNet(image_size=side)
