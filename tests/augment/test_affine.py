import math

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import Tensor
from torch.nn import functional as F

from gradlab.augment import SmallAffine

MIDDLE = 0.5
"""The uniform number that draws no rotation, no shift, no rescaling."""
RANGES = {"degrees": 35.0, "translate": 2.5, "scale": 0.3}
SIZES = [(28, 28), (9, 9), (12, 20), (21, 8), (1, 6)]


class OtherWay(SmallAffine):
    """Wrong: turns clockwise where the sign says counter-clockwise (a transposed grid)."""

    def inverse_matrices(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        mirrored = uniforms.clone()
        mirrored[:, 0] = 1 - mirrored[:, 0]
        return super().inverse_matrices(mirrored, height=height, width=width)


class SquareOnly(SmallAffine):
    """Wrong: forgets that both sides of any picture run from -1 to 1, which shears those that are not square."""

    def inverse_matrices(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        matrices = super().inverse_matrices(uniforms, height=height, width=height)
        matrices[:, 0, 2] *= height / width
        return matrices


class CornerAligned(SmallAffine):
    """Wrong: puts -1 and 1 on the centres of the corner pixels instead of on their outer edges."""

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        matrices = self.inverse_matrices(uniforms, height=images.shape[-2], width=images.shape[-1])
        grid = F.affine_grid(matrices, list(images.shape), align_corners=True)
        return F.grid_sample(images.to(self.dtype), grid, padding_mode="zeros", align_corners=True)


class Rolled(SmallAffine):
    """Wrong: what leaves on one side comes back on the other."""

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        across, down = ((1 - 2 * uniforms[0, 2:]) * self.translate).round().int().tolist()
        return images.to(self.dtype).roll((down, across), (-2, -1))


def drawn(count: int, height: int, width: int, *, seed: int = 0, channels: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, channels, height, width, generator=generator, dtype=torch.float64)
    return images, torch.rand(count, 4, generator=generator, dtype=torch.float64)


def scipys(images: Tensor, uniforms: Tensor, *, degrees: float, translate: float, scale: float) -> np.ndarray:
    """The same warp in scipy's coordinates: pixel indices, row before column, first pixel 0."""
    warped = np.zeros(images.shape)
    height, width = images.shape[-2:]
    for sample, (turn, rescale, across, down) in enumerate((2 * uniforms - 1).tolist()):
        angle, factor = math.radians(degrees) * turn, 1 + scale * rescale
        matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) / factor
        middle = np.array([(height - 1) / 2, (width - 1) / 2])
        offset = middle + translate * np.array([down, across]) - matrix @ middle
        for channel, image in enumerate(images[sample].numpy()):
            warped[sample, channel] = scipy.ndimage.affine_transform(
                image, matrix, offset, order=1, mode="grid-constant", cval=0
            )
    return warped


def check_equals_scipy(kind: type[SmallAffine], *, dtype: torch.dtype, tolerance: float, sizes=SIZES) -> None:
    warp = kind(**RANGES, dtype=dtype)
    for seed, (height, width) in enumerate(sizes):
        images, uniforms = drawn(8, height, width, seed=seed, channels=2)
        found = warp(images, uniforms).double().numpy()
        np.testing.assert_allclose(found, scipys(images, uniforms, **RANGES), rtol=0, atol=tolerance)


def check_a_quarter_turn_is_counter_clockwise(kind: type[SmallAffine]) -> None:
    before = torch.tensor([[1, 2, 3], [0, 0, 4], [0, 0, 0]], dtype=torch.float64)
    after = torch.tensor([[3, 4, 0], [2, 0, 0], [1, 0, 0]], dtype=torch.float64)
    warp = kind(degrees=90, translate=0, scale=0, dtype=torch.float64)
    uniforms = torch.tensor([[1.0, MIDDLE, MIDDLE, MIDDLE]])
    torch.testing.assert_close(warp(before[None, None], uniforms)[0, 0], after, rtol=0, atol=1e-14)


def check_a_shift_brings_in_black(kind: type[SmallAffine]) -> None:
    before = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.float64)
    warp = kind(degrees=0, translate=1, scale=0, dtype=torch.float64)
    cases = {
        (1.0, MIDDLE): [[2, 3, 0], [5, 6, 0]],  # looks one pixel to the right, so the picture moves left
        (0.0, MIDDLE): [[0, 1, 2], [0, 4, 5]],
        (MIDDLE, 1.0): [[4, 5, 6], [0, 0, 0]],
        (MIDDLE, 0.0): [[0, 0, 0], [1, 2, 3]],
    }
    for (across, down), after in cases.items():
        found = warp(before[None, None], torch.tensor([[MIDDLE, MIDDLE, across, down]]))[0, 0]
        torch.testing.assert_close(found, torch.tensor(after, dtype=torch.float64), rtol=0, atol=1e-14)


def test_it_equals_scipy_in_double_precision():
    check_equals_scipy(SmallAffine, dtype=torch.float64, tolerance=1e-12)


def test_it_equals_scipy_in_single_precision():
    check_equals_scipy(SmallAffine, dtype=torch.float32, tolerance=1e-5)


@pytest.mark.parametrize("wrong", [OtherWay, SquareOnly, CornerAligned])
def test_wrong_geometry_is_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_scipy(wrong, dtype=torch.float64, tolerance=1e-2)


def test_a_square_picture_alone_would_not_show_the_missing_ratio():
    check_equals_scipy(SquareOnly, dtype=torch.float64, tolerance=1e-12, sizes=[(9, 9)])


def test_a_quarter_turn_is_counter_clockwise():
    check_a_quarter_turn_is_counter_clockwise(SmallAffine)


def test_the_other_direction_is_told_apart():
    with pytest.raises(AssertionError):
        check_a_quarter_turn_is_counter_clockwise(OtherWay)


def test_a_shift_brings_in_black():
    check_a_shift_brings_in_black(SmallAffine)


def test_a_roll_is_told_apart():
    with pytest.raises(AssertionError):
        check_a_shift_brings_in_black(Rolled)


def test_half_the_size_is_the_mean_of_every_four_pixels():
    image = torch.rand(1, 1, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    warp = SmallAffine(degrees=0, translate=0, scale=0.5, dtype=torch.float64)
    found = warp(image, torch.tensor([[MIDDLE, 0.0, MIDDLE, MIDDLE]]))
    torch.testing.assert_close(found, F.pad(F.avg_pool2d(image, 2), (1, 1, 1, 1)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", SIZES)
def test_no_change_gives_the_picture_back(dtype, size):
    """Coordinates of up to a side's length, rounded four times, are off by that much of a pixel."""
    images, _ = drawn(3, *size, channels=3)
    images = images.to(dtype)
    for ranges, uniforms in [
        (RANGES, torch.full((3, 4), MIDDLE)),
        ({"degrees": 0, "translate": 0, "scale": 0}, drawn(3, 1, 1)[1]),
    ]:
        warp = SmallAffine(**ranges, dtype=dtype)
        eye = torch.eye(2, 3, dtype=dtype).expand(3, 2, 3)
        assert torch.equal(warp.inverse_matrices(uniforms, height=size[0], width=size[1]), eye)
        found = warp(images, uniforms)
        torch.testing.assert_close(found, images, rtol=0, atol=4 * max(size) * torch.finfo(dtype).eps)


def test_bytes_are_read_as_shares_of_255():
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=generator)
    uniforms = torch.rand(5, 4, generator=generator)
    warp = SmallAffine(**RANGES)
    assert torch.equal(warp(pixels, uniforms), warp(pixels.float() / 255, uniforms))
    assert warp(torch.full((5, 1, 8, 8), 255, dtype=torch.uint8), uniforms)[..., 3:5, 3:5].allclose(torch.ones(1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_output_has_the_type_asked_for(dtype):
    warp = SmallAffine(**RANGES, dtype=dtype)
    for images in (
        torch.zeros(2, 1, 4, 4, dtype=torch.uint8),
        torch.zeros(2, 1, 4, 4),
        torch.zeros(2, 1, 4, 4).double(),
    ):
        assert warp(images, torch.rand(2, 4)).dtype == dtype


def test_a_view_does_not_depend_on_the_batch_around_it():
    images, uniforms = drawn(64, 28, 28)
    images, uniforms = images.float(), uniforms.float()
    warp = SmallAffine(**RANGES)
    together = warp(images, uniforms)
    order = torch.randperm(64, generator=torch.Generator().manual_seed(3))
    assert torch.equal(warp(images[order], uniforms[order]), together[order])
    for size in (1, 3, 16, 50):
        parts = [warp(*part) for part in zip(images.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"


def test_inputs_are_left_as_they_are():
    images, uniforms = drawn(2, 6, 6)
    kept = images.clone(), uniforms.clone()
    SmallAffine(**RANGES, dtype=torch.float64)(images, uniforms)
    assert torch.equal(images, kept[0])
    assert torch.equal(uniforms, kept[1])


def test_each_number_draws_one_thing_over_its_whole_range():
    warp = SmallAffine(**RANGES, dtype=torch.float64)
    ends = torch.full((8, 4), MIDDLE, dtype=torch.float64)
    for column in range(4):
        ends[2 * column, column], ends[2 * column + 1, column] = 0, 1
    turned, scaled, shifted = [], [], []
    for matrix in warp.inverse_matrices(ends, height=10, width=10).numpy():
        turned.append(math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])))
        scaled.append(1 / math.sqrt(np.linalg.det(matrix[:, :2])))
        shifted += (matrix[:, 2] * 10 / 2).tolist()
    np.testing.assert_allclose(turned, [-35, 35, 0, 0, 0, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(scaled, [1, 1, 0.7, 1.3, 1, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(shifted, [0] * 8 + [-2.5, 0, 2.5, 0, 0, -2.5, 0, 2.5], atol=1e-12)


@pytest.mark.parametrize(
    "ranges",
    [
        {"degrees": -1, "translate": 0, "scale": 0},
        {"degrees": 0, "translate": -0.1, "scale": 0},
        {"degrees": 0, "translate": 0, "scale": -0.1},
        {"degrees": 0, "translate": 0, "scale": 1},
        {"degrees": 0, "translate": math.nan, "scale": 0},
    ],
)
def test_impossible_ranges_are_refused(ranges):
    with pytest.raises(ValueError, match=r"ranges must be >= 0 and scale < 1: got degrees="):
        SmallAffine(**ranges)


def test_four_numbers_a_sample():
    assert SmallAffine(**RANGES).uniforms == 4
