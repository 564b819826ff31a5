import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradlab.errors import FileError
from gradlab.records import sha256_of_file
from gradlab.records.weights import read_weights, write_weights

DTYPES = (np.float32, np.float64, np.float16, np.int64, np.int32, np.uint8, np.bool_)


class Held:
    """A file held in memory, for the checks that read thousands."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read_bytes(self) -> bytes:
        return self.content


def as_it_lies(path, named) -> None:
    """A wrong writer that hands over views as they lie in memory."""
    path.write_bytes(safetensors.numpy.save(dict(named)))


def with_an_axis(path, named) -> None:
    """A wrong writer that gives a single number an axis."""
    path.write_bytes(safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in named.items()}))


def check_views_come_back(write, path) -> None:
    matrix = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    views = {
        "transposed": matrix.T,
        "channels last": np.ascontiguousarray(matrix.transpose(1, 2, 0)).transpose(2, 0, 1),
        "every second": matrix[:, ::2],
        "backwards": matrix[::-1],
        "repeated": np.broadcast_to(matrix[0, 0], (5, 4)),
        "fortran": np.asfortranarray(matrix),
    }
    write(path, views)
    found = read_weights(path)
    assert set(found) == set(views)
    for name, view in views.items():
        np.testing.assert_array_equal(found[name], view, err_msg=name)


def check_single_numbers_keep_their_shape(write, path) -> None:
    write(path, {"batches": np.array(7)})
    assert read_weights(path)["batches"].shape == ()
    assert read_weights(path)["batches"] == 7


def test_views_come_back_in_their_own_order(tmp_path):
    check_views_come_back(write_weights, tmp_path / "weights")


def test_a_writer_of_memory_as_it_lies_is_told_apart(tmp_path):
    with pytest.raises(AssertionError):
        check_views_come_back(as_it_lies, tmp_path / "weights")


def test_single_numbers_keep_their_shape(tmp_path):
    check_single_numbers_keep_their_shape(write_weights, tmp_path / "weights")


def test_a_writer_that_adds_an_axis_is_told_apart(tmp_path):
    with pytest.raises(AssertionError):
        check_single_numbers_keep_their_shape(with_an_axis, tmp_path / "weights")


@settings(max_examples=30, deadline=None)
@given(
    named=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=5).filter(
            lambda name: name != "__metadata__"
        ),
        st.sampled_from(DTYPES).flatmap(
            lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
        ),
        max_size=3,
    )
)
def test_arrays_come_back_bit_for_bit(named, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    digest = write_weights(path, named)
    found = read_weights(path, sha256=digest)
    assert set(found) == set(named)
    for name, array in named.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()  # bytes: not a number equals itself, -0 differs from 0


def test_big_endian_numbers_come_back_as_numbers(tmp_path):
    write_weights(tmp_path / "weights", {"w": np.array([1.5, -2.0], dtype=">f4")})
    np.testing.assert_array_equal(read_weights(tmp_path / "weights")["w"], [1.5, -2.0])


def test_the_folder_is_made_and_the_digest_is_the_file_s(tmp_path):
    path = tmp_path / "weights" / "arm-0.safetensors"
    assert write_weights(path, {"w": np.zeros(3, np.float32)}) == sha256_of_file(path)


def test_other_tools_read_the_file(tmp_path):
    write_weights(tmp_path / "weights", {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T})
    assert safetensors.torch.load_file(tmp_path / "weights")["w"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_state_dict_comes_back_into_a_module(tmp_path):
    first, second = (torch.nn.Sequential(torch.nn.Conv2d(1, 3, 2), torch.nn.BatchNorm2d(3)) for _ in range(2))
    first(torch.randn(4, 1, 5, 5))
    first.to(memory_format=torch.channels_last)
    write_weights(tmp_path / "weights", {name: value.numpy() for name, value in first.state_dict().items()})
    read = {name: torch.from_numpy(array) for name, array in read_weights(tmp_path / "weights").items()}
    assert {name: value.shape for name, value in read.items()} == {
        name: value.shape for name, value in second.state_dict().items()
    }
    second.load_state_dict(read)
    images = torch.randn(2, 1, 5, 5)
    torch.testing.assert_close(first.eval()(images), second.eval()(images), rtol=0, atol=1e-6)


def test_another_digest_is_refused(tmp_path):
    digest = write_weights(tmp_path / "weights", {"w": np.zeros(3, np.float32)})
    write_weights(tmp_path / "weights", {"w": np.ones(3, np.float32)})
    with pytest.raises(FileError, match=f"damaged: its SHA-256 is .*recorded {digest[:12]}"):
        read_weights(tmp_path / "weights", sha256=digest)


def test_every_flipped_bit_is_found_by_the_digest(tmp_path):
    path = tmp_path / "weights"
    digest = write_weights(path, {"w": np.arange(2, dtype=np.float32)})
    whole = path.read_bytes()
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        with pytest.raises(FileError, match="damaged"):
            read_weights(path, sha256=digest)


def test_damage_without_a_digest_gives_arrays_or_a_file_error(tmp_path):
    path = tmp_path / "weights"
    write_weights(path, {"w": np.arange(4, dtype=np.float32).reshape(2, 2), "n": np.array(3)})
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[position] ^= 1 << bit
            try:
                read_weights(Held(bytes(changed)))
            except FileError:
                refused += 1
    assert refused > len(whole), "most flips of the header must be refused"
    for length in range(len(whole)):
        with pytest.raises(FileError, match="damaged"):
            read_weights(Held(whole[:length]))


def test_a_number_type_that_numpy_lacks_is_a_file_error(tmp_path):
    safetensors.torch.save_file({"w": torch.ones(3, dtype=torch.bfloat16)}, tmp_path / "weights")
    with pytest.raises(FileError, match="numbers of type BF16, which NumPy does not have"):
        read_weights(tmp_path / "weights")


def test_a_missing_file_is_a_file_error(tmp_path):
    for digest in (None, "0" * 64):
        with pytest.raises(FileError, match=r"cannot read .*nothing: No such file"):
            read_weights(tmp_path / "nothing", sha256=digest)


def test_a_folder_that_cannot_be_made_is_a_file_error(tmp_path):
    (tmp_path / "weights").write_bytes(b"a file where the folder should be")
    with pytest.raises(FileError, match="cannot make the folder"):
        write_weights(tmp_path / "weights" / "arm-0.safetensors", {"w": np.zeros(1)})
