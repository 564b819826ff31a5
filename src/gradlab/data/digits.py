"""The small digits that come with the package and need no download."""

from pathlib import Path

import numpy as np
import torch

from gradlab.data.idx import read_idx
from gradlab.data.images import BRIGHTEST, Images, Splits
from gradlab.data.partition import carve, proportional
from gradlab.data.stream import open_content

FOLDER = Path(__file__).parent / "embedded"
CLASSES = tuple("0123456789")
BRIGHTEST_STORED = 16
SHAPE = (1, 8, 8)
COUNT = 1797
VALIDATION = 200
TEST = 300
# The test images stay the same whatever the split seed, as they do for the published datasets.
TEST_SEED = 0


def load_digits(*, split_seed: int = 42) -> Splits:
    """1,797 grey digits of 8x8, values 0 to 16 stretched to 0 to 255: 1,297 to train, 200 to validate, 300 to test.

    Args:
        split_seed: which images are held out for validation; the test images are always the same ones.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
        test part; CC BY 4.0.
    """
    stored = _read("digits-images-idx3-ubyte.gz", "359cd13f0f514122884198b78a131df597421cbf5e93a76678fa96fc548f0d96")
    labels = _read("digits-labels-idx1-ubyte.gz", "ce71631c1f31ce56fa54f31d1d498fafacff59b001e6c30c4a5e29508aa277ad")
    pixels = np.rint(stored[:, None] * (BRIGHTEST / BRIGHTEST_STORED)).astype(np.uint8)
    everything = Images(torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64)), CLASSES)
    rest, test = carve(everything, proportional(labels, TEST), TEST_SEED)
    train, validation = carve(rest, proportional(rest.labels.numpy(), VALIDATION), split_seed)
    return Splits(train=train, validation=validation, test=test, name="digits")


def _read(name: str, digest: str) -> np.ndarray:
    with open_content(FOLDER / name, pinned=f"sha256:{digest}", remedy="install gradlab again") as source:
        return read_idx(source)
