from pathlib import Path

import pooch
import pytest

from gradlab.data.places import data_root, find, missing, read_contents
from gradlab.data.published import PUBLISHED
from gradlab.errors import DataUnavailableError
from tests.data.builders import put, tiny_cifar, tiny_mnist


class TestDataRoot:
    def test_argument_then_variable_then_cache(self, monkeypatch, tmp_path):
        monkeypatch.setenv("GRADLAB_DATA", str(tmp_path / "variable"))
        assert data_root(tmp_path / "argument") == tmp_path / "argument"
        assert data_root() == tmp_path / "variable"
        for value in ("", None):
            if value is None:
                monkeypatch.delenv("GRADLAB_DATA")
            else:
                monkeypatch.setenv("GRADLAB_DATA", value)
            assert data_root() == Path(pooch.os_cache("gradlab"))

    def test_home_is_spelt_out(self):
        assert data_root("~/data") == Path.home() / "data"


class TestFind:
    @pytest.mark.parametrize("folder", ["mnist", "MNIST/raw"])
    def test_gzipped_and_plain_files_in_both_layouts(self, tmp_path, folder):
        published, packed = tiny_mnist()
        names = list(packed)
        put(
            tmp_path / folder,
            {names[0]: packed[names[0]], names[1].removesuffix(".gz"): b"", **dict.fromkeys(names[2:], b"")},
        )
        place = find(published, tmp_path)
        assert place is not None
        assert [path.name for path in place.files.values()] == [names[0], names[1].removesuffix(".gz"), *names[2:]]

    def test_a_set_that_lacks_a_file_is_not_there(self, tmp_path):
        published, packed = tiny_mnist()
        put(tmp_path / "mnist", dict(list(packed.items())[:3]))
        assert find(published, tmp_path) is None
        assert find(published, tmp_path, published.contents[:3]) is not None

    def test_unpacked_files_go_before_the_archive(self, tmp_path):
        published, files, archive = tiny_cifar()
        put(tmp_path, {"cifar-10-binary.tar.gz": archive})
        place = find(published, tmp_path)
        assert place is not None
        assert place.archive == tmp_path / "cifar-10-binary.tar.gz"
        put(tmp_path / "cifar-10-batches-bin", files)
        place = find(published, tmp_path)
        assert place is not None
        assert place.archive is None


def test_read_contents_names_the_file_and_the_remedy(tmp_path):
    published, packed = tiny_mnist()
    put(tmp_path / "mnist", packed)
    place = find(published, tmp_path)
    assert place is not None
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(
        DataUnavailableError, match=r"cannot open .*train-images.*; delete it and run `gradlab data fetch mnist`"
    ):
        next(read_contents(published, place))


def test_missing_says_why_torchvisions_copy_does_not_count(tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    message = str(missing(PUBLISHED["cifar10"], tmp_path, "offline"))
    assert "(offline; cifar-10-batches-py holds pickles, which gradlab never reads)" in message


def test_missing_says_what_to_put_where():
    published, _ = tiny_mnist("http://example.org/data/")
    message = str(missing(published, Path("/data"), "offline"))
    assert message == (
        "mnist is not under /data (offline): run `gradlab data fetch mnist` with a network, or put "
        "mnist/train-images-idx3-ubyte.gz, mnist/train-labels-idx1-ubyte.gz, mnist/t10k-images-idx3-ubyte.gz, "
        "mnist/t10k-labels-idx1-ubyte.gz (from http://example.org/data/) under /data, "
        "or use --data digits, which needs neither"
    )
