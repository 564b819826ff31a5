import math

import pytest

from gradlab.data.published import CIFAR100, PUBLISHED, STL10

SETS = pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)


@SETS
def test_the_lengths_of_the_files_follow_from_the_counts(published):
    image = math.prod(published.shape)
    total = published.images + published.test
    expected = {
        "idx": total * (image + 1) + 2 * (16 + 8),
        "cifar": total * (image + (2 if published is CIFAR100 else 1)),
        "stl10": total * (image + 1) + published.unlabelled * image,
    }
    assert sum(content.size for content in published.contents) == expected[published.layout]


@SETS
def test_every_file_is_pinned(published):
    lengths = {"sha256": 64, "md5": 32}
    for file in (*published.contents, *published.downloads):
        algorithm, _, digest = file.digest.partition(":")
        assert len(digest) == lengths[algorithm]
        assert set(digest) <= set("0123456789abcdef")
    assert all(download.digest.startswith("sha256:") for download in published.downloads)
    digests = [file.digest for file in (*published.contents, *published.downloads)]
    assert len(set(digests)) == len(digests)


@SETS
def test_mirrors_serve_the_file_that_is_kept(published):
    for download in published.downloads:
        assert download.urls
        assert all(url.startswith(("http://", "https://")) for url in download.urls)
        assert all(url.endswith("/" + download.path.rpartition("/")[2]) for url in download.urls)


@SETS
def test_facts_fit_together(published):
    assert len(set(published.classes)) == len(published.classes)
    assert all(len(values) == published.shape[0] for values in published.normalisation)
    assert all(0 < value < 1 for values in published.normalisation for value in values)
    assert published.packed == (len(published.downloads) == 1)


def test_class_names_at_known_indices():
    assert len(CIFAR100.classes) == 100
    assert [CIFAR100.classes[index] for index in (0, 41, 99)] == ["apple", "lawn_mower", "worm"]
    assert list(CIFAR100.classes) == sorted(CIFAR100.classes)
    assert list(STL10.classes) == sorted(STL10.classes)
    assert PUBLISHED["cifar10"].classes.index("frog") == 6
    assert PUBLISHED["fashion_mnist"].classes[9] == "Ankle boot"
