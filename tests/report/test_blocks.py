import numpy as np
import pytest

from gradlab.errors import UsageError
from gradlab.report import ConfusionMatrix, Pictures, Point, PointChart, Table


def test_a_table_refuses_rows_of_another_length():
    with pytest.raises(UsageError, match="a table row has 1 cells under a header of 2"):
        Table(("a", "b"), [("c",)])


@pytest.mark.parametrize("images", [np.zeros((2, 3, 3)), np.zeros((3, 3), np.uint8), np.zeros((2, 3, 3, 4), np.uint8)])
def test_pictures_refuse_other_shapes_and_types(images):
    with pytest.raises(UsageError, match="pictures are uint8"):
        Pictures(images, ["a"] * len(images), "t")


def test_pictures_need_a_caption_each():
    with pytest.raises(UsageError, match="2 pictures need as many captions: got 1"):
        Pictures(np.zeros((2, 3, 3), np.uint8), ["a"], "t")


@pytest.mark.parametrize(
    ("counts", "names"),
    [(np.zeros((2, 3)), 2), (np.zeros((2, 2)), 3), (np.zeros((101, 101)), 101), (np.zeros((0, 0)), 0)],
)
def test_a_confusion_matrix_refuses_other_shapes(counts, names):
    with pytest.raises(UsageError, match="a confusion matrix needs counts"):
        ConfusionMatrix(counts, ["c"] * names, "t")


def test_a_confusion_matrix_refuses_negative_counts():
    with pytest.raises(UsageError, match="counts of at least 0"):
        ConfusionMatrix(np.array([[1, -1], [0, 1]]), ["a", "b"], "t")


def test_a_confusion_matrix_names_its_most_frequent_mistakes():
    matrix = ConfusionMatrix(np.array([[8, 2, 0], [0, 9, 0], [3, 0, 8]]), ["a", "b", "c"], "t")
    assert matrix.most_confused() == [("c", "a", 3.0), ("a", "b", 2.0)]
    assert matrix.alt == (
        "Confusion matrix of 3 classes, 83.33 % right. Most frequent mistakes: c taken for a (3); a taken for b (2)."
    )


def test_a_point_chart_describes_its_points():
    chart = PointChart((Point("a", 0.02, 0.018, 0.022, 3, reference=0.03),), "t", "error", percent=True)
    assert chart.alt == "Chart of error with 1 point. a: 2.00 % [1.80, 2.20], published 3.00 %."
