"""Arrays as pictures."""

import numpy as np
import pytest

from gradlab.report import heated, shades
from gradlab.report.palette import WRONG


def test_each_map_goes_from_black_to_white():
    found = shades(np.array([[[0.0, 1.0], [2.0, 4.0]], [[-1.0, -1.0], [-1.0, -1.0]]]))
    assert found.tolist() == [[[0, 64], [128, 255]], [[128, 128], [128, 128]]]


def test_heat_colours_hot_places_only():
    picture = np.full((2, 2), 100, np.uint8)
    found = heated(picture, np.array([[0.0, 0.0], [0.0, 5.0]]))
    assert found[0, 0].tolist() == [100, 100, 100]
    orange = np.frombuffer(bytes.fromhex(WRONG[1:]), np.uint8)
    assert found[1, 1].tolist() == pytest.approx((0.25 * 100 + 0.75 * orange).round().tolist(), abs=1)


def test_no_heat_leaves_the_picture():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert (heated(picture, np.zeros((1, 1))) == picture).all()
