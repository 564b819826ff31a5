import pytest
import torch

from gradlab.equivariance import cyclic, interpolated


@pytest.mark.parametrize(("size", "kept"), [(3, 9), (5, 21), (7, 37)])
def test_the_disc_leaves_out_the_corners(size, kept):
    assert interpolated()(cyclic(8), size).dimensions == kept
    assert interpolated(disc=False)(cyclic(8), size).dimensions == size**2


def test_the_identity_keeps_the_weights():
    family = interpolated(disc=False)(cyclic(8), 5)
    assert family.resampling is not None
    assert torch.equal(family.resampling[0], torch.eye(25, dtype=torch.float64))


def test_a_turned_tap_is_shared_by_its_neighbours():
    family = interpolated(disc=False)(cyclic(8), 3)
    assert family.resampling is not None
    east = family.resampling[1][:, 5].view(3, 3)  # the tap at (1, 0), which moves to (0.71, 0.71)
    beside = (1 - 0.5**0.5) * 0.5**0.5
    expected = torch.tensor([[0, beside, 2 - 2**0.5], [0, 0, beside], [0, 0, 0]], dtype=torch.float64)
    assert torch.allclose(east, expected)
