import re

import pytest
import torch
from torch import Tensor, nn

from gradlab.models import VisionTransformer
from gradlab.nn import img_to_patch

TINY = {"embed_dim": 8, "hidden_dim": 12, "num_heads": 2, "num_layers": 2, "num_classes": 5, "num_patches": 16}


def made(kind: type[VisionTransformer] = VisionTransformer, **changes) -> VisionTransformer:
    torch.manual_seed(0)
    return kind(**{**TINY, **changes}).double()


def images_of(count: int = 3, channels: int = 3, height: int = 16, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, channels, height, width, generator=generator, dtype=torch.float64)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def written_out(model: VisionTransformer, images: Tensor) -> Tensor:
    """Figure 1 of the paper, image by image."""
    logits = []
    for image in images:
        patches = img_to_patch(image[None], model.patch_size)[0]
        tokens = torch.cat([model.class_token[0], patches @ model.embed.weight.T + model.embed.bias])
        if model.positions is not None:
            tokens = tokens + model.positions[0, : len(tokens)]
        for block in model.blocks:
            tokens = block(tokens[:, None])[:, 0]
        logits.append(model.head(tokens[0]))
    return torch.stack(logits)


def reordered(images: Tensor, order: Tensor, patch: int = 4) -> Tensor:
    """The same images with their patches in another order."""
    batch, channels, height, width = images.shape
    squares = img_to_patch(images, patch, flatten_channels=False)[:, order]
    grid = squares.view(batch, height // patch, width // patch, channels, patch, patch)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)


class LastTokenDecides(VisionTransformer):
    """Wrong: reads the last patch instead of the class token."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self._tokens(x))[-1])


class BatchForTokens(VisionTransformer):
    """Wrong: hands [batch, tokens, features] to blocks that take [tokens, batch, features]."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self._tokens(x).transpose(0, 1))[:, 0])


def check_equals_the_figure(model: VisionTransformer) -> None:
    torch.testing.assert_close(model(images_of()), written_out(model, images_of()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("positional", [True, False])
def test_it_equals_the_figure(positional):
    check_equals_the_figure(made(positional_embedding=positional))


@pytest.mark.parametrize("wrong", [LastTokenDecides, BatchForTokens])
def test_other_networks_are_told_apart(wrong):
    with pytest.raises(AssertionError):
        check_equals_the_figure(made(wrong))


def test_parameters_of_the_handbook_s_networks():
    assert parameters(VisionTransformer(patch_size=8, num_patches=16)) == 823_434
    assert parameters(VisionTransformer()) == 811_146
    assert parameters(VisionTransformer(patch_size=2, num_patches=256)) == 831_114
    assert parameters(VisionTransformer(256, 512, 3, 8, 6, 10, 4, 64, 0.2)) == 3_195_146


def test_parameters_by_hand():
    block = 2 * 8 + (8 * 24 + 24) + (8 * 8 + 8) + 2 * 8 + (8 * 12 + 12) + (12 * 8 + 8)
    without_positions = (3 * 16 * 8 + 8) + 8 + 2 * block + 2 * 8 + (8 * 5 + 5)
    assert parameters(made(positional_embedding=False)) == without_positions
    assert parameters(made()) == without_positions + 17 * 8


def test_an_image_does_not_feel_those_beside_it():
    model, images = made().float(), images_of(4).float()
    changed = images.clone()
    changed[0] = 0.0
    difference = (model(images) - model(changed)).abs()
    assert difference[0].max() > 1e-4
    assert difference[1:].max() < 1e-6


def test_without_positions_the_order_of_the_patches_makes_no_difference():
    order = torch.randperm(16, generator=torch.Generator().manual_seed(2))
    images = images_of()
    assert not torch.equal(reordered(images, order), images)
    bag = made(positional_embedding=False)
    torch.testing.assert_close(bag(reordered(images, order)), bag(images), rtol=0, atol=1e-13)
    placed = made()
    assert (placed(reordered(images, order)) - placed(images)).abs().max() > 1e-3


def test_without_positions_every_number_of_patches_is_taken():
    assert made(positional_embedding=False)(images_of(2, 3, 24, 40)).shape == (2, 5)


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 8, 8), (3, 4, 4), (2, 12, 20)])
def test_images_of_other_sizes(channels, height, width):
    assert made(num_channels=channels)(images_of(2, channels, height, width)).shape == (2, 5)


def test_attention_maps_are_those_of_the_forward_pass():
    model, images, seen = made(), images_of(), []
    for block in model.blocks:
        block.attention.register_forward_pre_hook(lambda module, inputs: seen.append(module.weights(*inputs)))
    model(images)
    expected = list(seen)
    maps = model.attention_maps(images)
    assert [one.shape for one in maps] == [(3, 2, 17, 17)] * 2
    for one, other in zip(maps, expected, strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one.sum(-1), torch.ones_like(one[..., 0]), rtol=0, atol=1e-14)


def test_dropout_draws_in_training_only():
    model, images = made(dropout=0.5), images_of()
    assert not torch.equal(model(images), model(images))
    model.eval()
    check_equals_the_figure(model)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 3, 18, 16), "patch must divide the image sides: got patch 4, image 18x16"),
        ((2, 3, 3, 3), "patch must divide the image sides: got patch 4, image 3x3"),
        ((2, 3, 16, 20), "VisionTransformer takes at most 16 patches an image: got 20"),
        ((2, 1, 16, 16), "VisionTransformer takes images of 3 channels: got 1"),
        ((3, 16, 16), "VisionTransformer takes images [batch, channels, height, width]: got 3x16x16"),
    ],
)
def test_images_that_do_not_fit_are_refused(shape, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        made()(torch.zeros(shape, dtype=torch.float64))


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="heads must divide the embedding: got 3 heads, 8 dimensions"):
        made(num_heads=3)
