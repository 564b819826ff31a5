import re

import numpy as np
import pytest

from gradlab.report import ConfusionMatrix, Page, Pictures, PointChart, Table, results
from gradlab.report.compose import compose
from gradlab.report.draw_matrix import fills


def page_with(*blocks):
    empty = results([], experiment="e", command="", environment={}, seconds=0.0)
    return Page(title="T", question="Q", blocks=blocks, results=empty)


@pytest.mark.parametrize(
    ("cell", "numeric"),
    [
        ("−101.9 [−103.4, −100.4]", True),
        ("52.6 % [52.2, 53.0] (n = 3)", True),
        ("+2.10 points [1.5, 2.7] (too few seeds)", True),
        ("100.00 % on every seed (n = 3)", True),
        ("469,268", True),
        ("2 of 3", True),
        ("1e-05", True),
        ("–", True),
        ("10 dimensions", False),
        ("500+150 warped", False),
        ("20 x 24 x 24", False),
    ],
)
def test_numbers_with_units_and_intervals_stand_to_the_right_and_names_that_begin_with_one_do_not(cell, numeric):
    (section,) = compose([page_with(Table(("a",), [(cell,), ("1",)]))]).sections
    (table,) = [node for node in section.nodes if node["kind"] == "table"]
    assert table["numeric"] == [numeric]


def test_a_hundred_classes_stay_small():
    matrix = ConfusionMatrix(np.arange(10_000).reshape(100, 100) % 7, [f"class {k}" for k in range(100)], "Hundred")
    drawn = compose([page_with(matrix)]).figures["hundred"]
    assert len(drawn.svg) < 100_000
    assert drawn.csv.count("\n") == 101
    assert "<image " in drawn.svg


def test_numbers_are_shown_up_to_twenty_classes():
    counts = np.diag(np.arange(101, 121))
    drawn = compose([page_with(ConfusionMatrix(counts, [f"c{k}" for k in range(20)], "Twenty"))]).figures["twenty"]
    assert re.findall(r">(1\d\d)<", drawn.svg) == [str(count) for count in range(101, 121)]


def test_cells_are_as_strong_as_their_share():
    opacity = fills(np.array([[3, 1], [0, 0]]))[..., 3]
    assert opacity[0, 0] == pytest.approx(0.75 * 0.55)
    assert opacity[0, 1] == pytest.approx(0.55)
    assert (opacity[1] == 0).all()


def test_equal_titles_get_files_of_their_own(page):
    names = list(compose([page]).figures)
    assert names[:2] == ["accuracy", "accuracy-2"]
    several = compose([page_with(Pictures(np.zeros((1, 2, 2), np.uint8), ["a"], "P"))] * 2)
    assert list(several.figures) == ["t-p", "t-2-p"]


def test_figures_without_content_say_so():
    nodes = (
        compose([page_with(PointChart((), "Points", "x"), Pictures(np.zeros((0, 2, 2), np.uint8), [], "P"))])
        .sections[0]
        .nodes
    )
    told = [node["paragraphs"][0] for node in nodes if node["kind"] == "text"]
    assert told == ["Nothing was measured for this chart.", "There are no pictures to show."]


def test_what_is_no_block_is_refused():
    with pytest.raises(TypeError, match="a page is made of blocks: got str"):
        compose([page_with("text")])  # pyright: ignore[reportArgumentType]
