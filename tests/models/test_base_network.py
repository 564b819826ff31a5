"""The handbook's small encoder; tests/handbook holds it against the handbook's own lines."""

import pytest
import torch

from gradlab.models import BaseNetwork


@pytest.mark.parametrize(("side", "last"), [(32, 4), (8, 1), (9, 2), (20, 3), (1, 1)])
def test_sides_are_halved_three_times(side, last):
    network = BaseNetwork(2, 3, 5, image_size=side)
    assert network.net[-1].in_features == 6 * last**2
    assert network(torch.zeros(2, 2, side, side)).shape == (2, 5)


@pytest.mark.parametrize(
    ("c_hid", "output_dim", "known"),
    [(32, 10, 113_258), (32, 128, 234_208), (32, 512, 627_808), (128, 512, 3_726_208)],
)
def test_parameters_are_counted_by_hand(c_hid, output_dim, known):
    def convolution(c_in, c_out):
        return 9 * c_in * c_out + c_out + 2 * c_out  # with batch norm

    wide = 2 * c_hid
    layers = [convolution(3, c_hid), convolution(c_hid, c_hid), convolution(c_hid, wide), 2 * convolution(wide, wide)]
    counted = sum(layers) + (16 * wide + 1) * output_dim
    assert sum(p.numel() for p in BaseNetwork(3, c_hid, output_dim).parameters()) == counted == known


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="must be positive: got 3, 0, 5 and 32"):
        BaseNetwork(3, 0, 5)
    with pytest.raises(ValueError, match="takes images of 3x32x32: got 3x28x28"):
        BaseNetwork(3, 2, 5)(torch.zeros(1, 3, 28, 28))
