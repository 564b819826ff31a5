"""The points of the exclusive or."""

import pytest
import torch
from torch.utils.data import DataLoader

from gradlab import rng
from gradlab.data import XORDataset


def test_labels_are_the_exclusive_or_of_the_clean_bits():
    points = XORDataset(2000, std=0.05, generator=rng.generator(0, "points"))
    bits = points.data.round()
    assert set(map(tuple, bits.tolist())) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert torch.equal(points.label, (bits[:, 0] != bits[:, 1]).long())


def test_noise_has_its_deviation_and_corners_are_equally_frequent():
    points = XORDataset(40_000, std=0.1, generator=rng.generator(0, "points"))
    noise = points.data - points.data.round()
    assert abs(noise.std().item() / 0.1 - 1) < 5 / 160_000**0.5
    assert abs(points.label.double().mean().item() - 0.5) < 5 * 0.5 / 200


def test_a_loader_takes_it():
    points = XORDataset(size=200)
    assert len(points) == 200
    batches = list(DataLoader(points, batch_size=8))
    assert [tuple(tensor.shape) for tensor in batches[0]] == [(8, 2), (8,)]
    assert torch.equal(torch.cat([inputs for inputs, _ in batches]), points.data)
    assert points.data.dtype == torch.float32
    assert points.label.dtype == torch.int64


def test_a_generator_decides_the_points_and_the_global_one_where_none_is_given():
    first, again, other = (XORDataset(50, generator=rng.generator(0, purpose)).data for purpose in ("a", "a", "b"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    with rng.global_stream(0, "a"):
        assert torch.equal(XORDataset(50).data, first)


def test_a_shorter_set_of_the_same_stream_repeats_the_longer_one_s_bits():
    """Why train and test points need two streams."""
    long, short = (XORDataset(size, std=0.01, generator=rng.generator(0, "points")) for size in (500, 100))
    assert torch.equal(long.data[:100].round(), short.data.round())


@pytest.mark.parametrize(("size", "std"), [(0, 0.1), (5, -0.1)])
def test_impossible_sets_are_refused(size, std):
    with pytest.raises(ValueError, match=f"got {size} and {std}"):
        XORDataset(size, std)
