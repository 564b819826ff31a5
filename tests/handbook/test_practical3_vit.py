"""The handbook's own tests of the vision transformer (practical 3, part 1), their lines unchanged, on several sizes."""

# ruff: noqa: NPY002

import numpy as np
import pytest
import torch

from gradlab.models import VisionTransformer
from gradlab.nn import AttentionBlock, img_to_patch

device = torch.device("cpu")


def test_patches():
    imgs = torch.randn(4, 3, 48, 48)
    patch_size = 16
    out = img_to_patch(imgs, patch_size, flatten_channels=False)
    assert len(out.shape) == 5
    assert out.shape[0] == imgs.shape[0]
    assert out.shape[1] == imgs.shape[2] * imgs.shape[3] / patch_size**2
    assert out.shape[2] == imgs.shape[1]
    assert out.shape[3] == patch_size
    assert out.shape[4] == patch_size

    out = img_to_patch(imgs, patch_size, flatten_channels=True)
    assert len(out.shape) == 3
    assert out.shape[0] == imgs.shape[0]
    assert out.shape[1] == imgs.shape[2] * imgs.shape[3] / patch_size**2
    assert out.shape[2] == imgs.shape[1] * patch_size**2


@pytest.mark.parametrize("seed", range(2))
def test_attention_block(seed):
    np.random.seed(seed)
    # Testing the attention block
    num_heads = np.random.randint(low=4, high=16)
    embed_dim = num_heads * np.random.randint(low=16, high=32)
    hidden_dim = np.random.randint(low=128, high=512)
    block = AttentionBlock(embed_dim, hidden_dim, num_heads)
    block.to(device)
    inp = torch.randn(10, 32, embed_dim, device=device)
    out = block(inp)
    for i in range(len(inp.shape)):
        assert out.shape[i] == inp.shape[i]

    # Checking whether batch and patch dimension are correct
    inp2 = inp.clone()
    inp2[:, 0] = 0.0
    out2 = block(inp2)
    diff = (out - out2).abs()
    assert (diff[:, 0] > 1e-4).any(), "Output tensor shows no difference although input has changed"
    assert (diff[:, 1:] < 1e-4).all(), (
        "Other tensors besides the changed batch element have altered outputs. Check the dimensions"
    )


@pytest.mark.parametrize("seed", [0, 2, 4])  # patches of 4, 8 and 2 pixels
def test_vision_transformer(seed):
    np.random.seed(seed)
    # Testing the Vision Transformer module
    num_heads = np.random.randint(low=4, high=16)
    embed_dim = num_heads * np.random.randint(low=16, high=32)
    hidden_dim = np.random.randint(low=128, high=512)
    num_channels = 3
    num_layers = np.random.randint(low=2, high=4)
    num_classes = np.random.randint(low=5, high=20)
    patch_size = [2, 4, 8][np.random.randint(low=0, high=3)]
    num_patches = int((32 / patch_size) ** 2)

    vit_module = VisionTransformer(
        embed_dim, hidden_dim, num_channels, num_heads, num_layers, num_classes, patch_size, num_patches
    )
    vit_module.to(device)
    imgs = torch.randn(4, 3, 32, 32, device=device)
    out = vit_module(imgs)
    assert out.shape[0] == imgs.shape[0]
    assert out.shape[1] == num_classes

    # Checking whether batch and patch dimension are correct
    imgs2 = imgs.clone()
    imgs2[0] = 0.0
    out2 = vit_module(imgs2)
    diff = (out2 - out).abs()
    assert (diff[0] > 1e-4).any(), "Output tensor shows no difference although input has changed"
    assert (diff[1:] < 1e-4).all(), (
        "Other tensors besides the changed batch element have altered outputs. Check the dimensions"
    )


def test_the_handbook_s_way_of_making_one():
    """The keyword arguments of practical 3's run."""
    model = VisionTransformer(
        **{
            "embed_dim": 128,
            "hidden_dim": 256,
            "num_heads": 8,
            "num_layers": 6,
            "patch_size": 8,
            "num_channels": 3,
            "num_patches": 16,
            "num_classes": 10,
            "dropout": 0.0,
        }
    )
    assert sum(parameter.numel() for parameter in model.parameters()) == 823_434
