"""Dropout by the four to a word: shares, independence and means of the draws, and torch's own behaviour elsewhere."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.func import vmap

from gradlab.nn import Dropout
from gradlab.nn.dropout import FEW, STEPS
from gradlab.training.randomness import draws_randomness

COUNT = 400_000
SHARES = [0.1, 0.3, 0.5, 0.9]


def kept(p, count=COUNT, seed=0):
    """Which of so many numbers are kept, as numbers 0 and 1."""
    torch.manual_seed(seed)
    return (Dropout(p)(torch.ones(count)) > 0).double()


@pytest.mark.parametrize("p", SHARES)
def test_the_share_of_what_is_kept_in_each_quarter_of_a_word(p):
    spread = math.sqrt(p * (1 - p) / (COUNT // 4))
    for quarter in range(4):
        assert abs(kept(p)[quarter::4].mean().item() - (1 - p)) < 4.5 * spread


@pytest.mark.parametrize("p", SHARES)
def test_mean_and_variance_are_those_of_dropout(p):
    torch.manual_seed(1)
    values = Dropout(p)(torch.full((COUNT,), 3.0, dtype=torch.float64))
    variance = 9 * p / (1 - p)
    assert abs(values.mean().item() - 3) < 4.5 * math.sqrt(variance / COUNT)
    fourth = 81 * (p + p**4 / (1 - p) ** 3)  # central moment
    around_the_mean = 4.5**2 * variance / COUNT  # the mean's own distance, squared
    bound = 4.5 * math.sqrt((fourth - variance**2) / COUNT) + around_the_mean
    assert abs(values.var().item() - variance) < bound


@pytest.mark.parametrize("p", SHARES)
def test_all_patterns_of_a_word_are_as_frequent_as_independent_draws_make_them(p):
    words = kept(p).view(-1, 4).long()
    found = torch.bincount(words @ torch.tensor([1, 2, 4, 8]), minlength=16).double()
    expected = torch.tensor(
        [math.prod(1 - p if bit else p for bit in bits[::-1]) for bits in itertools.product((0, 1), repeat=4)]
    ).double() * len(words)  # fmt: skip
    assert ((found - expected).square() / expected).sum() < 44.3, "chi-square of 15 degrees of freedom, 1 in 10,000"


@pytest.mark.parametrize("apart", [1, 2, 3, 4, 5, 8, 64, 624, 1248])
def test_numbers_apart_are_independent(apart):
    draws = kept(0.3) - 0.7
    correlation = (draws[apart:] * draws[:-apart]).mean().item() / 0.21
    assert abs(correlation) < 4.5 / math.sqrt(COUNT)


def test_the_seed_decides_and_each_call_draws_anew():
    assert torch.equal(kept(0.5), kept(0.5))
    first, other = kept(0.5), kept(0.5, seed=1)
    second = (Dropout(0.5)(torch.ones(COUNT)) > 0).double()
    for different in (other, second):
        assert abs((first - 0.5).mul(different - 0.5).mean().item() * 4) < 4.5 / math.sqrt(COUNT)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_what_is_kept_is_scaled_and_so_are_the_slopes(dtype):
    layer, x = Dropout(0.25), torch.randn(3, 700, dtype=dtype, requires_grad=True)
    y = layer(x)
    y.backward(torch.ones_like(y))
    assert y.dtype == dtype
    kept = y != 0
    scale = torch.tensor(1 / 0.75, dtype=dtype)
    assert torch.equal(y, torch.where(kept, x * scale, 0))
    assert x.grad is not None
    assert torch.equal(x.grad, torch.where(kept, scale, torch.zeros((), dtype=dtype)))


def test_the_share_is_rounded_to_a_65536th_and_the_scale_with_it():
    y = Dropout(1 / 3)(torch.ones(5000, dtype=torch.float64))
    assert y.max().item() == STEPS / (STEPS - 21845)


@pytest.mark.parametrize("shape", [(1025,), (7, 11, 17), (2, 3, 19, 23)])
def test_sizes_that_four_does_not_divide(shape):
    y = Dropout(0.5)(torch.ones(shape))
    assert y.shape == shape
    assert set(y.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(
    "x",
    [
        torch.ones(4, 8, 9, 9).contiguous(memory_format=torch.channels_last),
        torch.ones(40, 50).T,
        torch.ones(1, 60).expand(50, 60),
        torch.ones(60, 50)[:, ::2],
    ],
)
def test_the_layout_is_torchs(x):
    y = Dropout(0.5)(x)
    assert y.stride() == nn.Dropout(0.5)(x).stride()
    assert abs((y > 0).double().mean().item() - 0.5) < 4.5 * 0.5 / math.sqrt(x.numel())


def test_where_it_is_torchs_own():
    x = torch.randn(FEW)
    assert torch.equal(Dropout(0.3).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(Dropout(1.0)(x), torch.zeros(FEW))
    few = x[: FEW - 1].clone()
    torch.manual_seed(5)
    expected = nn.Dropout(0.3)(few)
    torch.manual_seed(5)
    assert torch.equal(Dropout(0.3)(few), expected)
    inplace = Dropout(0.3, inplace=True)(x)
    assert inplace is x


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_no_probability_is_refused_as_torch_does(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Dropout(p)


def test_replicas_of_vmap_draw_apart():
    found = vmap(Dropout(0.5), randomness="different")(torch.ones(2, 2000))
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(found[0], found[1])


def test_it_is_known_to_draw_and_keeps_no_state():
    assert draws_randomness(Dropout(0.1))
    assert not draws_randomness(Dropout(0.0))
    assert Dropout(0.1).state_dict() == {}


def test_compiled_it_draws_the_same():
    layer, x = Dropout(0.5), torch.ones(2000)
    torch.manual_seed(3)
    expected = layer(x)
    torch.manual_seed(3)
    assert torch.equal(torch.compile(layer, backend="aot_eager", fullgraph=True)(x), expected)
