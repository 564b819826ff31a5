from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import load, resized


def test_the_same_size_is_the_same_object():
    splits = load("digits")
    assert resized(splits, 8) is splits


@pytest.mark.parametrize("side", [4, 16, 28])
def test_every_part_is_close_to_pillows_bilinear(side):
    splits = load("digits")
    other = resized(splits, side)
    assert other.shape == (1, side, side)
    assert torch.equal(other.test.labels, splits.test.labels)
    for image, found in zip(splits.test.pixels[:20, 0], other.test.pixels[:20, 0], strict=True):
        expected = np.asarray(Image.fromarray(image.numpy()).resize((side, side), Image.Resampling.BILINEAR))
        assert np.abs(found.numpy().astype(int) - expected).max() <= 1


def test_a_computed_normalisation_is_computed_anew():
    other = resized(load("digits"), 16)
    assert other.normalisation == other.train.mean_and_std()


def test_images_keep_their_files():
    splits = load("digits")
    files = np.arange(len(splits.test)).astype(np.bytes_)
    other = resized(replace(splits, test=replace(splits.test, files=files)), 16)
    assert other.test.files.tolist() == files.tolist()
    assert other.train.files is None


def test_no_size_is_refused():
    with pytest.raises(ValueError, match="at least 1: got 0"):
        resized(load("digits"), 0)
