import colorsys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gradlab.augment.pixels import grey, shift_hue, to_floats

SHARE = st.floats(0, 1, width=32)


def six_cases(images: Tensor, turns: Tensor) -> Tensor:
    """Pixel by pixel through the standard library's hue, saturation and value, in double precision."""
    turned = torch.empty_like(images, dtype=torch.float64)
    for image, target, turn in zip(images.double(), turned, turns.tolist(), strict=True):
        for place in range(image[0].numel()):
            hue, saturation, value = colorsys.rgb_to_hsv(*image.flatten(1)[:, place].tolist())
            pixel = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
            target.view(3, -1)[:, place] = torch.tensor(pixel, dtype=torch.float64)
    return turned


def other_way(images: Tensor, turns: Tensor) -> Tensor:
    """Wrong: turns the wheel backwards."""
    return shift_hue(images, -turns)


def colours() -> tuple[Tensor, Tensor]:
    """Random colours, the corners of the colour cube and its greys."""
    generator = torch.Generator().manual_seed(0)
    random = torch.rand(6, 3, 4, 4, generator=generator)
    corners = torch.randint(0, 2, (6, 3, 4, 4), generator=generator).float()
    return torch.cat([random, corners, random[:, :1].expand(-1, 3, -1, -1)]), torch.linspace(-0.5, 0.5, 18)


def check_hue(shift) -> None:
    images, turns = colours()
    torch.testing.assert_close(shift(images, turns).double(), six_cases(images, turns), rtol=0, atol=1e-6)


def test_hues_are_those_of_the_standard_library():
    check_hue(shift_hue)


def test_a_wheel_that_turns_backwards_is_told_apart():
    with pytest.raises(AssertionError):
        check_hue(other_way)


def test_a_third_of_the_wheel_makes_red_green():
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    torch.testing.assert_close(
        shift_hue(red, torch.tensor([1 / 3])).flatten(), torch.tensor([0.0, 1, 0]), rtol=0, atol=1e-6
    )


@given(SHARE, SHARE, SHARE, st.floats(-3, 3, width=32))
def test_brightest_and_darkest_stay(red, green, blue, turn):
    pixel = torch.tensor([red, green, blue]).view(1, 3, 1, 1)
    found = shift_hue(pixel, torch.tensor([turn]))
    assert found.isfinite().all()
    torch.testing.assert_close(found.amax(), pixel.amax(), rtol=0, atol=2e-7)
    torch.testing.assert_close(found.amin(), pixel.amin(), rtol=0, atol=2e-7)


def test_one_channel_has_no_hue():
    image = torch.rand(2, 1, 3, 3)
    assert shift_hue(image, torch.tensor([0.2, 0.3])) is image


def test_grey_is_torchvisions(torchvision):
    found = grey(to_floats(torchvision["images"], torch.float32))
    torch.testing.assert_close(found.expand(-1, 3, -1, -1), torchvision["grey"], rtol=0, atol=1e-6)


def test_bytes_become_shares_and_floats_stay():
    assert to_floats(torch.tensor([0, 51, 255], dtype=torch.uint8), torch.float32).tolist() == pytest.approx(
        [0, 0.2, 1]
    )
    assert to_floats(torch.tensor([0.5, 3.0]), torch.float64).tolist() == [0.5, 3.0]


@pytest.mark.parametrize("function", [grey, lambda images: shift_hue(images, torch.zeros(1))])
@pytest.mark.parametrize("channels", [2, 4])
def test_other_numbers_of_channels_have_no_colours(function, channels):
    with pytest.raises(
        ValueError, match=f"colours need 1 or 3 channels: got {channels}; leave the colour transforms out"
    ):
        function(torch.zeros(1, channels, 2, 2))
