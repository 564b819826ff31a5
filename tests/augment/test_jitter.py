import itertools

import pytest
import torch
from scipy import stats
from torch import Tensor

from gradlab.augment import ColorJitter
from gradlab.augment.jitter import HUE, ORDERS, Jitter, jittered
from gradlab.augment.pixels import to_floats

AMOUNTS = (0.5, 0.5, 0.5, 0.1)
NAMES = ("adjust_brightness", "adjust_contrast", "adjust_saturation", "adjust_hue")


def drawn_by(amounts: Tensor, order: Tensor) -> Jitter:
    """The parameters for amounts [batch, 4] as torchvision draws them."""
    factors = amounts.clone()
    factors[:, HUE] = 1
    return Jitter(factors, amounts[:, HUE], order)


def fixed_order(images: Tensor, jitter: Jitter) -> Tensor:
    """Wrong: brightness, contrast, saturation, hue for every image."""
    return jittered(images, jitter._replace(order=torch.arange(4).expand_as(jitter.order)))


def check_drawn_order(change, torchvision) -> None:
    images = to_floats(torchvision["images"], torch.float32)
    jitter = drawn_by(torchvision["jitter/amounts"], torchvision["jitter/order"])
    torch.testing.assert_close(change(images, jitter), torchvision["jitter"], rtol=0, atol=3e-6)


def uniforms(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, ColorJitter.uniforms, generator=torch.Generator().manual_seed(seed))


class LogUniform(ColorJitter):
    """Wrong: halving as likely as doubling, where factors are to be uniform."""

    def parameters(self, uniforms: Tensor) -> Jitter:
        jitter = super().parameters(uniforms)
        return jitter._replace(factors=torch.exp((jitter.factors - 1) * torch.log(torch.tensor(2.0))))


def check_distribution(kind: type[ColorJitter], torchvision) -> None:
    jitter = kind(*AMOUNTS).parameters(uniforms(4000))
    ours = torch.cat([jitter.factors[:, :3], jitter.turns.unsqueeze(1)], dim=1)
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], torchvision["draws/jitter amounts"][:, column]).pvalue > 0.001


@pytest.mark.parametrize("operation", range(4))
def test_each_operation_is_torchvisions(operation, torchvision):
    amounts = torch.tensor([1.0, 1, 1, 0]).repeat(8, 1)
    amounts[:, operation] = torchvision["jitter/amounts"][:, operation]
    found = jittered(to_floats(torchvision["images"], torch.float32), drawn_by(amounts, torch.arange(4).expand(8, 4)))
    torch.testing.assert_close(found, torchvision[NAMES[operation]], rtol=0, atol=2e-6)


def test_all_in_the_drawn_order_are_torchvisions(torchvision):
    check_drawn_order(jittered, torchvision)


def test_one_order_for_all_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_drawn_order(fixed_order, torchvision)


def test_every_order_is_one_operation_after_the_other():
    """All 24 orders against four calls that each do one thing."""
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(24, 3, 5, 5, generator=generator, dtype=torch.float64)
    amounts = torch.rand(24, 4, generator=generator, dtype=torch.float64) + 0.5
    amounts[:, HUE] -= 1
    orders = torch.tensor(list(itertools.permutations(range(4))))
    expected = images.clone()
    for row, order in enumerate(orders.tolist()):
        for operation in order:
            alone = torch.tensor([[1.0, 1, 1, 0]], dtype=torch.float64)
            alone[0, operation] = amounts[row, operation]
            expected[row] = jittered(expected[row : row + 1], drawn_by(alone, torch.arange(4).view(1, 4)))[0]
    torch.testing.assert_close(jittered(images, drawn_by(amounts, orders)), expected, rtol=0, atol=1e-12)


def test_amounts_are_drawn_as_torchvision_draws_them(torchvision):
    check_distribution(ColorJitter, torchvision)


def test_log_uniform_factors_are_told_apart(torchvision):
    with pytest.raises(AssertionError):
        check_distribution(LogUniform, torchvision)


def test_orders_are_equally_likely_as_torchvisions_are(torchvision):
    """Chi-square of a table of 2 x 24 counts: a chance below 1 in 1,000 fails."""
    ours = ColorJitter(*AMOUNTS).parameters(uniforms(4000)).order
    counts = [[(orders == torch.tensor(order)).all(1).sum().item() for order in ORDERS]
              for orders in (ours, torchvision["draws/jitter order"])]  # fmt: skip
    assert [sum(row) for row in counts] == [4000, 2000]
    assert stats.chi2_contingency(counts).pvalue > 0.001


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_a_share_of_p_is_changed(p):
    jitter = ColorJitter(*AMOUNTS, p=p).parameters(uniforms(2000))
    untouched = (jitter.factors == 1).all(1) & (jitter.turns == 0)
    assert (~untouched).float().mean().item() == pytest.approx(p, abs=0.04)


def test_an_image_that_is_not_chosen_stays():
    images = torch.rand(50, 3, 6, 6, generator=torch.Generator().manual_seed(2))
    assert torch.equal(ColorJitter(*AMOUNTS, p=0)(images, uniforms(50)), images)


def test_the_largest_draws_stay_in_range():
    for largest, dtype in ((1 - 2**-24, torch.float32), (1 - 2**-53, torch.float64)):
        jitter = ColorJitter(*AMOUNTS, dtype=dtype).parameters(torch.full((1, 6), largest, dtype=dtype))
        assert jitter.order[0].tolist() == list(ORDERS[-1])
        assert (jitter.factors <= 1.5).all()


def test_a_view_does_not_depend_on_the_batch_around_it():
    images, draws = torch.rand(40, 3, 32, 32, generator=torch.Generator().manual_seed(3)), uniforms(40)
    together = ColorJitter(*AMOUNTS)(images, draws)
    for size in (1, 3, 16):
        parts = [ColorJitter(*AMOUNTS)(*part) for part in zip(images.split(size), draws.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"


def test_grey_pictures_keep_one_channel():
    images = torch.randint(0, 256, (20, 1, 4, 4), dtype=torch.uint8)
    alone, three = ColorJitter(0.5, 0.5)(images, uniforms(20)), images.expand(-1, 3, -1, -1)
    # 0.2989 + 0.587 + 0.114 = 0.9999, so three equal channels are darker by that when their mean is taken.
    torch.testing.assert_close(ColorJitter(0.5, 0.5)(three, uniforms(20))[:, :1], alone, rtol=0, atol=2e-4)


def test_inputs_are_left_as_they_are():
    images, draws = torch.rand(4, 3, 5, 5), uniforms(4)
    kept = images.clone(), draws.clone()
    ColorJitter(*AMOUNTS)(images, draws)
    assert torch.equal(images, kept[0])
    assert torch.equal(draws, kept[1])


@pytest.mark.parametrize(
    "wrong", [{"brightness": -0.1}, {"hue": 0.6}, {"hue": -0.1}, {"p": 1.1}, {"contrast": float("nan")}]
)
def test_impossible_amounts_are_refused(wrong):
    with pytest.raises(ValueError, match=r"amounts must be >= 0, hue <= 0.5 and p a probability: got brightness="):
        ColorJitter(**wrong)
