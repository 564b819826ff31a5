import math
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gradlab.explain import layer_table
from gradlab.explain.operations import operations
from gradlab.models import (
    DenseNet,
    GoogleNet,
    PostActivationResNet,
    ResidualCNN,
    ResidualGroupCNN,
    ResNet,
    VisionTransformer,
)
from gradlab.nn import DotProductAttention, MultiHeadedAttention


def counted(module: nn.Module, *inputs: Tensor) -> int | None:
    output = module(*inputs)
    return operations(module, inputs, output[0] if isinstance(output, tuple) else output)


def attention_by_loops(tokens: int, sources: int, size: int, heads: int) -> int:
    """Two for each product that is summed: a query's numbers with a key's, then a weight with a value's number."""
    count = 0
    for _head in range(heads):
        for _query in range(tokens):
            for _key in range(sources):
                count += 2 * size  # the score
                count += 2 * size  # this value's share of the mix
    return count


@pytest.mark.parametrize(("tokens", "sources"), [(5, 5), (3, 7), (1, 4)])
def test_dot_product_attention(tokens, sources):
    queries, keys = torch.zeros(1, 2, tokens, 4), torch.zeros(1, 2, sources, 4)
    assert counted(DotProductAttention(), queries, keys, keys) == attention_by_loops(tokens, sources, 4, 2)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("tokens", "sources"), [(5, 5), (3, 7)])
def test_torch_s_attention(batch_first, tokens, sources):
    """Four linear maps from 8 to 8 numbers: on queries, keys, values and the mix."""
    module = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    query, key = torch.zeros(tokens, 1, 8), torch.zeros(sources, 1, 8)
    if batch_first:
        query, key = query.transpose(0, 1), key.transpose(0, 1)
    linear = 2 * 8 * 8 * (2 * tokens + 2 * sources)
    assert counted(module, query, key, key) == linear + attention_by_loops(tokens, sources, 4, 2)


def test_torch_s_attention_with_keys_and_values_of_other_sizes():
    module = nn.MultiheadAttention(8, 2, kdim=3, vdim=5)
    query, key, value = torch.zeros(4, 1, 8), torch.zeros(6, 1, 3), torch.zeros(6, 1, 5)
    linear = 2 * (4 * 8 * 8 + 6 * 3 * 8 + 6 * 5 * 8 + 4 * 8 * 8)
    assert counted(module, query, key, value) == linear + attention_by_loops(4, 6, 4, 2)


def test_attention_called_by_keywords_is_unknown():
    assert operations(nn.MultiheadAttention(8, 2), (), torch.zeros(4, 1, 8)) is None


@pytest.mark.parametrize(
    ("norm", "shape", "each"),
    [
        (nn.BatchNorm1d(6), (1, 6), 2),
        (nn.BatchNorm2d(6), (1, 6, 3, 4), 2),
        (nn.LayerNorm(6), (1, 5, 6), 7),
        (nn.LayerNorm(6, elementwise_affine=False), (1, 5, 6), 5),
        (nn.GroupNorm(2, 6), (1, 6, 3, 4), 7),
        (nn.GroupNorm(2, 6, affine=False), (1, 6, 3, 4), 5),
    ],
)
def test_norms_cost_a_few_operations_for_each_number(norm, shape, each):
    assert counted(norm.eval(), torch.zeros(shape)) == each * math.prod(shape)


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (nn.AvgPool2d(2), 3 * 2 * 3 * 4),
        (nn.AvgPool2d((2, 3)), 3 * 2 * 2 * 6),
        (nn.AvgPool2d(3, stride=1, padding=1), 3 * 4 * 6 * 9),
        (nn.AdaptiveAvgPool2d(1), 3 * 4 * 6),
        (nn.AdaptiveAvgPool2d((2, 3)), 3 * 4 * 6),
        (nn.MaxPool2d(2), 0),
        (nn.AdaptiveMaxPool2d(1), 0),
    ],
)
def test_mean_pooling_adds_every_number_of_its_window(pool, expected):
    assert counted(pool, torch.zeros(1, 3, 4, 6)) == expected


@pytest.mark.parametrize(
    "free", [nn.ReLU(), nn.GELU(), nn.SiLU(), nn.Tanh(), nn.Dropout(), nn.Dropout2d(), nn.Identity()]
)
def test_activations_and_copies_count_as_nothing(free):
    assert counted(free, torch.zeros(1, 3, 4, 4)) == 0


@pytest.mark.parametrize("unknown", [nn.ConvTranspose2d(3, 2, 3), nn.LocalResponseNorm(2), nn.PReLU()])
def test_what_is_not_known_is_not_guessed(unknown):
    assert counted(unknown, torch.zeros(1, 3, 4, 4)) is None


def resnet_by_hand() -> int:
    """[3, 3, 3] blocks of 16, 24 and 32 channels on 32x32 images; norms at two operations a number."""
    places = {16: 32 * 32, 24: 16 * 16, 32: 8 * 8}
    total = 2 * 27 * 16 * places[16]
    before = 16
    for channels, pixels in places.items():
        for block in range(3):
            entering, pixels_before = (before, places[before]) if block == 0 else (channels, pixels)
            total += 2 * entering * pixels_before + 2 * 9 * entering * channels * pixels
            total += 2 * channels * pixels + 2 * 9 * channels * channels * pixels
            if entering != channels:
                total += 2 * entering * pixels_before + 2 * entering * channels * pixels
        before = channels
    return total + 32 * 8 * 8 + 2 * 32 * 10


def transformer_by_hand() -> int:
    """65 tokens of 128 numbers through 6 blocks with 256 hidden units."""
    tokens, size, hidden = 65, 128, 256
    block = 2 * tokens * size * 3 * size + 2 * 2 * tokens * tokens * size + 2 * tokens * size * size
    block += 2 * 2 * tokens * size * hidden + 2 * 7 * tokens * size
    return 2 * 64 * 48 * size + 6 * block + 7 * size + 2 * size * 10


@pytest.mark.parametrize(
    ("model", "expected"), [(ResNet(), resnet_by_hand()), (VisionTransformer(), transformer_by_hand())]
)
def test_handbook_s_networks_by_hand(model, expected):
    assert sum(layer.operations or 0 for layer in layer_table(model, (3, 32, 32))) == expected


OVER_GROUP = partial(ResidualGroupCNN, in_channels=3)


@pytest.mark.parametrize(
    "kind", [ResNet, PostActivationResNet, GoogleNet, DenseNet, OVER_GROUP, ResidualCNN, VisionTransformer]
)
def test_linear_maps_and_attention_are_what_torch_counts(kind):
    """Torch counts neither norms nor pooling, nor its fused attention on a CPU."""
    model = kind().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(torch.zeros(1, 3, 32, 32))
    layers = layer_table(model, (3, 32, 32))
    products = ("Linear", "Conv2d", "DotProductAttention", "LiftingConvolution", "GroupConvolution")
    assert sum(layer.operations or 0 for layer in layers if layer.kind in products) == counter.get_total_flops()
    assert sum(layer.parameters for layer in layers) == sum(parameter.numel() for parameter in model.parameters())
    assert {layer.kind for layer in layers if layer.operations is None} <= {"VisionTransformer"}


def recurrent_by_loops(gates: int, inputs: int, hidden: int, steps: int, layers: int, directions: int) -> int:
    """Two operations for every number that a gate weighs, step by step."""
    count = 0
    for layer in range(layers):
        entering = inputs if layer == 0 else hidden * directions
        for _direction in range(directions):
            for _step in range(steps):
                for _unit in range(gates * hidden):
                    count += 2 * entering + 2 * hidden
    return count


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, False), (2, True)])
def test_recurrent_layers(kind, gates, layers, both):
    module = kind(3, 5, layers, batch_first=True, bidirectional=both)
    assert counted(module, torch.zeros(1, 7, 3)) == recurrent_by_loops(gates, 3, 5, 7, layers, 1 + both)


def test_an_lstm_with_a_projection_by_hand():
    """Gates see 3 inputs and 2 fed-back numbers; every step's 5 hidden numbers are then projected to 2."""
    module = nn.LSTM(3, 5, proj_size=2, batch_first=True)  # not called, since torch warns that it takes a slow way
    assert operations(module, (torch.zeros(1, 7, 3),), torch.zeros(1, 7, 2)) == 7 * (2 * 4 * 5 * (3 + 2) + 2 * 5 * 2)


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTMCell, 4), (nn.GRUCell, 3), (nn.RNNCell, 1)])
def test_recurrent_cells(kind, gates):
    assert counted(kind(3, 5), torch.zeros(1, 3)) == recurrent_by_loops(gates, 3, 5, 1, 1, 1)


def test_packed_sequences_are_unknown():
    packed = nn.utils.rnn.pack_sequence([torch.zeros(4, 3), torch.zeros(2, 3)])
    assert operations(nn.LSTM(3, 5), (packed,), torch.zeros(1)) is None


@pytest.mark.parametrize(("tokens", "sources"), [(5, 5), (3, 7)])
def test_the_cheat_sheet_s_attention(tokens, sources):
    query, key = torch.zeros(1, tokens, 8), torch.zeros(1, sources, 8)
    linear = 2 * 8 * 8 * (2 * tokens + 2 * sources)
    assert counted(MultiHeadedAttention(2, 8), query, key, key) == linear + attention_by_loops(tokens, sources, 4, 2)


class Keywords(nn.Module):
    """Calls torch's attention by keywords."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.attention(query=tokens, key=tokens, value=tokens)[0]


def test_attention_called_by_keywords_in_a_network_is_counted():
    (layer,) = layer_table(Keywords(), (5, 8))
    assert layer.operations == 2 * 8 * 8 * 4 * 5 + attention_by_loops(5, 5, 4, 2)
