import numpy as np
import pytest
import torch
from torch import Tensor

from gradlab.augment import Normalize

MEAN, DEVIATION = (0.1307, 0.5, 0.9), (0.3081, 0.02, 1.5)


def by_formula(pixels: Tensor) -> np.ndarray:
    mean, deviation = (np.array(values).reshape(-1, 1, 1) for values in (MEAN, DEVIATION))
    return (pixels.numpy().astype(np.float64) / 255 - mean) / deviation


def every_byte() -> Tensor:
    """Two images whose three channels hold all 256 values in different orders."""
    orders = [torch.randperm(256, generator=torch.Generator().manual_seed(seed)) for seed in range(6)]
    return torch.stack(orders).view(2, 3, 16, 16).to(torch.uint8)


def mean_after_division(pixels: Tensor) -> Tensor:
    """Wrong: takes the mean off after the division by the deviation."""
    mean, deviation = (torch.tensor(values).view(-1, 1, 1) for values in (MEAN, DEVIATION))
    return pixels / 255 / deviation - mean


def channels_last(pixels: Tensor) -> Tensor:
    """Wrong: spreads the constants along the width."""
    mean, deviation = (torch.tensor(values).repeat(6)[:16] for values in (MEAN, DEVIATION))
    return (pixels / 255 - mean) / deviation


def check_equals_the_formula(normalize, dtype: torch.dtype) -> None:
    """Rounding of the shift, the scale and the result: three half units of the larger term."""
    pixels = every_byte()
    found = normalize(pixels)
    assert found.dtype == dtype
    expected = by_formula(pixels)
    mean, deviation = (np.array(values).reshape(-1, 1, 1) for values in (MEAN, DEVIATION))
    bound = 1.5 * torch.finfo(dtype).eps * (pixels.numpy() / 255 + mean) / deviation
    assert (np.abs(found.double().numpy() - expected) <= bound + 1e-15).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_equals_the_formula_for_every_byte(dtype):
    check_equals_the_formula(Normalize(MEAN, DEVIATION, dtype=dtype), dtype)


@pytest.mark.parametrize("wrong", [mean_after_division, channels_last])
def test_other_formulas_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_formula(wrong, torch.float32)


def test_floats_are_shares_already():
    pixels = every_byte()
    normalize = Normalize(MEAN, DEVIATION, dtype=torch.float64)
    torch.testing.assert_close(normalize(pixels.double() / 255), normalize(pixels), rtol=0, atol=1e-13)


def test_the_images_own_statistics_give_mean_zero_and_deviation_one():
    pixels = torch.randint(0, 200, (40, 3, 7, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    shares = pixels.double() / 255
    normalize = Normalize(
        shares.mean((0, 2, 3)).tolist(), shares.std((0, 2, 3), correction=0).tolist(), dtype=torch.float64
    )
    found = normalize(pixels)
    torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(3).double(), rtol=0, atol=1e-13)
    torch.testing.assert_close(found.std((0, 2, 3), correction=0), torch.ones(3).double(), rtol=0, atol=1e-13)


def test_it_draws_nothing_and_reads_no_draws():
    normalize = Normalize((0.5,), (0.25,))
    pixels = torch.arange(8, dtype=torch.uint8).view(2, 1, 2, 2)
    assert normalize.uniforms == 0
    assert torch.equal(normalize(pixels), normalize(pixels, torch.empty(2, 0)))


def test_images_are_left_as_they_are():
    images = torch.rand(2, 1, 3, 3)
    kept = images.clone()
    Normalize((0.5,), (0.25,))(images)
    assert torch.equal(images, kept)


def test_an_image_does_not_depend_on_the_batch_around_it():
    pixels = every_byte().repeat(20, 1, 1, 1)
    normalize = Normalize(MEAN, DEVIATION)
    assert torch.equal(torch.cat([normalize(part) for part in pixels.split(7)]), normalize(pixels))


@pytest.mark.parametrize(
    ("mean", "deviation"),
    [((0.5,), (0.2, 0.2)), ((0.5,), (0.0,)), ((0.5, 0.5), (0.2, -0.1)), ((0.5,), (float("nan"),))],
)
def test_impossible_constants_are_refused(mean, deviation):
    with pytest.raises(ValueError, match="one mean and one positive deviation a channel: got"):
        Normalize(mean, deviation)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_the_images_given_are_left_as_they_were(dtype):
    given = every_byte().to(dtype)
    before = given.clone()
    Normalize(MEAN, DEVIATION)(given)
    assert torch.equal(given, before)


def test_sizes_may_change_between_batches():
    normalize = Normalize(MEAN, DEVIATION)
    wide = every_byte().view(2, 3, 8, 32)
    assert torch.equal(normalize(wide).view(2, 3, 16, 16), normalize(every_byte()))


def test_gradients_flow_after_a_measurement():
    normalize, shares = Normalize(MEAN, DEVIATION), every_byte() / 255
    with torch.inference_mode():
        normalize(shares)
    shares.requires_grad_()
    normalize(shares * 1.0).sum().backward()
    assert shares.grad is not None
    torch.testing.assert_close(shares.grad[0, :, 0, 0], 1 / torch.tensor(DEVIATION))
