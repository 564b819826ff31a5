"""Filters, feature maps and attention, against the layers called by hand."""

import torch
from torch import nn
from torch.nn import functional

from gradlab.equivariance import CyclicGroup
from gradlab.explain import attention_maps, copies, feature_maps, filters
from gradlab.models import P4CNN, LeNet, VisionTransformer
from gradlab.nn import MultiHeadedAttention


def test_feature_maps_are_the_layers_outputs():
    torch.manual_seed(0)
    model, image = LeNet(), torch.rand(1, 28, 28)
    maps = feature_maps(model, image)
    assert {name: tuple(found.shape) for name, found in maps.items()} == {"conv1": (20, 24, 24), "conv2": (50, 8, 8)}
    assert torch.equal(maps["conv1"], model.conv1(image))
    assert torch.equal(maps["conv2"], model.conv2(model.pool1(model.conv1(image).relu())))


def test_filters_are_copies():
    model = nn.Sequential(nn.Conv2d(3, 2, 5), nn.Flatten())
    found = filters(model)["0"]
    assert torch.equal(found, model[0].weight)
    found.zero_()
    assert model[0].weight.abs().sum() > 0


def test_each_element_of_a_group_has_its_filters_and_feature_maps():
    torch.manual_seed(0)
    model, image = P4CNN(CyclicGroup(4), image_size=8, channels=3, depths=(1, 0)).eval(), torch.rand(1, 8, 8)
    lifting = model.layers[0]
    found, responses = filters(model)["layers.0"], lifting(image[None])[0]
    assert copies(model)["layers.0"] == 4
    assert found.shape == (3 * 4, 1, 3, 3)
    assert torch.allclose(found[1], found[0].rot90(1, (1, 2)))
    assert torch.equal(feature_maps(model, image)["layers.0"], responses.flatten(0, 1))
    plain = functional.conv2d(image[None], found)[0]
    torch.testing.assert_close(feature_maps(model, image)["layers.0"], plain)
    assert {features.ndim for features in feature_maps(model, image).values()} == {3}


def test_a_plain_convolution_has_one_response_a_channel():
    assert copies(LeNet()) == {"conv1": 1, "conv2": 1}


def test_attention_rows_sum_to_one_and_are_the_layers_own():
    torch.manual_seed(0)
    model = VisionTransformer(8, 12, 3, 2, 2, 3, 4, 4)
    maps = attention_maps(model, torch.rand(3, 8, 8))
    assert [tuple(found.shape) for found in maps.values()] == [(2, 5, 5)] * 2
    assert all(torch.allclose(found.sum(-1), torch.ones(2, 5)) for found in maps.values())
    assert model.training


def test_the_cheat_sheet_s_attention_is_read_as_well():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = MultiHeadedAttention(2, 8)

        def forward(self, tokens):
            return self.attend(tokens, tokens, tokens)

    model = Own()
    maps = attention_maps(model, torch.rand(5, 8))
    assert torch.equal(maps["attend"], model.attend.attn[0])
    assert feature_maps(model, torch.rand(5, 8)) == {}
