"""The handbook's own tests of the residual network (practical 2, part 1), their lines unchanged, on several sizes."""

# ruff: noqa: NPY002

import numpy as np
import pytest
import torch

from gradlab.models import PreActResNetBlock, ResNet

device = torch.device("cpu")


@pytest.mark.parametrize("seed", range(3))
def test_block(seed):
    np.random.seed(seed)
    # Testing the ResNet block
    c_in = np.random.randint(low=16, high=64)
    module = PreActResNetBlock(c_in=c_in, subsample=False)
    module.to(device)
    img = torch.randn(4, c_in, 32, 32, device=device)
    out = module(img)
    for i in range(len(img.shape)):
        assert out.shape[i] == img.shape[i], f"Disagreement in shapes: output={out.shape}, input={img.shape}"

    c_out = np.random.randint(low=16, high=64)
    module = PreActResNetBlock(c_in=c_in, subsample=True, c_out=c_out)
    module.to(device)
    img = torch.randn(4, c_in, 32, 32, device=device)
    out = module(img)
    assert out.shape[1] == c_out
    assert out.shape[2] == img.shape[2] // 2
    assert out.shape[3] == img.shape[3] // 2


@pytest.mark.parametrize("seed", range(2))
def test_resnet(seed):
    np.random.seed(seed)
    # Testing the ResNet
    num_classes = np.random.randint(low=5, high=20)
    model = ResNet(num_classes=num_classes)
    model.to(device)
    img = torch.randn(4, 3, 32, 32, device=device)
    out = model(img)
    assert len(out.shape) == 2
    assert out.shape[0] == img.shape[0]
    assert out.shape[1] == num_classes


def test_the_handbook_s_way_of_making_one():
    """`CIFARModule.create_model` of practical 2, with the hyperparameters of its run."""
    model = ResNet(num_classes=10, num_blocks=[2, 2, 3], c_hidden=[16, 24, 32])
    assert sum(parameter.numel() for parameter in model.parameters()) == 83_882
