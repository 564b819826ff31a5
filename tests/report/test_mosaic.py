import numpy as np

from gradlab.report import mosaic


def test_pictures_stand_in_reading_order_with_gaps_between_them():
    pictures = np.stack([np.full((2, 3), value, np.uint8) for value in (10, 20, 30)])
    found = mosaic(pictures, 2, gap=1, least=3)
    assert found.shape == (5, 7)
    assert found[0].tolist() == [10, 10, 10, 128, 20, 20, 20]
    assert found[3].tolist() == [30, 30, 30, 128, 128, 128, 128]
    assert (found[2] == 128).all()


def test_small_pictures_are_enlarged_by_whole_factors():
    picture = np.array([[[0, 255]]], np.uint8)
    assert mosaic(picture, 1, least=5).tolist() == [[0, 0, 255, 255], [0, 0, 255, 255]]
    assert mosaic(np.zeros((1, 28, 28), np.uint8), 1).shape == (28, 28)
