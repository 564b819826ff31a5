import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gradlab.data import load, loading
from gradlab.data.images import Splits
from gradlab.data.places import find
from gradlab.data.published import PUBLISHED, Content, Download, Published
from gradlab.errors import DataUnavailableError, UsageError
from tests.data.builders import cifar_arrays, mnist_files, put, sha256, tiny_cifar, tiny_mnist

REAL = os.environ.get("GRADLAB_DATA", "")


def know(monkeypatch: pytest.MonkeyPatch, published: Published) -> None:
    monkeypatch.setattr(loading, "PUBLISHED", {published.name: published})


def as_found(splits: Splits, pixels: np.ndarray, labels: np.ndarray) -> list[int]:
    """The positions in the published arrays of the train and then the validation images."""
    positions = []
    for part in (splits.train, splits.validation):
        for image, label in zip(part.pixels.numpy(), part.labels.tolist(), strict=True):
            (at,) = np.flatnonzero((pixels == image).all((1, 2, 3)))
            assert labels[at] == label
            positions.append(int(at))
    return positions


@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_mnist(monkeypatch, tmp_path, folder, packed):
    published, files = tiny_mnist()
    know(monkeypatch, published)
    put(
        tmp_path / folder, files if packed else {name[:-3]: gzip.decompress(content) for name, content in files.items()}
    )
    splits = load("mnist", root=tmp_path, offline=True)
    arrays = mnist_files()
    assert [len(part) for part in splits.parts().values()] == [32, 8, 10]
    positions = as_found(splits, arrays["train-images-idx3-ubyte"][:, None], arrays["train-labels-idx1-ubyte"])
    assert sorted(positions) == list(range(40))
    assert torch.equal(splits.test.pixels[:, 0], torch.from_numpy(arrays["t10k-images-idx3-ubyte"]))
    assert torch.bincount(splits.validation.labels).tolist() == [4, 4]
    assert (splits.name, splits.normalisation) == ("mnist", ((0.5,), (0.25,)))


@pytest.mark.parametrize("packed", [True, False])
def test_cifar10(monkeypatch, tmp_path, packed):
    published, files, archive = tiny_cifar()
    know(monkeypatch, published)
    if packed:
        put(tmp_path, {"cifar-10-binary.tar.gz": archive})
    else:
        put(tmp_path / "cifar-10-batches-bin", files)
    splits = load("cifar10", root=tmp_path, offline=True)
    (labels_1, pixels_1), (labels_2, pixels_2) = (cifar_arrays(index, 30) for index in (1, 2))
    positions = as_found(splits, np.concatenate([pixels_1, pixels_2]), np.concatenate([labels_1, labels_2]))
    assert sorted(positions) == list(range(60))
    assert (positions[:50], positions[50:]) == (sorted(positions[:50]), sorted(positions[50:]))
    assert torch.equal(splits.test.pixels, torch.from_numpy(cifar_arrays(3, 20)[1]))
    assert torch.bincount(splits.validation.labels).tolist() == [1] * 10


def test_cifar100_takes_fine_labels(monkeypatch, tmp_path):
    labels, pixels = cifar_arrays(0, 40, classes=4)
    files = {
        "train.bin": b"".join(bytes([9, label]) + image.tobytes() for label, image in zip(labels, pixels, strict=True)),
        "test.bin": bytes([9, 3]) + pixels[0].tobytes(),
    }
    base, _, _ = tiny_cifar()
    published = Published(
        name="cifar100",
        title="Tiny",
        layout="cifar",
        classes=tuple("abcd"),
        shape=(3, 32, 32),
        images=40,
        validation=4,
        test=1,
        folders=("cifar-100-binary",),
        contents=tuple(Content(name, len(content), sha256(content)) for name, content in files.items()),
        downloads=base.downloads,
        packed=True,
        normalisation=base.normalisation,
        licence="none",
        url="",
    )
    know(monkeypatch, published)
    put(tmp_path / "cifar-100-binary", files)
    splits = load("cifar100", root=tmp_path)
    assert sorted(as_found(splits, pixels, labels)) == list(range(40))
    assert splits.test.labels.tolist() == [3]


@pytest.fixture
def stl10(monkeypatch, tmp_path) -> np.ndarray:
    """A tiny STL-10 under tmp_path; returns its unlabelled images."""
    draw = np.random.default_rng(0).integers(0, 256, (3, 12, 3, 96, 96), dtype=np.uint8)
    turned = [images.transpose(0, 1, 3, 2).tobytes() for images in draw]
    labels = bytes(1 + index % 2 for index in range(12))
    files = dict(
        zip(
            ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin", "unlabeled_X.bin"),
            (turned[0], labels, turned[1], labels, turned[2]),
            strict=True,
        )
    )
    published = Published(
        name="stl10",
        title="Tiny",
        layout="stl10",
        classes=("a", "b"),
        shape=(3, 96, 96),
        images=12,
        validation=2,
        test=12,
        unlabelled=12,
        folders=("stl10_binary",),
        contents=tuple(Content(name, len(content), sha256(content)) for name, content in files.items()),
        downloads=(Download("stl10_binary.tar.gz", 1, "md5:0", ("http://127.0.0.1:1/stl10_binary.tar.gz",)),),
        packed=True,
        normalisation=((0.5,) * 3, (0.25,) * 3),
        licence="none",
        url="",
    )
    know(monkeypatch, published)
    put(tmp_path / "stl10_binary", files)
    return draw[2]


def test_stl10_with_and_without_the_unlabelled_part(stl10, tmp_path):
    splits = load("stl10", root=tmp_path)
    assert [len(part) for part in splits.parts().values()] == [10, 2, 12, 12]
    assert splits.unlabelled is not None
    assert torch.equal(splits.unlabelled.pixels, torch.from_numpy(stl10))
    assert set(splits.unlabelled.labels.tolist()) == {-1}
    (tmp_path / "stl10_binary" / "unlabeled_X.bin").unlink()
    assert load("stl10", root=tmp_path, unlabelled=False).unlabelled is None
    with pytest.raises(DataUnavailableError, match="stl10 is not under"):
        load("stl10", root=tmp_path, offline=True)


def test_the_split_seed_moves_validation_only(monkeypatch, tmp_path):
    published, files = tiny_mnist()
    know(monkeypatch, published)
    put(tmp_path / "mnist", files)
    one, same, other = (load("mnist", root=tmp_path, split_seed=seed) for seed in (42, 42, 7))
    assert one.digest() == same.digest() != other.digest()
    assert one.test.digest() == other.test.digest()


def test_one_wrong_byte_anywhere_is_refused(monkeypatch, tmp_path):
    published, files, _ = tiny_cifar()
    know(monkeypatch, published)
    for name, content in files.items():
        put(tmp_path / "cifar-10-batches-bin", files | {name: content[:-1] + bytes([content[-1] ^ 1])})
        with pytest.raises(
            DataUnavailableError, match=rf"{name} is damaged: has sha256 \w+, .*run `gradlab data fetch cifar10`"
        ):
            load("cifar10", root=tmp_path)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "near"), [("cifar-10", "cifar10"), ("MNIST", "mnist"), ("fashionmnist", "fashion_mnist")]
    )
    def test_the_nearest_name_is_offered(self, name, near):
        with pytest.raises(
            UsageError, match=rf"unknown dataset '{name}': did you mean '{near}'\? \(see gradlab data list\)"
        ):
            load(name)

    def test_a_folder_without_its_prefix_is_recognised(self, tmp_path):
        with pytest.raises(UsageError, match=rf"which is a folder here: write folder:{tmp_path}$"):
            load(str(tmp_path))

    def test_an_empty_folder_name_is_unknown(self):
        with pytest.raises(UsageError, match="unknown dataset 'folder:'"):
            load("folder:")

    def test_a_missing_folder_is_named(self, tmp_path):
        with pytest.raises(DataUnavailableError, match=f"there is no folder {tmp_path}/none"):
            load(f"folder:{tmp_path}/none")

    def test_image_size_is_for_folders(self):
        with pytest.raises(UsageError, match="digits keeps its own"):
            load("digits", image_size=16)

    def test_published_images_are_not_framed(self):
        with pytest.raises(UsageError, match=r"framing is for folders of images, those of digits are square: leave"):
            load("digits", framing="pad")

    @pytest.mark.parametrize(
        ("options", "reason"), [({"download": False}, "downloading was switched off"), ({"offline": True}, "offline")]
    )
    def test_without_network_the_remedy_is_named(self, tmp_path, options, reason):
        with pytest.raises(
            DataUnavailableError, match=rf"mnist is not under {tmp_path} \({reason}\): run `gradlab data fetch"
        ):
            load("mnist", root=tmp_path, **options)

    def test_digits_need_nothing(self, monkeypatch):
        monkeypatch.setenv("GRADLAB_OFFLINE", "1")
        assert load("digits").shape == (1, 8, 8)


# Not `ru_maxrss`: a child process inherits its parent's peak there.
MEASURE = """
import re, torch
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
before = peak()
from gradlab.data import load
load("cifar10", offline=True)
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from Linux's /proc")
def test_the_real_cifar10_needs_less_than_250_megabytes():
    # Its pixels alone are 184 MB: a second copy of the training images would not fit.
    if not REAL or find(PUBLISHED["cifar10"], Path(REAL)) is None:
        pytest.skip("GRADLAB_DATA names no folder with cifar10")
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    assert 184 < float(done.stdout) < 250


@pytest.mark.parametrize(
    ("name", "sizes", "first"),
    [
        ("mnist", [55_000, 5_000, 10_000], [7, 2, 1, 0, 4]),
        ("fashion_mnist", [55_000, 5_000, 10_000], [9, 2, 1, 1, 6]),
        ("cifar10", [45_000, 5_000, 10_000], [3, 8, 8, 0, 6]),
    ],
)
def test_the_real_data(name, sizes, first):
    # `first` are the first test labels of each set, as every tutorial prints them.
    if not REAL or find(PUBLISHED[name], Path(REAL)) is None:
        pytest.skip(f"GRADLAB_DATA names no folder with {name}")
    splits = load(name, root=REAL, offline=True)
    assert [len(part) for part in splits.parts().values()] == sizes
    assert splits.test.labels[:5].tolist() == first
    np.testing.assert_allclose(splits.train.mean_and_std(), splits.normalisation, atol=1e-3)
