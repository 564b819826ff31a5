from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary as told_by_torchinfo

from gradlab.equivariance import CyclicGroup, GroupConvolution, LiftingConvolution
from gradlab.errors import UsageError
from gradlab.explain import Layer, layer_table, training_memory
from gradlab.explain import summary as summary_module
from gradlab.models import MLP, LeNet, LogRegression, VisionTransformer
from tests.contracts.test_models import CASES, made


def counted_by_torch(model: nn.Module, shape: tuple[int, ...]) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, *shape))
    return counter.get_total_flops()


def counted_by_hand(convolution: nn.Conv2d, height: int, width: int) -> int:
    """Walks over every output number and every weight that it meets, padding included."""
    kernel, stride, padding = convolution.kernel_size, convolution.stride, convolution.padding
    operations = 0
    for _filter in range(convolution.out_channels):
        for _row in range(0, height + 2 * padding[0] - kernel[0] + 1, stride[0]):
            for _column in range(0, width + 2 * padding[1] - kernel[1] + 1, stride[1]):
                for _weight in range(convolution.in_channels // convolution.groups * kernel[0] * kernel[1]):
                    operations += 2
    return operations


def without_groups(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> int:
    """Wrong: lets every filter of a grouped convolution see all channels."""
    if isinstance(module, nn.Conv2d):
        return 2 * output[0].numel() * module.in_channels * module.kernel_size[0] * module.kernel_size[1]
    return 0


def of_the_input(module: nn.Module, _inputs: tuple[Tensor, ...], _output: Tensor) -> int:
    """Wrong: one use of each weight, as if a convolution looked at one place only."""
    return 2 * sum(parameter.numel() for parameter in module.parameters() if parameter.ndim > 1)


def check_convolutions() -> None:
    for arguments in [
        {"kernel_size": 3},
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": (2, 3), "stride": (1, 2), "padding": (0, 1)},
        {"kernel_size": 3, "groups": 2, "bias": False},
        {"kernel_size": 1, "groups": 4, "stride": 3},
    ]:
        convolution = nn.Conv2d(4, 8, **arguments)
        (layer,) = layer_table(convolution, (4, 7, 9))
        assert layer.operations == counted_by_hand(convolution, 7, 9) == counted_by_torch(convolution, (4, 7, 9))
        assert layer.parameters == sum(parameter.numel() for parameter in convolution.parameters())
        assert layer.filters == 8
        assert layer.output_numbers == convolution(torch.zeros(1, 4, 7, 9)).numel()


class Shared(nn.Module):
    """One layer used three times, and another one that shares its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.tied = nn.Linear(5, 5), nn.Linear(5, 5)
        self.tied.weight = self.layer.weight

    def forward(self, numbers: Tensor) -> Tensor:
        return self.tied(self.layer(self.layer(self.layer(numbers))))


class WithToken(nn.Module):
    """Parameters of its own beside a layer, as a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(7))
        self.layer = nn.Linear(7, 3)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.layer(numbers + self.token)


class Backwards(nn.Module):
    """Layers called in another order than they are made, and one never called."""

    def __init__(self) -> None:
        super().__init__()
        self.second, self.never, self.first = nn.Linear(3, 2), nn.Linear(9, 9), nn.Linear(4, 3)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.second(self.first(numbers))


def test_lenet_by_hand():
    """Sides 28 - 4 = 24, halved 12, 12 - 4 = 8, halved 4; a weight's use is a multiplication and an addition."""
    rows = [asdict(layer) for layer in layer_table(LeNet(), (1, 28, 28))]
    columns = ("name", "kind", "filters", "parameters", "output", "operations", "output_numbers")
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("conv1", "Conv2d", 20, 520, "20 x 24 x 24", 2 * 20 * 24 * 24 * 25, 11_520),
        ("pool1", "MaxPool2d", 0, 0, "20 x 12 x 12", 0, 2_880),
        ("conv2", "Conv2d", 50, 25_050, "50 x 8 x 8", 2 * 50 * 8 * 8 * 500, 3_200),
        ("pool2", "MaxPool2d", 0, 0, "50 x 4 x 4", 0, 800),
        ("fc1", "Linear", 500, 400_500, "500", 2 * 800 * 500, 500),
        ("fc2", "Linear", 10, 5_010, "10", 2 * 500 * 10, 10),
    ]
    assert sum(row["operations"] for row in rows) == counted_by_torch(LeNet(), (1, 28, 28)) == 4_586_000


def test_convolutions_by_hand():
    check_convolutions()


@pytest.mark.parametrize("wrong", [without_groups, of_the_input])
def test_other_counts_are_told_apart(wrong, monkeypatch):
    monkeypatch.setattr(summary_module, "operations", wrong)
    with pytest.raises(AssertionError):
        check_convolutions()


@settings(max_examples=30, deadline=None)
@given(
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    groups=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
    side=st.integers(7, 10),
)
def test_any_convolution_counts_as_torch_counts(channels, groups, kernel, stride, padding, dilation, bias, side):
    model = nn.Conv2d(
        channels[0] * groups, channels[1] * groups, kernel, stride, padding, dilation, groups=groups, bias=bias
    )
    shape = (channels[0] * groups, side, side + 1)
    (layer,) = layer_table(model, shape)
    assert layer.operations == counted_by_torch(model, shape)
    assert layer.output == " x ".join(map(str, model(torch.zeros(1, *shape)).shape[1:]))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(6,), (5, 6), (2, 3, 6)])
def test_linear_layers_count_for_every_place(shape, bias):
    model = nn.Linear(6, 4, bias=bias)
    (layer,) = layer_table(model, shape)
    places = torch.zeros(shape)[..., 0].numel()
    assert layer.operations == 2 * 6 * 4 * places == counted_by_torch(model, shape)
    assert layer.parameters == 6 * 4 + 4 * bias
    assert layer.filters == 4


def test_one_dimensional_convolutions():
    (layer,) = layer_table(nn.Conv1d(2, 3, 4), (2, 10))
    assert (layer.operations, layer.parameters, layer.output) == (2 * 3 * 7 * 2 * 4, 27, "3 x 7")


@pytest.mark.parametrize(
    ("model", "shape"),
    [(MLP(), (3, 32, 32)), (LogRegression(), (1, 28, 28)), (LeNet(image_size=32, in_channels=3), (3, 32, 32))],
)
def test_all_parameters_and_operations_of_our_networks_are_counted(model, shape):
    layers = layer_table(model, shape)
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in model.parameters())
    assert sum(layer.operations or 0 for layer in layers) == counted_by_torch(model, shape)


def test_layers_that_only_copy_compare_or_drop_cost_nothing():
    model = nn.Sequential(nn.ReLU(), nn.Identity(), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten())
    assert [layer.operations for layer in layer_table(model, (1, 4, 4))] == [0] * 5


def test_what_is_not_known_is_not_guessed():
    model = nn.Sequential(nn.ConvTranspose2d(1, 2, 3), nn.PReLU(2), nn.LocalResponseNorm(2))
    layers = layer_table(model, (1, 4, 4))
    assert [layer.operations for layer in layers] == [None] * 3
    assert [layer.parameters for layer in layers] == [1 * 2 * 9 + 2, 2, 0]
    assert [layer.filters for layer in layers] == [2, 0, 0]


def test_layers_stand_in_the_order_of_the_forward_pass():
    assert [(layer.name, layer.parameters) for layer in layer_table(Backwards(), (4,))] == [
        ("first", 15),
        ("second", 8),
    ]


def test_a_layer_used_again_appears_again_and_its_parameters_once():
    layers = layer_table(Shared(), (5,))
    assert [(layer.name, layer.parameters, layer.operations) for layer in layers] == [
        ("layer", 30, 50), ("layer", 0, 50), ("layer", 0, 50), ("tied", 5, 50),
    ]  # fmt: skip


def test_parameters_beside_layers_are_counted():
    layers = layer_table(WithToken(), (7,))
    assert [(layer.name, layer.parameters) for layer in layers] == [("layer", 24), ("WithToken", 7)]
    assert [layer.output_numbers for layer in layers] == [3, 0], "its output is that of its last layer"
    assert layers[1].operations is None


class Attentive(nn.Module):
    """Torch's own attention, tokens first."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens.transpose(0, 1)
        return self.attention(tokens, tokens, tokens, need_weights=False)[0]


def test_attention_is_one_layer_with_all_its_parameters():
    """Tokens come before the batch there, and its last projection is never called as a layer."""
    (layer,) = layer_table(Attentive(), (5, 8))
    assert (layer.output, layer.parameters, layer.output_numbers) == ("5 x 8", 4 * (8 * 8 + 8), 40)
    assert layer.operations == 4 * (2 * 5 * 8 * 8) + 2 * (2 * 5 * 5 * 8)


def test_a_group_convolution_is_one_layer_with_the_parameters_of_its_kernel():
    """Two channels on C4 read by every element of three: 9 taps, and padding keeps the 5 x 6 places."""
    model = nn.Sequential(
        LiftingConvolution(CyclicGroup(4), 1, 2, 3, padding=1),
        GroupConvolution(CyclicGroup(4), 2, 3, 3, padding=1, bias=True),
    )
    lifting, convolution = layer_table(model, (1, 5, 6))
    assert (lifting.output, lifting.parameters, lifting.filters) == ("2 x 4 x 5 x 6", 9 * 2, 2)
    assert lifting.operations == 2 * (2 * 4 * 5 * 6) * 9
    assert (convolution.output, convolution.parameters) == ("3 x 4 x 5 x 6", 9 * 4 * 2 * 3 + 3)
    assert convolution.operations == 2 * (3 * 4 * 5 * 6) * (2 * 4 * 9)
    assert convolution.output_numbers == 3 * 4 * 5 * 6


def test_a_vision_transformer_by_hand():
    """5 tokens of 8 numbers: 4 patches of 2x2 pixels and the class token."""
    model = VisionTransformer(8, 12, 1, 2, 1, 3, 2, 4)
    layers = layer_table(model, (1, 4, 4))
    columns = [(layer.name, layer.output, layer.operations) for layer in layers]
    assert columns == [
        ("embed", "4 x 8", 2 * 4 * 4 * 8),
        ("dropout", "5 x 8", 0),
        ("blocks.0.attention_norm", "5 x 8", 7 * 40),
        ("blocks.0.attention.project_in", "5 x 24", 2 * 5 * 8 * 24),
        ("blocks.0.attention.attend", "2 x 5 x 4", 2 * (2 * 2 * 5 * 5 * 4)),
        ("blocks.0.attention.project_out", "5 x 8", 2 * 5 * 8 * 8),
        ("blocks.0.feed_forward_norm", "5 x 8", 7 * 40),
        ("blocks.0.feed_forward.0", "5 x 12", 2 * 5 * 8 * 12),
        ("blocks.0.feed_forward.1", "5 x 12", 0),
        ("blocks.0.feed_forward.2", "5 x 12", 0),
        ("blocks.0.feed_forward.3", "5 x 8", 2 * 5 * 12 * 8),
        ("blocks.0.feed_forward.4", "5 x 8", 0),
        ("head.0", "8", 7 * 8),
        ("head.1", "3", 2 * 8 * 3),
        ("VisionTransformer", "3", None),
    ]
    assert sum(layer.parameters for layer in layers) == sum(p.numel() for p in model.parameters())


def test_frozen_parameters_are_not_trainable():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    assert [layer.parameters for layer in layer_table(model, (3,))] == [0, 10]


def test_a_network_of_one_layer_has_its_class_s_name():
    assert layer_table(nn.Linear(2, 2), (2,))[0].name == "Linear"


def test_recurrent_layers_show_their_sequence():
    (layer,) = layer_table(nn.LSTM(3, 5, batch_first=True), (7, 3))
    assert (layer.kind, layer.output, layer.parameters) == ("LSTM", "7 x 5", 4 * (5 * 3 + 5 * 5 + 2 * 5))


def test_double_precision_networks_are_taken():
    assert layer_table(LeNet().double(), (1, 28, 28)) == layer_table(LeNet(), (1, 28, 28))


def test_the_network_is_left_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8, 2))
    model.train()
    model[1].eval()  # a frozen layer in a network in training
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for shape in [(1, 4, 4), (3, 9, 9)]:
        if shape == (1, 4, 4):
            layer_table(model, shape)
        else:
            with pytest.raises(UsageError):
                layer_table(model, shape)
        assert [module.training for module in model] == [True, False, True, True, True]
        assert model.training
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
        assert not any(module._forward_hooks for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (LeNet(), (3, 28, 28), "LeNet does not take an input of 3x28x28: Given groups=1"),
        (LeNet(), (1, 32, 32), "LeNet does not take an input of 1x32x32: mat1 and mat2"),
        (MLP(), (1, 28, 28), "MLP does not take an input of 1x28x28: MLP takes 3072 numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_a_usage_error_of_one_line(model, shape, message):
    with pytest.raises(UsageError, match=message) as caught:
        layer_table(model, shape)
    assert "\n" not in str(caught.value)


def check_torchinfo_agrees(name: str) -> None:
    model, shape = made(CASES[name]).model.eval(), CASES[name].shape
    peer = told_by_torchinfo(model, input_data=torch.zeros(1, *shape), verbose=0)
    assert sum(layer.parameters for layer in layer_table(model, shape)) == peer.trainable_params


@pytest.mark.parametrize("name", sorted(CASES))
def test_torchinfo_counts_as_many_parameters(name):
    check_torchinfo_agrees(name)


def test_torchinfo_disagrees_where_a_module_s_own_parameters_are_left_out(monkeypatch):
    right = summary_module._layer

    def leaves_only(name, module, *rest):
        return replace(right(name, module, *rest), **({"parameters": 0} if [*module.children()] else {}))

    monkeypatch.setattr(summary_module, "_layer", leaves_only)
    with pytest.raises(AssertionError):
        check_torchinfo_agrees("VisionTransformer")


def test_training_memory_by_hand():
    layers = [
        Layer(name="a", kind="Linear", filters=3, parameters=15, output="3", operations=24, output_numbers=3),
        Layer(name="b", kind="ReLU", filters=0, parameters=0, output="3", operations=0, output_numbers=3),
    ]
    assert training_memory(layers, batch_size=10) == 4 * (4 * 15 + 10 * 6)
    assert training_memory(layers, batch_size=10, copies=2, bytes_each=8) == 8 * (2 * 15 + 10 * 6)
    assert training_memory([], batch_size=10) == 0


def test_training_memory_is_what_adam_and_the_backward_pass_hold():
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4))
    optimizer = torch.optim.Adam(model.parameters())
    outputs = []
    hooks = [layer.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output)) for layer in model]
    model(torch.zeros(3, 6)).sum().backward()
    optimizer.step()
    for hook in hooks:
        hook.remove()
    held = [*model.parameters(), *(parameter.grad for parameter in model.parameters()), *outputs]
    for state in optimizer.state.values():
        held += [state["exp_avg"], state["exp_avg_sq"]]
    assert training_memory(layer_table(model, (6,)), batch_size=3) == sum(tensor.nbytes for tensor in held)
