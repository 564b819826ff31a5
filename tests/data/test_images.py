import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.data import Images, Splits
from gradlab.errors import UsageError


def images(count: int = 4, channels: int = 1, side: int = 3, classes: tuple[str, ...] = ("a", "b")) -> Images:
    pixels = torch.arange(count * channels * side * side).remainder(256).to(torch.uint8)
    return Images(pixels.reshape(count, channels, side, side), torch.arange(count) % max(1, len(classes)), classes)


class TestImages:
    @pytest.mark.parametrize(
        ("pixels", "labels", "classes", "message"),
        [
            (torch.zeros(2, 1, 3, 3), torch.zeros(2, dtype=torch.int64), ("a",), "uint8 tensor: got torch.float32"),
            (np.zeros((2, 1, 3, 3), np.uint8), torch.zeros(2, dtype=torch.int64), ("a",), "uint8 tensor: got uint8"),
            (torch.zeros(2, 3, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), ("a",), r"got \[2, 3, 3\]"),
            (torch.zeros(2, 0, 3, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64), ("a",), r"got \[2, 0"),
            (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int32), ("a",), "int64 tensor"),
            (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ("a",), "each of 2 images"),
            (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, 1]), ("a",), r"\[-1, 1\) .* got 0 to 1"),
            (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([-2, 0]), ("a",), "got -2 to 0"),
            (torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, 0]), ("a", "a"), "'a' is there twice"),
        ],
    )
    def test_refuses_what_does_not_fit(self, pixels, labels, classes, message):
        with pytest.raises(ValueError, match=message):
            Images(pixels, labels, classes)

    def test_allows_no_images_and_no_labels(self):
        assert len(Images(torch.zeros(0, 1, 3, 3, dtype=torch.uint8), torch.zeros(0, dtype=torch.int64), ())) == 0
        assert len(Images(torch.zeros(1, 1, 3, 3, dtype=torch.uint8), torch.tensor([-1]), ())) == 1

    def test_is_frozen(self):
        with pytest.raises(AttributeError):
            images().labels = torch.zeros(4)  # type: ignore[misc]

    @pytest.mark.parametrize("kind", [list, tuple, np.array, torch.tensor])
    def test_take_copies_in_the_given_order(self, kind):
        whole = images()
        part = whole.take(kind([2, 0, 2]))
        assert part.pixels.tolist() == [whole.pixels[index].tolist() for index in (2, 0, 2)]
        assert part.labels.tolist() == [0, 0, 0]
        assert part.classes == whole.classes
        part.pixels.zero_()
        assert whole.pixels[2].sum() > 0

    def test_take_of_a_reversed_array(self):
        assert images().take(np.arange(4)[::-1]).labels.tolist() == [1, 0, 1, 0]

    def test_take_of_nothing_is_empty(self):
        assert len(images().take([])) == 0

    @pytest.mark.parametrize("indices", [[4], [-1], [0.5], [True, False, True, False], [[0, 1]]])
    def test_take_refuses_what_is_no_position(self, indices):
        with pytest.raises(IndexError, match="indices must"):
            images().take(indices)

    def test_the_first_ones_are_those_in_front_and_none_asked_for_means_all(self):
        whole = images()
        assert whole.first(0) is whole
        assert torch.equal(whole.first(3).pixels, whole.pixels[:3])

    @pytest.mark.parametrize("count", [-1, 5])
    def test_more_than_there_are_is_refused(self, count):
        with pytest.raises(UsageError, match=f"there are 4 training images.* got --train-images {count}"):
            images().first(count)

    def test_files_follow_their_images_and_count_in_no_digest(self):
        pixels, labels = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)
        named = Images(pixels, labels, ("a",), np.array([b"a/0.png", b"a/1.png", b"a/10.png"]))
        assert named.take([2, 0, 2]).files.tolist() == [b"a/10.png", b"a/0.png", b"a/10.png"]
        assert named.take([]).to("meta").files.tolist() == []
        assert Images(pixels, labels, ("a",)).take([1]).files is None
        assert named.digest() == Images(pixels, labels, ("a",)).digest()
        with pytest.raises(ValueError, match="one file for each of 3 images: got 2"):
            Images(pixels, labels, ("a",), named.files[:2])

    def test_digest_is_sha256_over_shape_classes_pixels_and_labels(self):
        one = Images(torch.tensor([[[[1, 2]]]], dtype=torch.uint8), torch.tensor([1]), ("a", "ü"))
        header = b'{"shape": [1, 1, 1, 2], "classes": ["a", "\\u00fc"]}'
        expected = header + b"\x01\x02" + b"\x01\0\0\0\0\0\0\0"
        assert one.digest() == hashlib.sha256(expected).hexdigest()

    def test_digest_tells_every_part_apart(self):
        one = images()
        others = [
            Images(one.pixels.reshape(4, 1, 1, 9), one.labels, one.classes),
            Images(one.pixels ^ torch.eye(3, dtype=torch.uint8), one.labels, one.classes),
            Images(one.pixels, one.labels.flip(0), one.classes),
            Images(one.pixels, one.labels, ("a", "c")),
        ]
        assert len({one.digest(), *(other.digest() for other in others)}) == 5

    def test_digest_does_not_depend_on_strides(self):
        one = images()
        turned = Images(one.pixels.transpose(2, 3).contiguous().transpose(2, 3), one.labels, one.classes)
        assert not turned.pixels.is_contiguous()
        assert turned.digest() == one.digest()

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 2**32))
    def test_mean_and_std_equal_numpys_in_double_precision(self, count, channels, seed):
        pixels = np.random.default_rng(seed).integers(0, 256, (count, channels, 5, 3), dtype=np.uint8)
        some = Images(torch.from_numpy(pixels), torch.zeros(count, dtype=torch.int64), ("a",))
        mean, std = some.mean_and_std()
        np.testing.assert_allclose(mean, (pixels / 255).mean((0, 2, 3)), rtol=1e-12)
        np.testing.assert_allclose(std, (pixels / 255).std((0, 2, 3)), rtol=1e-10, atol=1e-15)

    def test_mean_and_std_cross_the_block_border(self):
        pixels = np.random.default_rng(0).integers(0, 256, (2001, 1, 2, 2), dtype=np.uint8)
        some = Images(torch.from_numpy(pixels), torch.zeros(2001, dtype=torch.int64), ("a",))
        assert some.mean_and_std()[1][0] == pytest.approx((pixels / 255).std(), rel=1e-12)

    def test_mean_and_std_of_one_colour_has_no_spread(self):
        some = Images(torch.full((3, 1, 2, 2), 255, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64), ("a",))
        assert some.mean_and_std() == ((1.0,), (0.0,))

    def test_mean_and_std_need_an_image(self):
        with pytest.raises(ValueError, match="at least one image"):
            images().take([]).mean_and_std()

    def test_to_the_same_device_is_itself(self):
        one = images()
        assert one.to("cpu") is one


class TestSplits:
    def test_computes_normalisation_on_train_alone(self):
        train, other = images(), Images(torch.zeros(2, 1, 3, 3, dtype=torch.uint8), torch.tensor([0, 1]), ("a", "b"))
        splits = Splits(train=train, validation=other, test=other, name="x")
        assert splits.normalisation == train.mean_and_std()
        assert splits.shape == (1, 3, 3)
        assert splits.classes == ("a", "b")

    def test_keeps_a_given_normalisation(self):
        splits = Splits(train=images(), validation=images(), test=images(), name="x", normalisation=((0.1,), (0.2,)))
        assert splits.normalisation == ((0.1,), (0.2,))

    @pytest.mark.parametrize(
        ("test", "normalisation", "message"),
        [
            (images(side=4), ((), ()), r"test has \[1, 4, 4\]"),
            (images(classes=("a", "c")), ((), ()), "test has 2 others"),
            (images(), ((0.1, 0.2), (0.1, 0.2)), "each of 1 channels"),
        ],
    )
    def test_refuses_parts_that_do_not_fit(self, test, normalisation, message):
        with pytest.raises(ValueError, match=message):
            Splits(train=images(), validation=images(), test=test, name="x", normalisation=normalisation)

    def test_unlabelled_images_need_no_classes(self):
        rest = Images(torch.zeros(1, 1, 3, 3, dtype=torch.uint8), torch.tensor([-1]), ())
        splits = Splits(train=images(), validation=images(), test=images(), unlabelled=rest, name="x")
        assert list(splits.parts()) == ["train", "validation", "test", "unlabelled"]

    def test_digest_tells_the_parts_apart(self):
        small, large = images(2), images(4)
        one = Splits(train=large, validation=small, test=large, name="x")
        other = Splits(train=large, validation=large, test=small, name="x")
        same = Splits(train=large, validation=small, test=large, name="another name")
        assert one.digest() == same.digest() != other.digest()
