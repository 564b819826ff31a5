import numpy as np
import pytest
import torch
from PIL import Image

from gradlab.data import from_dataset, images_from
from gradlab.errors import UsageError

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
COLOUR = np.stack([GREY, GREY + 1, GREY + 2], axis=2)


class Pairs(list):
    """A dataset as torchvision's are: a length, items, perhaps class names."""


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (GREY, GREY[None]),
        (GREY[..., None], GREY[None]),
        (COLOUR, COLOUR.transpose(2, 0, 1)),
        (COLOUR.astype(np.float32) / 255, COLOUR.transpose(2, 0, 1)),
        (torch.from_numpy(GREY), GREY[None]),
        (torch.from_numpy(COLOUR).permute(2, 0, 1), COLOUR.transpose(2, 0, 1)),
        (torch.from_numpy(COLOUR).permute(2, 0, 1).double() / 255, COLOUR.transpose(2, 0, 1)),
        (Image.fromarray(GREY), GREY[None]),
        (Image.fromarray(COLOUR), COLOUR.transpose(2, 0, 1)),
        (Image.fromarray(COLOUR).convert("RGBA"), COLOUR.transpose(2, 0, 1)),
        (Image.fromarray(GREY.astype(np.uint16) * 257), GREY[None]),
    ],
)
def test_every_kind_of_image(image, expected):
    images = images_from([(image, 0), (image, 1)])
    assert images.pixels.dtype == torch.uint8
    assert images.pixels.numpy().tolist() == [expected.tolist()] * 2


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_every_byte_survives_the_way_through_floats(kind):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    # Cutting off instead of rounding loses a step for many of them.
    assert (images_from([((every / 255).astype(kind), 0)]).pixels[0, 0].numpy() == every).all()


@pytest.mark.parametrize("label", [1, np.int64(1), np.array(1), torch.tensor(1), np.uint8(1)])
def test_every_kind_of_label(label):
    assert images_from([(GREY, label)]).labels.tolist() == [1]


def test_class_names_given_then_the_datasets_then_numbers():
    pairs = Pairs([(GREY, 0), (GREY, 2), (GREY, -1)])
    assert images_from(pairs).classes == ("0", "1", "2")
    pairs.classes = ["a", "b", "c"]
    assert images_from(pairs).classes == ("a", "b", "c")
    assert images_from(pairs, classes=["x", "y", "z"]).classes == ("x", "y", "z")


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("text", "item 1 is str"),
        ((GREY,), "item 1 is tuple"),
        ((GREY, 0.5), "a label must be a whole number: item 1 has 0.5"),
        ((GREY, True), "item 1 has True"),
        ((GREY, "cat"), "item 1 has 'cat'"),
        ((COLOUR, -2), r"labels must lie in \[-1, 3\) for 3 classes: item 1 has -2"),
        ((COLOUR, 3), "item 1 has 3"),
        (("path.png", 0), "item 1: an image must be a PIL image, an array or a tensor: got str"),
        ((COLOUR[:2], 0), r"all images must have the first one's shape \(3, 3, 4\): item 1 has \(3, 2, 4\)"),
        ((GREY, 0), r"item 1 has \(1, 3, 4\)"),
        ((COLOUR[..., :2], 0), r"3 with 1 or 3 channels: got \(3, 4, 2\)"),
        ((COLOUR.astype(np.float32), 0), r"float pixels must lie in \[0, 1\]: got 0 to 222"),
        ((np.full_like(COLOUR, np.nan, dtype=np.float32), 0), "float pixels"),
        ((COLOUR.astype(np.int64), 0), "bytes or floats in .*: got int64"),
    ],
)
def test_what_is_refused(item, message):
    with pytest.raises(UsageError, match=message):
        images_from([(COLOUR, 0), item], classes=["a", "b", "c"])


def test_an_empty_dataset_is_refused():
    with pytest.raises(UsageError, match="at least one item"):
        images_from([])


def numbered(count: int, first: int = 0) -> Pairs:
    return Pairs((np.full((2, 2), first + index, np.uint8), index % 2) for index in range(count))


class TestFromDataset:
    def test_parts_that_are_given_stay_as_they_are(self):
        splits = from_dataset(numbered(6), validation=numbered(2, 50), test=numbered(3, 90), name="mine")
        assert [part.pixels[:, 0, 0, 0].tolist() for part in splits.parts().values()] == [
            [0, 1, 2, 3, 4, 5],
            [50, 51],
            [90, 91, 92],
        ]
        assert splits.name == "mine"

    def test_parts_that_are_not_given_are_held_out(self):
        splits = from_dataset(numbered(100))
        assert [len(part) for part in splits.parts().values()] == [70, 15, 15]
        assert sorted(value for part in splits.parts().values() for value in part.pixels[:, 0, 0, 0].tolist()) == list(
            range(100)
        )
        assert (
            splits.digest()
            == from_dataset(numbered(100)).digest()
            != from_dataset(numbered(100), split_seed=1).digest()
        )

    def test_too_few_images_or_no_labels_are_refused(self):
        with pytest.raises(UsageError, match="2 images are too few to hold out validation"):
            from_dataset(numbered(2))
        with pytest.raises(UsageError, match="images that all have labels: give test="):
            from_dataset([(GREY, -1), (GREY, 0)])

    def test_other_parts_use_trains_classes(self):
        with pytest.raises(UsageError, match="for 1 classes: item 1 has 1"):
            from_dataset([(GREY, 0)] * 3, validation=[(GREY, 0), (GREY, 1)], test=[(GREY, 0)])
