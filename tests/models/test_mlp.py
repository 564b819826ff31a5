import re

import pytest
import torch
from torch import Tensor, nn

from gradlab.models import MLP


def composed(model: nn.Module, images: Tensor) -> Tensor:
    """Matrix products with ReLU between them."""
    numbers = images.reshape(len(images), -1)
    tensors = list(model.parameters())
    for weight, bias in zip(tensors[::2], tensors[1::2], strict=True):
        numbers = numbers @ weight.T + bias
        if weight is not tensors[-2]:
            numbers = numbers.clamp(min=0)
    return numbers


class Activated(MLP):
    """Wrong: a ReLU after the last layer, which the handbook warns of."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).relu()


class Linear(MLP):
    """Wrong: no ReLU anywhere, so that all layers together are one."""

    def forward(self, images: Tensor) -> Tensor:
        numbers = images.flatten(1)
        for layer in self.layers:
            numbers = numbers if isinstance(layer, nn.ReLU) else layer(numbers)
        return numbers


def check_equals_matrix_products(kind: type[MLP], hidden: tuple[int, ...] = (8, 6, 7)) -> None:
    model = kind(3 * 4 * 5, 9, hidden).double()
    images = torch.randn(4, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(model(images), composed(model, images), rtol=0, atol=1e-13)


@pytest.mark.parametrize("hidden", [(), (5,), (8, 6, 7)])
def test_it_equals_matrix_products_with_relu_between(hidden):
    check_equals_matrix_products(MLP, hidden)


@pytest.mark.parametrize("wrong", [Activated, Linear])
def test_other_networks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_matrix_products(wrong)


def test_parameters_of_the_handbook_s_network():
    count = sum(parameter.numel() for parameter in MLP().parameters())
    assert count == 256 * (3072 + 1) + 128 * (256 + 1) + 10 * (128 + 1) == 820_874


@pytest.mark.parametrize("hidden", [(), (5,), [256, 128], (3, 3, 3)])
def test_one_linear_layer_more_than_hidden_sizes(hidden):
    layers = list(MLP(12, 4, hidden).layers)
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    assert len(linear) == len(hidden) + 1
    assert [layer.out_features for layer in linear] == [*hidden, 4]
    assert sum(isinstance(layer, nn.ReLU) for layer in layers) == len(hidden)
    assert isinstance(layers[-1], nn.Linear)


def test_images_of_any_shape_with_the_right_count_of_numbers():
    model = MLP(24, 3, (4,))
    numbers = torch.randn(2, 24)
    for shape in [(24,), (1, 4, 6), (2, 3, 4), (24, 1, 1)]:
        assert torch.equal(model(numbers.view(2, *shape)), model(numbers))


@pytest.mark.parametrize("shape", [(25,), (3, 32, 32), (4, 5)])
def test_images_of_another_size_are_refused(shape):
    found = "x".join(map(str, shape))
    with pytest.raises(ValueError, match=re.escape(f"MLP takes 24 numbers an image: got {found}")):
        MLP(24)(torch.zeros(2, *shape))


@pytest.mark.parametrize("sizes", [(0, 10, (5,)), (12, 0, (5,)), (12, 10, (5, 0)), (12, 10, (-1,)), (0, 10, ())])
def test_layers_without_units_are_refused(sizes):
    with pytest.raises(ValueError, match="every layer needs at least one unit: got"):
        MLP(*sizes)
