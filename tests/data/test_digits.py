import numpy as np
import torch

from gradlab.data.digits import FOLDER, load_digits
from gradlab.data.idx import read_idx
from gradlab.data.stream import open_content


def stored(name: str) -> np.ndarray:
    with open_content(FOLDER / name) as source:
        return read_idx(source)


def test_the_stored_values_are_scikit_learns():
    # Facts of sklearn.datasets.load_digits: sums, the first image's first rows and the class counts.
    pixels, labels = stored("digits-images-idx3-ubyte.gz"), stored("digits-labels-idx1-ubyte.gz")
    assert pixels.shape == (1797, 8, 8)
    assert int(pixels.sum(dtype=np.int64)) == 561_718
    assert pixels[0, :2].tolist() == [[0, 0, 5, 13, 9, 1, 0, 0], [0, 0, 13, 15, 10, 15, 5, 0]]
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert labels[:10].tolist() == list(range(10))


def test_the_splits_hold_every_image_once():
    splits = load_digits()
    assert [len(part) for part in splits.parts().values()] == [1297, 200, 300]
    together = torch.cat([part.pixels.flatten(1) for part in splits.parts().values()])
    original = np.rint(stored("digits-images-idx3-ubyte.gz").reshape(1797, 64) * 15.9375).astype(np.uint8)
    assert sorted(map(bytes, together.numpy())) == sorted(map(bytes, original))


def test_sixteen_becomes_255_and_zero_stays():
    values = torch.unique(load_digits().train.pixels)
    assert values.tolist() == [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]


def test_every_split_has_each_class_by_its_share():
    splits = load_digits()
    for part, count in (("validation", 200), ("test", 300)):
        shares = torch.bincount(splits.parts()[part].labels) / count
        assert (shares - 0.1).abs().max() < 0.006


def test_the_split_seed_moves_validation_and_leaves_test():
    one, other = load_digits(split_seed=0), load_digits(split_seed=1)
    assert one.test.digest() == other.test.digest()
    assert one.validation.digest() != other.validation.digest()
    assert one.digest() == load_digits(split_seed=0).digest()
