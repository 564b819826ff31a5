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


def with_extras(**changes) -> MLP:
    torch.manual_seed(0)
    model = MLP(12, 4, (6, 5), **changes).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # so that no norm is left at its identity
    return model


def check_order(model: MLP, axis: int) -> None:
    """The cheat-sheet's order, linear, norm, activation, from matrix products; `axis` is what the norm runs over."""
    numbers = torch.randn(7, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected, tensors = numbers, list(model.parameters())
    for weight, bias, scale, shift in zip(*(tensors[start:-2:4] for start in range(4)), strict=True):
        expected = expected @ weight.T + bias
        centred = expected - expected.mean(axis, keepdim=True)
        expected = centred / (centred.pow(2).mean(axis, keepdim=True) + 1e-5).sqrt() * scale + shift
        expected = expected.clamp(min=0)
    torch.testing.assert_close(model(numbers), expected @ tensors[-2].T + tensors[-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("norm", "axis"), [("batch", 0), ("layer", 1)])
def test_linear_then_norm_then_activation(norm, axis):
    check_order(with_extras(norm=norm), axis)


@pytest.mark.parametrize(("norm", "axis"), [("batch", 1), ("layer", 0)])
def test_the_other_norm_is_told_apart(norm, axis):
    with pytest.raises(AssertionError):
        check_order(with_extras(norm=norm), axis)


def test_the_norm_behind_the_activation_is_told_apart():
    model = with_extras(norm="layer")
    model.layers = nn.Sequential(*(model.layers[index] for index in (0, 2, 1, 3, 5, 4, 6)))
    with pytest.raises(AssertionError):
        check_order(model, 1)


def test_every_part_in_the_cheat_sheet_s_order():
    model = MLP(12, 4, (6, 5), norm="batch", dropout=0.3, activation=nn.GELU)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Linear", "BatchNorm1d", "GELU", "Dropout"] * 2 + ["Linear"]
    assert [layer.p for layer in model.layers if isinstance(layer, nn.Dropout)] == [0.3, 0.3]


def test_without_extras_there_is_no_trace_of_them():
    assert list(MLP(12, 4, (6,)).state_dict()) == [f"layers.{n}.{part}" for n in (0, 2) for part in ("weight", "bias")]


def test_dropout_draws_in_training_only():
    model, numbers = MLP(12, 4, (40,), dropout=0.5), torch.ones(2, 12)
    assert not torch.equal(model(numbers), model(numbers))
    model.eval()
    assert torch.equal(model(numbers), model(numbers))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"norm": "group"}, "norm must be 'batch', 'layer' or None: got 'group'"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\): got 1.0"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\): got -0.1"),
    ],
)
def test_extras_that_do_not_exist_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        MLP(12, **changes)
