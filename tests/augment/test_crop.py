import math

import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.nn import functional as F

from gradlab.augment import RandomResizedCrop
from gradlab.augment.crop import ATTEMPTS, interpolation, resample

SIZES = [(32, 32), (20, 45), (45, 20), (7, 9)]


class Plain(RandomResizedCrop):
    """Wrong: no antialiasing, so that a crop that shrinks loses pixels."""

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        return by_torch(self, images, uniforms, antialias=False)


class SidesSwapped(RandomResizedCrop):
    """Wrong: takes the drawn ratio for height over width."""

    def rectangles(self, uniforms: Tensor, *, height: int, width: int) -> Tensor:
        return super().rectangles(uniforms, height=width, width=height)[:, [1, 0, 3, 2]]


def drawn(count: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 3, height, width, generator=generator, dtype=torch.float64)
    return images, torch.rand(count, RandomResizedCrop.uniforms, generator=generator, dtype=torch.float64)


def by_torch(crop: RandomResizedCrop, images: Tensor, uniforms: Tensor, *, antialias: bool = True) -> Tensor:
    """Cuts and resizes image by image with torch's own antialiased interpolation, which torchvision calls."""
    rectangles = crop.rectangles(uniforms, height=images.shape[-2], width=images.shape[-1]).tolist()
    cut = [image[None, :, top : top + height, left : left + width]
           for image, (top, left, height, width) in zip(images, rectangles, strict=True)]  # fmt: skip
    return torch.cat([
        F.interpolate(part, (crop.size, crop.size), mode="bilinear", antialias=antialias, align_corners=False)
        for part in cut
    ])  # fmt: skip


def one_by_one(draws: list[float], height: int, width: int, scale: tuple, ratio: tuple) -> list[int]:
    """The rectangle as torchvision's `RandomResizedCrop.get_params` finds it, from given draws."""
    for attempt in range(ATTEMPTS):
        area = height * width * (scale[0] + (scale[1] - scale[0]) * draws[attempt])
        logarithms = math.log(ratio[0]), math.log(ratio[1])
        aspect = math.exp(logarithms[0] + (logarithms[1] - logarithms[0]) * draws[ATTEMPTS + attempt])
        crop_width, crop_height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < crop_width <= width and 0 < crop_height <= height:
            top = math.floor(draws[-2] * (height - crop_height + 1))
            left = math.floor(draws[-1] * (width - crop_width + 1))
            return [top, left, crop_height, crop_width]
    if width / height < min(ratio):
        crop_height, crop_width = round(width / min(ratio)), width
    elif width / height > max(ratio):
        crop_height, crop_width = height, round(height * max(ratio))
    else:
        crop_height, crop_width = height, width
    return [(height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width]


def check_pixels(kind: type[RandomResizedCrop]) -> None:
    for seed, (height, width) in enumerate(SIZES):
        images, uniforms = drawn(12, height, width, seed)
        for size in (1, 5, 16, 60):
            crop = kind(size, dtype=torch.float64)
            found = crop(images, uniforms)
            torch.testing.assert_close(found, by_torch(crop, images, uniforms), rtol=0, atol=1e-12)


def check_rectangles(kind: type[RandomResizedCrop]) -> None:
    for scale, ratio in [((0.08, 1.0), (3 / 4, 4 / 3)), ((0.9, 1.0), (0.5, 2.0)), ((1.0, 1.0), (4.0, 5.0))]:
        for seed, (height, width) in enumerate(SIZES):
            uniforms = drawn(200, 1, 1, seed)[1]
            found = kind(8, scale, ratio).rectangles(uniforms, height=height, width=width)
            assert found.tolist() == [one_by_one(row, height, width, scale, ratio) for row in uniforms.tolist()]


def test_pixels_are_those_of_torch_s_antialiased_resize():
    check_pixels(RandomResizedCrop)


def test_a_resize_without_antialiasing_is_told_apart():
    with pytest.raises(AssertionError):
        check_pixels(Plain)


def test_rectangles_are_drawn_as_torchvision_draws_them():
    check_rectangles(RandomResizedCrop)


def test_swapped_sides_are_told_apart():
    with pytest.raises(AssertionError):
        check_rectangles(SidesSwapped)


def test_crops_are_torchvisions(torchvision):
    for size in (8, 16):
        found = RandomResizedCrop(size).cropped(torchvision["images"], torchvision[f"crop/rectangles {size}"])
        torch.testing.assert_close(found, torchvision[f"crop {size}"], rtol=0, atol=2e-6)


def test_torchvision_draws_the_same_rectangles(torchvision):
    uniforms, theirs = drawn(4000, 1, 1)[1], torchvision["draws/crop"]
    ours = RandomResizedCrop(32, (0.25, 1.0)).rectangles(uniforms, height=32, width=32)
    smaller = RandomResizedCrop(32).rectangles(uniforms, height=32, width=32)
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001
        assert stats.ks_2samp(smaller[:, column], theirs[:, column]).pvalue < 1e-6


def test_a_mirrored_crop_is_a_mirror_and_a_crop():
    images, uniforms = drawn(12, 20, 45)
    mirrored = torch.arange(12) % 3 == 0
    crop = RandomResizedCrop(16, dtype=torch.float64)
    found = crop.cropped(images, crop.rectangles(uniforms, height=20, width=45), mirrored)
    expected = crop(torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images), uniforms)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)


def test_rectangles_lie_in_the_image_even_for_the_largest_draws():
    for largest in (0.0, 1 - 2**-24, 1 - 2**-53):
        for height, width in SIZES:
            uniforms = torch.full((1, RandomResizedCrop.uniforms), largest, dtype=torch.float64)
            top, left, crop_height, crop_width = (
                RandomResizedCrop(8).rectangles(uniforms, height=height, width=width)[0].tolist()
            )
            assert 0 <= top <= top + crop_height <= height
            assert 0 <= left <= left + crop_width <= width
            assert min(crop_height, crop_width) >= 1


def test_places_are_uniform():
    """Chi-square with 4 degrees of freedom over the 5 tops of a crop of 4 of 8 rows: above 23.5 once in 10,000."""
    uniforms = drawn(4000, 1, 1)[1]
    rectangles = RandomResizedCrop(4, (0.25, 0.25), (1.0, 1.0)).rectangles(uniforms, height=8, width=8)
    assert (rectangles[:, 2:] == 4).all()
    for column in (0, 1):
        counts = rectangles[:, column].bincount(minlength=5).double()
        assert len(counts) == 5
        assert ((counts - 800) ** 2 / 800).sum() < 23.5


def test_the_whole_image_at_its_own_size_is_itself():
    images, uniforms = drawn(4, 16, 16)
    crop = RandomResizedCrop(16, (1.0, 1.0), (1.0, 1.0), dtype=torch.float64)
    torch.testing.assert_close(crop(images, uniforms), images, rtol=0, atol=1e-14)


def test_bytes_are_read_as_shares_of_255():
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (5, 3, 12, 12), dtype=torch.uint8, generator=generator)
    uniforms = torch.rand(5, RandomResizedCrop.uniforms, generator=generator)
    crop = RandomResizedCrop(8, dtype=torch.float64)
    torch.testing.assert_close(crop(pixels, uniforms), crop(pixels.double() / 255, uniforms), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_output_has_the_size_and_type_asked_for(dtype):
    images, uniforms = drawn(2, 10, 12)
    for pixels in (images, images.float(), (images * 255).to(torch.uint8)):
        found = RandomResizedCrop(7, dtype=dtype)(pixels, uniforms.float())
        assert (found.shape, found.dtype) == ((2, 3, 7, 7), dtype)


def test_a_view_does_not_depend_on_the_batch_around_it():
    images, uniforms = drawn(64, 32, 32)
    images, uniforms = images.float(), uniforms.float()
    crop = RandomResizedCrop(32)
    together = crop(images, uniforms)
    for size in (1, 3, 16, 50):
        parts = [crop(*part) for part in zip(images.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"


def test_interpolation_by_hand():
    """Four pixels to two: a triangle of two pixels' width on either side, within the crop, with sum 1."""
    start, length = torch.tensor([1]), torch.tensor([4])
    (matrix,) = interpolation(start, length, side=6, size=2, dtype=torch.float64)
    expected = torch.tensor([[0, 3, 3, 1, 0, 0], [0, 0, 1, 3, 3, 0]], dtype=torch.float64) / 7
    torch.testing.assert_close(matrix, expected, rtol=0, atol=1e-15)


def test_resample_maps_columns_then_rows():
    images = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    down, across = torch.randn(2, 6, 4, dtype=torch.float64), torch.randn(2, 7, 5, dtype=torch.float64)
    expected = torch.einsum("bih,bchw,bjw->bcij", down, images, across)
    torch.testing.assert_close(resample(images, down, across), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"scale": (0.0, 1.0)},
        {"scale": (0.5, 0.4)},
        {"scale": (0.5, 1.1)},
        {"ratio": (0.0, 1.0)},
        {"ratio": (2.0, 1.0)},
    ],
)
def test_impossible_ranges_are_refused(wrong):
    with pytest.raises(ValueError, match=r"a crop needs size >= 1, 0 < scale <= 1 and 0 < ratio"):
        RandomResizedCrop(**{"size": 8, **wrong})
