import contextlib
import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.learn.wire import LENGTH, Numbers, WireError, pack, unpack

ARRAYS = st.sampled_from(["float32", "int64", "bool", "uint8", "complex64"]).flatmap(
    lambda dtype: st.lists(st.integers(0, 3), max_size=3).map(
        lambda shape: Numbers(np.zeros(shape, dtype) + 1, "tensor")
    )
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text() | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def same(one, other):
    if isinstance(one, Numbers):
        return (
            one.kind == other.kind
            and one.values.dtype == other.values.dtype
            and np.array_equal(one.values, other.values)
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other and type(one) is type(other)


@settings(max_examples=100, deadline=None)
@given(TREES, st.binary(max_size=5))
def test_a_tree_comes_back_as_it_was(tree, rest):
    found, left = unpack(pack(tree) + rest)
    assert same(found, tree)
    assert left == rest


def test_nan_and_infinity_come_back():
    found, _ = unpack(pack([math.inf, Numbers(np.array([np.nan]))]))
    assert found[0] == math.inf
    assert np.isnan(found[1].values).all()


@settings(max_examples=60, deadline=None)
@given(TREES, st.data())
def test_a_message_that_is_cut_short_is_refused(tree, data):
    content = pack(tree)
    with pytest.raises(WireError):
        unpack(content[: data.draw(st.integers(0, len(content) - 1))])


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80))
def test_noise_is_refused_or_read_but_never_crashes(noise):
    for content in (noise, LENGTH.pack(len(noise), len(noise) // 2) + noise):
        with contextlib.suppress(WireError):
            _, rest = unpack(content)
            assert len(rest) < len(content)


@pytest.mark.parametrize(
    "tree", [object(), {1, 2}, b"bytes", Numbers(np.array(["text"])), Numbers(np.array([object()])), [print]]
)
def test_objects_cannot_be_sent(tree):
    with pytest.raises(WireError, match="cannot hold"):
        pack(tree)


def test_forged_shapes_do_not_take_memory():
    header = b'{"numbers": ["tensor", "float64", [1000000000000]]}'
    with pytest.raises(WireError, match="cut short"):
        unpack(LENGTH.pack(len(header), len(header)) + header)
    with pytest.raises(WireError, match="too large"):
        unpack(LENGTH.pack(2**60, 4) + b"null")


def test_what_is_nested_too_deeply_is_refused_on_both_sides():
    tree = functools.reduce(lambda inner, _: [inner], range(60), 1)
    with pytest.raises(WireError, match="nested at most 50 deep"):
        pack(tree)
    header = b'{"dict": {"a": ' * 60 + b"1" + b"}}" * 60
    with pytest.raises(WireError, match="nested at most 50 deep"):
        unpack(LENGTH.pack(len(header), len(header)) + header)
    fitting = functools.reduce(lambda inner, _: [inner], range(50), 1)
    assert unpack(pack(fitting)) == (fitting, b"")
