"""Output sizes worked out, against torch's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradlab.equivariance import CyclicGroup, GroupConvolution, LiftingConvolution, SpatialPooling
from gradlab.explain.windows import window_of


@settings(max_examples=60, deadline=None)
@given(side=st.integers(7, 12), kernel=st.integers(1, 4), stride=st.integers(1, 3), padding=st.integers(0, 2),
       dilation=st.integers(1, 2), pool=st.booleans())  # fmt: skip
def test_formula_gives_torch_s_size(side, kernel, stride, padding, dilation, pool):
    if pool and padding > kernel // 2:
        padding = 0  # torch pads pools by half a window at most; 7 pixels hold the widest window of 4, two apart
    layer = (
        nn.MaxPool2d(kernel, stride, padding, dilation) if pool else nn.Conv2d(1, 1, kernel, stride, padding, dilation)
    )
    image = torch.zeros(1, 1, side, side + 1)
    output = layer(image)
    window = window_of(layer, image.shape, output.shape)
    for axis in (0, 1):
        told = window.formula(axis).partition(", where")[0]
        assert told.endswith(f"= {output.shape[2 + axis]}")
        assert ("⌊" in told) == ((image.shape[2 + axis] - dilation * (kernel - 1) - 1 + 2 * padding) % stride != 0)
    assert not window.same_on_all_axes


@pytest.mark.parametrize(
    ("layer", "formula"),
    [
        (nn.Conv2d(1, 1, 5), "(28 − 5 + 2·0)/1 + 1 = 24"),
        (nn.Conv2d(1, 1, 3, 2, 1), "⌊(28 − 3 + 2·1)/2⌋ + 1 = 14"),
        (nn.MaxPool2d(2), "(28 − 2 + 2·0)/2 + 1 = 14"),
        (nn.Conv2d(1, 1, 3, dilation=2), "(28 − 5 + 2·0)/1 + 1 = 24, where the window takes 2·(3 − 1) + 1 = 5 places"),
    ],
)
def test_formulas_by_hand(layer, formula):
    image = torch.zeros(1, 1, 28, 28)
    window = window_of(layer, image.shape, layer(image).shape)
    assert window.formula() == formula
    assert window.same_on_all_axes


@pytest.mark.parametrize(
    ("layer", "formula"),
    [
        (LiftingConvolution(CyclicGroup(8), 1, 2, 5), "(28 − 5 + 2·0)/1 + 1 = 24"),
        (LiftingConvolution(CyclicGroup(4), 1, 2, 4, stride=2, padding=1), "(28 − 4 + 2·1)/2 + 1 = 14"),
        (GroupConvolution(CyclicGroup(4), 1, 2, 3, dilation=2),
         "(28 − 5 + 2·0)/1 + 1 = 24, where the window takes 2·(3 − 1) + 1 = 5 places"),
        (SpatialPooling(2), "(28 − 2 + 2·0)/2 + 1 = 14"),
    ],
)  # fmt: skip
def test_formulas_of_layers_on_groups_by_hand(layer, formula):
    lifting = isinstance(layer, LiftingConvolution)
    image = torch.zeros(1, 1, 28, 28) if lifting else torch.zeros(1, 1, 4, 28, 28)
    output = layer(image)
    assert window_of(layer, image.shape, output.shape).formula() == formula
    assert f"= {output.shape[-1]}" in formula


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(4, 4), nn.ConvTranspose2d(1, 1, 3), nn.Conv2d(1, 1, 3, padding="same"), nn.MaxPool2d(3, ceil_mode=True)],
)
def test_layers_that_the_formula_does_not_hold_for_have_none(layer):
    assert window_of(layer, (1, 1, 4, 4), (1, 1, 4, 4)) is None
