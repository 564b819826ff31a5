"""A folder that streams is the same folder in memory, number for number, and never there as a whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import FRAMINGS, Splits, StreamedPixels, load_folder, resized
from gradlab.data.streamed import StreamedImages
from gradlab.errors import DataUnavailableError, UsageError

WAYS = {"one folder a class": ("a", "b"), "parts": ("train/a", "train/b", "test/a", "test/b")}


def fill(root: Path, folders: tuple[str, ...], *, grey: bool = False, count: int = 12) -> Path:
    for place, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for number in range(count):
            shape = (9, 8) if grey else (9, 8, 3)
            colours = np.random.default_rng(100 * place + number).integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(colours).save(root / folder / f"{number:02}.png")
    return root


def both(root: Path) -> tuple[Splits, Splits]:
    return load_folder(root, image_size=8), load_folder(root, image_size=8, image_memory=0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Splits, Splits]:
    return both(fill(tmp_path_factory.mktemp("pictures"), WAYS["one folder a class"]))


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_every_number_is_that_of_the_folder_in_memory(way, grey, tmp_path):
    memory, files = both(fill(tmp_path, WAYS[way], grey=grey))
    assert isinstance(files.train, StreamedImages)
    assert files.shape == memory.shape == (1 if grey else 3, 8, 8)
    assert files.digest() == memory.digest()
    assert files.normalisation == memory.normalisation
    for name, part in memory.parts().items():
        images = files.parts()[name]
        assert torch.equal(images.labels, part.labels)
        assert isinstance(images.pixels, StreamedPixels)
        assert torch.equal(images.pixels.decoded(), part.pixels)


def test_framing_is_the_same_in_memory_and_in_files(tmp_path):
    fill(tmp_path, WAYS["one folder a class"])
    digests = []
    for framing in FRAMINGS:
        memory, files = (load_folder(tmp_path, image_size=8, framing=framing, image_memory=gb) for gb in (1, 0))
        assert isinstance(files.train.pixels, StreamedPixels)
        assert files.digest() == memory.digest()
        digests.append(memory.digest())
    assert len(set(digests)) == len(FRAMINGS), "9 x 8 pixels look different in every frame"
    with pytest.raises(UsageError, match="unknown framing 'padd': did you mean 'pad'"):
        load_folder(tmp_path, framing="padd")


def test_one_image_with_a_colour_makes_all_of_them_coloured(tmp_path):
    fill(tmp_path, WAYS["parts"], grey=True)
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "test" / "b" / "05.png")
    memory, files = both(tmp_path)
    assert files.shape == (3, 8, 8)
    assert files.digest() == memory.digest()


READINGS = {
    "indices": lambda pixels: pixels[torch.tensor([3, 0, 3])],
    "array": lambda pixels: pixels[np.array([2, 1])],
    "index_select": lambda pixels: pixels.index_select(0, torch.tensor([5, 1])),
    "one": lambda pixels: pixels[-1],
    "slice": lambda pixels: pixels[2:9:3] + 0,
    "open slice": lambda pixels: pixels[-2:] + 0,
    "mask": lambda pixels: pixels[torch.arange(len(pixels)) % 5 == 0],
    "channel": lambda pixels: pixels[:, 1:2],
    "corner": lambda pixels: pixels[:, :, 0, 0],
    "float": lambda pixels: pixels.float() / 255,
    "joined": lambda pixels: torch.cat([part.to(torch.int32) for part in pixels.split(5)]),
    "split backwards": lambda pixels: torch.cat([part * 2 for part in reversed(pixels.split(5))]),
    "looked at twice": lambda pixels: torch.cat([part.float() - part.float().mean() for part in pixels.split(4)]),
    "split of a slice": lambda pixels: torch.cat([part.clone() for part in pixels[3:].split(4)]),
    "array of a slice": lambda pixels: torch.from_numpy(pixels[:3].numpy()),
    "none": lambda pixels: pixels[:0].float(),
    "no indices": lambda pixels: pixels[torch.empty(0, dtype=torch.int64)],
    "clone": lambda pixels: pixels.clone(),
    "detached": lambda pixels: pixels.detach()[:2].sum(),
}


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_reads_as_a_tensor_does(name, mode, pair):
    with mode():
        memory, files = (READINGS[name](splits.train.pixels) for splits in pair)
    assert type(files) is torch.Tensor
    assert torch.equal(files, memory)


def test_views_read_nothing(pair, monkeypatch):
    pixels = pair[1].train.pixels
    monkeypatch.setattr(StreamedPixels, "_at", lambda *_arguments: pytest.fail("decoded"))
    for view in (pixels[2:], *pixels.split(3), pixels.detach(), pixels.to("cpu")):
        assert isinstance(view, StreamedPixels)
    assert "StreamedPixels([16, 3, 8, 8])" in repr(pixels)
    assert pair[1].train.to("cpu") is pair[1].train
    assert resized(pair[1], 8) is pair[1]


def test_too_much_at_once_is_refused(pair):
    pixels = pair[1].train.pixels
    assert isinstance(pixels, StreamedPixels)
    small = StreamedPixels(pixels._files, pixels._rows, 3 * 192)
    assert len(small[:3].decoded()) == 3
    with pytest.raises(UsageError, match=r"16 decoded images take 0\.0 GB, more than the .*\(--image-memory\)"):
        small.float()


def test_a_broken_image_is_told_when_the_folder_is_loaded(tmp_path):
    fill(tmp_path, WAYS["parts"])
    (tmp_path / "test" / "a" / "07.png").write_bytes(b"broken")
    with pytest.raises(DataUnavailableError, match=r"cannot read the image .*test/a/07\.png"):
        load_folder(tmp_path, image_size=8, image_memory=0)


def test_memory_decides(tmp_path):
    fill(tmp_path, WAYS["one folder a class"])
    taken = 24 * 3 * 8 * 8 / 1e9
    for memory, kind in [(taken, torch.Tensor), (taken * 0.99, StreamedPixels)]:
        assert type(load_folder(tmp_path, image_size=8, image_memory=memory).train.pixels) is kind
    with pytest.raises(UsageError, match="0 gigabytes or more: got -1"):
        load_folder(tmp_path, image_memory=-1)
