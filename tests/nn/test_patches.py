import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from gradlab.nn import img_to_patch


def counted(batch: int, channels: int, height: int, width: int) -> Tensor:
    """Images whose every number is another one."""
    return torch.arange(batch * channels * height * width, dtype=torch.float64).view(batch, channels, height, width)


def columns_first(x: Tensor, patch_size: int, flatten_channels: bool = True) -> Tensor:
    """Wrong: walks over the patches top to bottom."""
    return img_to_patch(x.transpose(2, 3), patch_size, flatten_channels)


def reshaped(x: Tensor, patch_size: int, flatten_channels: bool = True) -> Tensor:
    """Wrong: cuts the numbers as they lie in memory, the shape being right."""
    patches = x.reshape(len(x), -1, x.shape[1], patch_size, patch_size)
    return patches.flatten(2) if flatten_channels else patches


def check_equals_unfold(cut, sizes: tuple[int, int, int, int, int]) -> None:
    batch, channels, rows, columns, patch = sizes
    images = counted(batch, channels, rows * patch, columns * patch)
    unfolded = F.unfold(images, patch, stride=patch).transpose(1, 2)
    assert torch.equal(cut(images, patch), unfolded)
    squares = cut(images, patch, flatten_channels=False)
    assert torch.equal(squares, unfolded.unflatten(2, (channels, patch, patch)))


@settings(max_examples=50, deadline=None)
@given(sizes=st.tuples(*[st.integers(1, 4)] * 5))
def test_it_equals_unfold(sizes):
    check_equals_unfold(img_to_patch, sizes)


@pytest.mark.parametrize("wrong", [columns_first, reshaped])
def test_other_orders_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_unfold(wrong, (2, 3, 2, 2, 2))


def test_patches_are_squares_of_the_image():
    images = counted(2, 3, 8, 12)
    patches = img_to_patch(images, 4, flatten_channels=False)
    assert patches.shape == (2, 6, 3, 4, 4)
    assert torch.equal(patches[1, 4], images[1, :, 4:8, 4:8])
    assert torch.equal(patches[0, 2], images[0, :, 0:4, 8:12])


def test_other_memory_layouts_make_no_difference():
    images = counted(2, 3, 4, 6).contiguous(memory_format=torch.channels_last)
    assert torch.equal(img_to_patch(images, 2), img_to_patch(images.contiguous(), 2))


@pytest.mark.parametrize(
    ("patch", "size"), [(3, (8, 8)), (4, (8, 6)), (4, (6, 8)), (0, (8, 8)), (-2, (8, 8)), (9, (8, 8))]
)
def test_patches_that_do_not_divide_are_refused(patch, size):
    told = re.escape(f"patch must divide the image sides: got patch {patch}, image {size[0]}x{size[1]}")
    with pytest.raises(ValueError, match=told):
        img_to_patch(torch.zeros(1, 3, *size), patch)
