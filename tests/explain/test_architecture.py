"""Data flow and receptive fields, against gradients that really reach the image."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from gradlab.equivariance import (
    CyclicGroup,
    GroupBatchNorm,
    GroupConvolution,
    GroupPooling,
    LiftingConvolution,
    SpatialPooling,
)
from gradlab.errors import UsageError
from gradlab.explain import architecture
from gradlab.models import LeNet, ResNet, VisionTransformer


def seen(layers: nn.Module, side: int) -> tuple[int, int]:
    """Rows and columns between the first and the last pixel that reaches the number in the middle."""
    for parameter in layers.parameters():
        nn.init.ones_(parameter)
    image = torch.rand(1, 1, side, side).requires_grad_()
    output = layers(image)
    output[0, ..., output.shape[-2] // 2, output.shape[-1] // 2].sum().backward()
    rows, columns = image.grad[0, 0].nonzero().T
    return int(rows.max() - rows.min() + 1), int(columns.max() - columns.min() + 1)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(1, 1, 3)],
        [nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)],
        [nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, (3, 5), padding=(1, 2))],
        [nn.Conv2d(1, 1, 3, dilation=2), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3)],
        [nn.AvgPool2d(3, 2), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3, 2), nn.Conv2d(1, 1, 2)],
    ],
)
def test_the_field_is_what_gradients_reach(layers):
    model = nn.Sequential(*layers)
    assert architecture(model, (1, 61, 61))[-1].field == seen(model, 61)


@pytest.mark.parametrize("group", [CyclicGroup(4), CyclicGroup(8)], ids=["C4", "C8"])
def test_the_field_of_layers_on_groups_is_what_gradients_reach(group):
    model = nn.Sequential(
        LiftingConvolution(group, 1, 1, 3, stride=2, padding=1),
        GroupBatchNorm(1),
        SpatialPooling(2, "mean"),
        GroupConvolution(group, 1, 1, 3),
        GroupPooling("mean"),
    ).eval()
    parts = architecture(model, (1, 31, 31))
    assert [part.name for part in parts] == ["input", "0", "2", "3", "4"]
    assert parts[-1].field == seen(model, 31) == (13, 13)
    assert parts[-1].jump == (4, 4)


def test_lenet_by_hand():
    parts = architecture(LeNet(), (1, 28, 28))
    assert [(part.name, part.sources, part.field, part.jump) for part in parts] == [
        ("input", (), (1, 1), (1, 1)),
        ("conv1", (0,), (5, 5), (1, 1)),
        ("pool1", (1,), (6, 6), (2, 2)),
        ("conv2", (2,), (14, 14), (2, 2)),
        ("pool2", (3,), (16, 16), (4, 4)),
        ("fc1", (4,), None, (4, 4)),
        ("fc2", (5,), None, (4, 4)),
    ]


def test_shortcuts_join_and_keep_the_wider_field():
    parts = architecture(ResNet(num_blocks=(1, 1), c_hidden=(4, 6)), (3, 8, 8))
    joins = [part for part in parts if part.name == "+"]
    assert [tuple(parts[source].name for source in join.sources) for join in joins] == [
        ("stem", "blocks.0.residual.5"),
        ("blocks.1.shortcut.2", "blocks.1.residual.5"),
    ]
    assert [join.field for join in joins] == [(7, 7), (13, 13)]


def test_transformers_see_everything_and_are_told_token_by_token():
    parts = architecture(VisionTransformer(8, 12, 3, 2, 1, 3, 4, 4), (3, 8, 8))
    assert parts[1].field is None
    assert parts[2].output == (5, 24)
    assert sum(part.name == "+" for part in parts) == 2


class Functions(nn.Module):
    """Pools by a function between two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)

    def forward(self, image):
        return self.second(functional.max_pool2d(functional.relu(self.first(image)), 2))


def test_functions_that_mix_neighbours_leave_the_field_unknown():
    parts = architecture(Functions(), (1, 12, 12))
    assert [(part.name, part.field) for part in parts[1:]] == [("first", (3, 3)), ("max_pool2d", ()), ("second", ())]


def test_layers_that_are_not_known_leave_the_field_unknown():
    parts = architecture(nn.Sequential(nn.Conv2d(1, 1, 3), nn.PReLU(), nn.Conv2d(1, 1, 3)), (1, 9, 9))
    assert [part.field for part in parts[1:]] == [(3, 3), (), ()]


def test_the_network_is_left_as_it_was():
    model = LeNet()
    model.train()
    with pytest.raises(UsageError, match="LeNet does not take an input of 3x28x28"):
        architecture(model, (3, 28, 28))
    assert model.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
