import os
import shutil

import pytest
import torch

from gradlab.augment import (
    BatchShuffle,
    ColorJitter,
    FusedPipeline,
    GaussianBlur,
    Normalize,
    Pipeline,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    native,
    simclr_augmentation,
)
from gradlab.augment.fused import KINDS, augmented, runs_natively
from gradlab.nn.native import SWITCH

JITTER = ColorJitter(0.5, 0.5, 0.5, 0.1, p=0.8)
NORMALIZE = Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


@pytest.fixture(scope="module")
def kernel():
    """The native kernel, from the user's cache as in use."""
    if shutil.which("c++") is None or os.environ.get(SWITCH) == "0":
        pytest.skip("no C++ compiler, or switched off")
    found = native.kernel()
    assert found is not None, "there is a compiler, and it fails"
    return found


def drawn(transform, count: int = 48, channels: int = 3, height: int = 32, width: int = 32, seed: int = 0):
    """Smooth pictures, noise, black, white and the corners of the colour cube."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator)
    pixels[1::4] = pixels[1::4] // 128 * 255
    pixels[2], pixels[6] = 0, 255
    pixels[3::4] = pixels[3::4, :, :1, :1]
    return pixels, torch.rand(count, transform.uniforms, generator=generator)


def check_equal(kernel, transforms, **shape) -> None:
    reference = Pipeline(transforms)
    pixels, uniforms = drawn(reference, **shape)
    found = augmented(kernel, transforms, pixels, uniforms)
    torch.testing.assert_close(found, reference(pixels, uniforms), rtol=0, atol=1e-5)


ROWS = [
    simclr_augmentation().transforms,
    [RandomHorizontalFlip(), RandomResizedCrop(32, (0.08, 1.0)), NORMALIZE],
    [RandomResizedCrop(32)],
    [JITTER],
    [RandomHorizontalFlip(1.0), ColorJitter(brightness=0.9, p=1)],
    [ColorJitter(contrast=2, p=1), NORMALIZE],
    [ColorJitter(saturation=3, p=1)],
    [ColorJitter(hue=0.5, p=1), RandomGrayscale(0.5)],
    [GaussianBlur(9, (0.1, 5.0))],
    [RandomHorizontalFlip(), NORMALIZE],
]


@pytest.mark.parametrize("transforms", ROWS)
def test_the_kernel_equals_torch_at_32_pixels(transforms, kernel):
    check_equal(kernel, transforms)


@pytest.mark.parametrize(
    ("size", "height", "width"), [(32, 48, 40), (96, 96, 96), (24, 96, 50), (16, 7, 9), (40, 32, 32)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_kernel_equals_torch_at_other_sizes(size, height, width, channels, kernel):
    """Shrinking, growing and both at once; one channel has no colours to change."""
    transforms = simclr_augmentation(size).transforms
    check_equal(kernel, transforms, count=12, channels=channels, height=height, width=width)
    check_equal(
        kernel, [NORMALIZE] if channels == 3 else [JITTER], count=12, channels=channels, height=height, width=width
    )


def test_a_kernel_that_mirrors_after_the_crop_would_be_told_apart(kernel):
    """The reference of a wrong order of stages is far off."""
    transforms = simclr_augmentation().transforms
    pixels, uniforms = drawn(Pipeline(transforms))
    swapped = Pipeline([transforms[1], transforms[0], *transforms[2:]])
    numbers = torch.cat([uniforms[:, 1:23], uniforms[:, :1], uniforms[:, 23:]], dim=1)
    found = augmented(kernel, transforms, pixels, uniforms)
    assert (found - swapped(pixels, numbers)).abs().max() > 0.1


def test_a_view_has_the_same_bits_whatever_the_batch_and_the_threads(kernel):
    transform = simclr_augmentation()
    pixels, uniforms = drawn(transform)
    together = transform(pixels, uniforms)
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(1))
    assert torch.equal(transform(pixels[order], uniforms[order]), together[order])
    for size in (1, 5, 17):
        parts = [transform(*part) for part in zip(pixels.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.equal(transform(pixels, uniforms), together)
    finally:
        torch.set_num_threads(before)


def test_in_torch_too_a_view_has_the_same_bits_whatever_the_batch():
    transform = FusedPipeline(simclr_augmentation().transforms, native=False)
    pixels, uniforms = drawn(transform, count=100)  # more than one piece
    together = transform(pixels, uniforms)
    for size in (9, 64):
        parts = [transform(*part) for part in zip(pixels.split(size), uniforms.split(size), strict=True)]
        assert torch.equal(torch.cat(parts), together), f"batches of {size}"


@pytest.mark.parametrize("switch", ["argument", "environment"])
def test_switched_off_it_is_the_plain_pipeline(switch, monkeypatch):
    transforms = simclr_augmentation().transforms
    if switch == "environment":
        monkeypatch.setenv(SWITCH, "0")
    monkeypatch.setattr("gradlab.nn.native._loaded", lambda _kernel: pytest.fail("the kernel is asked for"))
    transform = FusedPipeline(transforms, native=switch != "argument")
    pixels, uniforms = drawn(transform)
    torch.testing.assert_close(transform(pixels, uniforms), Pipeline(transforms)(pixels, uniforms), rtol=0, atol=1e-6)


def test_floats_and_double_precision_go_through_torch(monkeypatch):
    monkeypatch.setattr("gradlab.nn.native._loaded", lambda _kernel: pytest.fail("the kernel is asked for"))
    pixels, uniforms = drawn(simclr_augmentation())
    assert simclr_augmentation()(pixels.float() / 255, uniforms).dtype == torch.float32
    crop = RandomResizedCrop(32, dtype=torch.float64)
    assert FusedPipeline([crop])(pixels, uniforms[:, :22]).dtype == torch.float64


class Darker(ColorJitter):
    """Does something else than its parent."""


@pytest.mark.parametrize(
    "transforms",
    [
        [],
        [RandomHorizontalFlip()],
        [NORMALIZE, JITTER],
        [JITTER, JITTER],
        [RandomErasing(), NORMALIZE],
        [GaussianBlur(1)],
        [Darker()],
        [ColorJitter(dtype=torch.float64)],
    ],
)
def test_other_rows_are_left_to_torch(transforms):
    assert not runs_natively(transforms)
    if transforms:
        reference = Pipeline(transforms)
        pixels, uniforms = drawn(reference)
        pixels = pixels.float() / 255
        assert torch.equal(FusedPipeline(transforms)(pixels, uniforms), reference(pixels, uniforms))


def test_every_row_that_keeps_the_order_runs_natively():
    whole = simclr_augmentation().transforms
    assert [type(transform) for transform in whole] == list(KINDS)
    for missing in range(6):
        assert runs_natively([*whole[:missing], *whole[missing + 1 :]])


def test_a_transform_of_the_whole_batch_is_not_cut_into_pieces():
    pixels = torch.arange(600, dtype=torch.float32).view(600, 1, 1, 1).expand(600, 3, 32, 32)
    uniforms = torch.rand(600, 2, generator=torch.Generator().manual_seed(0))
    pixels = pixels + torch.arange(1024).view(32, 32) / 2048
    assert torch.equal(FusedPipeline([BatchShuffle()])(pixels, uniforms), BatchShuffle()(pixels, uniforms))


@pytest.mark.parametrize("use_native", [True, False])
def test_an_empty_batch_and_images_that_do_not_lie_in_a_row(use_native):
    transform = FusedPipeline(simclr_augmentation().transforms, native=use_native)
    pixels, uniforms = drawn(transform)
    assert transform(pixels[:0], uniforms[:0]).shape == (0, 3, 32, 32)
    last = pixels.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.equal(transform(last, uniforms), transform(pixels, uniforms))


@pytest.mark.parametrize("use_native", [True, False])
@pytest.mark.parametrize(
    ("shape", "size", "message"),
    [((2, 32, 32), 32, "colours need 1 or 3 channels: got 2"), ((3, 5, 5), 96, None), ((3, 96, 96), 4, None)],
)
def test_what_torch_refuses_the_kernel_refuses(use_native, shape, size, message, kernel):
    transforms = [RandomResizedCrop(size), JITTER, GaussianBlur(9)]
    transform = FusedPipeline(transforms, native=use_native)
    pixels, uniforms = torch.zeros(2, *shape, dtype=torch.uint8), torch.zeros(2, transform.uniforms)
    if size == 96:
        assert transform(pixels, uniforms).shape == (2, 3, 96, 96)
    else:
        with pytest.raises(ValueError, match=message or "images of 4x4 are too small for a kernel of 9"):
            transform(pixels, uniforms)


@pytest.mark.parametrize("wrong", [float("nan"), -0.1, 1.0])
def test_the_kernel_is_not_sent_outside_the_image(wrong, kernel):
    transforms = simclr_augmentation().transforms
    pixels, uniforms = drawn(Pipeline(transforms))
    for rows in (uniforms[:5], uniforms[:, :-1]):
        with pytest.raises(ValueError, match=r"48 images need uniform numbers \[48, 31\]: got"):
            augmented(kernel, transforms, pixels, rows)
    uniforms[7, 23] = wrong
    with pytest.raises(ValueError, match=r"uniform numbers lie in \[0, 1\): got"):
        augmented(kernel, transforms, pixels, uniforms)
