import pytest
import torch

from gradlab.augment import Pipeline, baseline_augmentation, simclr_augmentation
from gradlab.augment.blur import blurred
from gradlab.augment.crop import RandomResizedCrop
from gradlab.augment.handbook import PARTS, blur_size
from gradlab.augment.jitter import HUE, Jitter, jittered
from gradlab.augment.pixels import grey
from gradlab.training.recorded import transforms_told


def replayed(torchvision, *, crop_first: bool = False) -> torch.Tensor:
    """The row of practical 5 for what torchvision drew at each step."""
    drawn = {name.removeprefix("recipe/"): values for name, values in torchvision.items() if name.startswith("recipe/")}
    crop = RandomResizedCrop(12)
    if crop_first:  # wrong: mirrors what was cut out, which is another part of the picture
        views = crop.cropped(torchvision["images"], drawn["rectangles"])
        views = torch.where(drawn["mirrored"].view(-1, 1, 1, 1), views.flip(-1), views)
    else:
        views = crop.cropped(torchvision["images"], drawn["rectangles"], drawn["mirrored"])
    amounts = torch.where(drawn["chosen"].view(-1, 1), drawn["amounts"], torch.tensor([1.0, 1, 1, 0]))
    factors = torch.cat([amounts[:, :HUE], torch.ones(8, 1)], dim=1)
    views = jittered(views, Jitter(factors, amounts[:, HUE], drawn["order"]))
    views = torch.where(drawn["greyed"].view(-1, 1, 1, 1), grey(views), views)
    return (blurred(views, drawn["sigma"], 3) - 0.5) / 0.5


def test_the_whole_row_is_torchvisions(torchvision):
    torch.testing.assert_close(replayed(torchvision), torchvision["recipe"], rtol=0, atol=1e-5)


def test_a_mirror_after_the_crop_is_told_apart(torchvision):
    with pytest.raises(AssertionError):
        torch.testing.assert_close(replayed(torchvision, crop_first=True), torchvision["recipe"], rtol=0, atol=1e-1)


def test_settings_are_the_handbooks():
    flip, crop, jitter, grayscale, blur, normalize = transforms_told(simclr_augmentation())
    assert flip == {"name": "RandomHorizontalFlip", "p": 0.5}
    assert (crop["size"], crop["scale"]) == (32, [0.25, 1.0])
    assert [jitter[name] for name in ("brightness", "contrast", "saturation", "hue", "p")] == [0.5, 0.5, 0.5, 0.1, 0.8]
    assert grayscale["p"] == 0.2
    assert (blur["kernel_size"], blur["sigma"]) == (3, [0.1, 2.0])
    assert normalize["name"] == "Normalize"
    names = ["RandomHorizontalFlip", "RandomResizedCrop", "RandomGrayscale", "GaussianBlur", "Normalize"]
    weaker = {told["name"]: told for told in transforms_told(baseline_augmentation())}
    assert list(weaker) == names
    assert weaker["RandomResizedCrop"]["scale"] == [0.8, 1.0]
    assert weaker["GaussianBlur"]["sigma"] == [0.1, 0.5]


@pytest.mark.parametrize("make", [simclr_augmentation, baseline_augmentation])
@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_in_and_numbers_from_minus_1_to_1_out(make, channels):
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (9, channels, 28, 28), dtype=torch.uint8, generator=generator)
    transform = make(28)
    views = transform(pixels, torch.rand(9, transform.uniforms, generator=generator))
    assert (views.shape, views.dtype) == ((9, channels, 28, 28), torch.float32)
    assert views.abs().max() <= 1 + 1e-5
    assert views.std() > 0.1


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_left_out(part):
    whole, without = simclr_augmentation(), simclr_augmentation(leave_out=[part])
    assert len(without.transforms) == len(whole.transforms) - 1
    kept = [type(transform) for transform in whole.transforms]
    del kept[PARTS.index(part)]
    assert [type(transform) for transform in without.transforms] == kept


def test_with_everything_left_out_the_image_stays():
    pixels = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    plain = simclr_augmentation(leave_out=PARTS)
    assert isinstance(plain, Pipeline)
    torch.testing.assert_close(plain(pixels, torch.empty(4, 0)), pixels / 127.5 - 1, rtol=0, atol=1e-6)


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="leave_out takes flip, crop, colour, grey, blur: got color"):
        simclr_augmentation(leave_out=["color"])


@pytest.mark.parametrize(("size", "expected"), [(8, 3), (28, 3), (32, 3), (64, 7), (96, 9), (224, 23)])
def test_the_blur_grows_with_the_image(size, expected):
    assert blur_size(size) == expected
