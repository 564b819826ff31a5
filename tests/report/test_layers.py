"""Layered layouts: layers, order, distances, bounds."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradlab.errors import UsageError
from gradlab.report.layers import THREAD, fullest, laid_out, layers_of


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    pairs = [(start, end) for start in range(count) for end in range(start + 1, count)]
    return count, draw(st.lists(st.sampled_from(pairs), max_size=24)) if pairs else []


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_nothing_lies_on_top_of_anything_else(graph):
    count, arrows = graph
    layout = laid_out(count, arrows, width=700, box=40, gap=10)
    rows = {}
    for box in range(count):
        rows.setdefault(layout.layer[box], []).append((layout.x[box], 40))
    for (start, _end), bends in zip(arrows, layout.bends, strict=True):
        for step, x in enumerate(bends, start=layout.layer[start] + 1):
            rows.setdefault(step, []).append((x, THREAD))
    for row in rows.values():
        row.sort()
        for (x, wide), (other, next_wide) in pairwise(row):
            assert other - x >= (wide + next_wide) / 2 + 10 - 1e-6


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_every_arrow_goes_down_and_bends_once_a_layer(graph):
    count, arrows = graph
    layout = laid_out(count, arrows, width=700, box=40, gap=10)
    for (start, end), bends in zip(arrows, layout.bends, strict=True):
        assert layout.layer[end] > layout.layer[start]
        assert len(bends) == layout.layer[end] - layout.layer[start] - 1


def test_layers_are_longest_paths():
    assert layers_of(4, [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3)]) == [0, 1, 2, 3]
    assert layers_of(3, []) == [0, 0, 0]


def test_a_chain_stands_in_the_middle_and_a_fork_around_it():
    chain = laid_out(3, [(0, 1), (1, 2)], width=700, box=100, gap=10)
    assert chain.x == (350, 350, 350)
    fork = laid_out(3, [(0, 1), (0, 2)], width=700, box=100, gap=10)
    assert fork.x == pytest.approx((350, 295, 405))


def test_crossings_that_need_not_be_are_undone():
    """Two chains whose ends are given the wrong way round."""
    layout = laid_out(4, [(0, 3), (1, 2)], width=700, box=40, gap=10)
    assert (layout.x[0] < layout.x[1]) == (layout.x[3] < layout.x[2])


def test_layouts_are_the_same_every_time():
    arrows = [(start, end) for start in range(12) for end in range(start + 1, 12) if (start * end) % 3 == 1]
    first = laid_out(12, arrows, width=700, box=40, gap=10)
    random.seed(1)
    assert laid_out(12, arrows, width=700, box=40, gap=10) == first


def test_circles_are_refused():
    with pytest.raises(UsageError, match="form a circle"):
        layers_of(2, [(0, 1), (1, 0)])


def test_the_fullest_layer_counts_passing_arrows():
    assert fullest(4, [(0, 1), (1, 2), (0, 3), (0, 2)]) == (2, 1)
    assert fullest(0, []) == (0, 0)
