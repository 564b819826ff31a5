import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor, nn

from gradlab.augment import Normalize
from gradlab.data import Images
from gradlab.evaluation import measure_classification
from gradlab.evaluation.rotation import accuracy_over_rotation, rotate, rotate_each, turned

NORMALIZE = Normalize((0.4,), (0.3,))


def drawn(height: int, width: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(height * width)
    return torch.rand(count, 2, height, width, generator=generator, dtype=torch.float64)


def scipys(images: Tensor, degrees: float) -> np.ndarray:
    """Output row and column, counted from the middle, looked up in the picture before it was turned."""
    middle = (np.array(images.shape[-2:]) - 1) / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[cosine, sine], [-sine, cosine]])
    offset = middle - matrix @ middle
    flat = images.numpy().reshape(-1, *images.shape[-2:])
    turned = [scipy.ndimage.affine_transform(one, matrix, offset, order=1, mode="grid-constant") for one in flat]
    return np.stack(turned).reshape(images.shape)


def clockwise(images: Tensor, degrees: float) -> Tensor:
    """Wrong direction."""
    return rotate(images, -degrees)


def as_if_square(images: Tensor, degrees: float) -> Tensor:
    """Wrong for pictures that are not square: shears them."""
    radians = math.radians(degrees)
    matrix = images.new_tensor([[math.cos(radians), -math.sin(radians), 0], [math.sin(radians), math.cos(radians), 0]])
    grid = nn.functional.affine_grid(matrix.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, align_corners=False)


def check_equals_scipy(turn) -> None:
    for height, width in [(9, 9), (8, 8), (6, 11)]:
        images = drawn(height, width)
        for degrees in (-170, -30.5, 1, 45, 90, 133, 180, 270, 359, 725):
            np.testing.assert_allclose(turn(images, degrees).numpy(), scipys(images, degrees), rtol=0, atol=1e-12)


def test_it_equals_scipy():
    check_equals_scipy(rotate)


@pytest.mark.parametrize("wrong", [clockwise, as_if_square])
def test_other_rotations_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_scipy(wrong)


def test_a_quarter_turn_is_counter_clockwise_and_keeps_bytes():
    before = torch.tensor([[1, 2, 3], [0, 0, 4], [0, 0, 0]], dtype=torch.uint8)
    after = torch.tensor([[3, 4, 0], [2, 0, 0], [1, 0, 0]], dtype=torch.uint8)
    for degrees in (90, 450, -270, 90.0):
        assert torch.equal(rotate(before[None, None], degrees)[0, 0], after)
    for degrees in (0, 360, -720):
        assert torch.equal(rotate(before[None, None], degrees)[0, 0], before)


def test_half_a_turn_keeps_bytes_of_pictures_that_are_not_square():
    images = torch.arange(6, dtype=torch.uint8).view(1, 1, 2, 3)
    assert torch.equal(rotate(images, 180), images.flip(-1, -2))
    assert rotate(images, 90).shape == images.shape


def test_bytes_become_shares_of_255():
    images = torch.full((1, 1, 9, 9), 255, dtype=torch.uint8)
    turned = rotate(images, 45)
    assert turned.dtype == torch.float32
    torch.testing.assert_close(turned[..., 3:6, 3:6], torch.ones(1, 1, 3, 3), rtol=0, atol=1e-6)
    assert turned[0, 0, 0, 0] == 0, "the corners are black"


def test_rows_are_those_of_a_direct_computation():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (80, 1, 4, 4), generator=generator, dtype=torch.uint8)
    images = Images(pixels, torch.randint(0, 3, (80,), generator=generator), ("a", "b", "c"))
    models = {}
    for seed in (5, 2):
        models[seed] = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        with torch.no_grad():
            models[seed][1].weight.copy_(torch.randn(3, 16, generator=generator))
    rows = list(accuracy_over_rotation(models, images, NORMALIZE, (0, 30, 90), split="validation"))
    assert [(row["angle"], row["seed"], row["split"]) for row in rows] == [
        (angle, seed, "validation") for angle in (0, 30, 90) for seed in (5, 2)
    ]
    for row in rows:
        with torch.no_grad():
            logits = models[row["seed"]](NORMALIZE(rotate(pixels, row["angle"])))
        assert row["accuracy"] == pytest.approx((logits.argmax(1) == images.labels).double().mean().item(), abs=1e-15)
    assert len({row["accuracy"] for row in rows}) > 2, "turning must matter here, or this test shows nothing"
    for row in rows[:2]:
        assert row["accuracy"] == measure_classification(models[row["seed"]], images, NORMALIZE)["accuracy"]


@pytest.mark.parametrize("shape", [(5, 2, 9, 9), (5, 1, 8, 12)])
def test_each_image_by_its_own_angle_is_each_image_alone(shape):
    images = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    degrees = torch.tensor([0.0, 10.0, 45.0, 200.5, -77.0])
    together = rotate_each(images, degrees)
    for place, angle in enumerate(degrees.tolist()):
        alone = rotate(images[place : place + 1], angle)
        alone = alone.float() / 255 if alone.dtype == torch.uint8 else alone
        torch.testing.assert_close(together[place : place + 1], alone, atol=2e-5, rtol=0)


def test_autocast_does_not_round_where_pixels_are_read():
    images = drawn(28, 28).float()
    degrees = torch.tensor([33.0, 57.0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        whole, each = rotate(images, 33), rotate_each(images, degrees)
    assert torch.equal(whole, rotate(images, 33))
    assert torch.equal(each, rotate_each(images, degrees))


def test_every_image_of_a_split_has_an_angle_of_its_own_that_its_generator_tells():
    pixels = torch.randint(0, 256, (1, 1, 9, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = Images(pixels.expand(3, -1, -1, -1).contiguous(), torch.tensor([2, 0, 1]), ("a", "b", "c"))
    first, again, other = (turned(images, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.pixels, again.pixels)
    assert not torch.equal(first.pixels, other.pixels)
    assert not torch.equal(first.pixels[0], first.pixels[1])
    assert first.pixels.dtype == torch.uint8
    assert torch.equal(first.labels, images.labels)
    degrees = 360 * torch.rand(3, generator=torch.Generator().manual_seed(1))
    expected = 255 * rotate(images.pixels[1:2], float(degrees[1]))
    assert (first.pixels[1:2] - expected).abs().max() <= 0.5 + 1e-3
