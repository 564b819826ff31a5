"""Graphs as figures: checked, drawn, named for readers, led to their steps."""

import re

import pytest

from gradlab.errors import UsageError
from gradlab.report import Arrow, Box, Facts, GraphChart, Page, write_report
from gradlab.report.compose import compose
from gradlab.report.figures import figure_csv
from gradlab.report.graph_chart import LARGEST
from gradlab.report.html import as_html


@pytest.fixture
def chart():
    boxes = [
        Box("y = mean(x)", "2", "output", 'Step 1\nsays "1/n" & <more>', "step-1"),
        Box("x", "[1, 3]", "leaf", "Leaf x \\1", "step-2"),
        Box("odd", kind="unknown"),
    ]
    return GraphChart(boxes, [Arrow(0, 1, "[0.5, 0.5]"), Arrow(0, 2)], "The graph of y")


def page_of(chart, *blocks):
    return Page(title="t", question="q?", blocks=[chart, *blocks], brief=True)


def test_boxes_are_links_with_names(chart):
    html = as_html(compose([page_of(chart, Facts([("g", "1")], "Step 1", "step-1"))]))
    links = re.findall(r'<a href="#(step-\d)" class="part" aria-label="([^"]*)"><title>(.*?)</title>', html, re.DOTALL)
    assert [link[0] for link in links] == ["step-1", "step-2"] * 2, "on the wide and on the narrow drawing"
    assert links[0][1] == links[0][2] == "Step 1\nsays &quot;1/n&quot; &amp; &lt;more&gt;"
    assert links[1][1] == "Leaf x \\1"
    assert '<h2 id="step-1"' in html
    assert 'role="group" aria-label="Graph of 3 nodes. Arrows: y = mean(x) to x; y = mean(x) to odd."' in html
    assert html.count("</svg>") == 2
    assert html.count("<a ") == html.count("</a>")


def test_figures_without_parts_stay_pictures(chart):
    plain = GraphChart([Box("a"), Box("b")], [Arrow(0, 1)], "plain")
    html = as_html(compose([page_of(plain)]))
    assert 'role="img"' in html
    assert 'role="group"' not in html
    assert "<output" not in html


def test_all_files_are_written_and_nothing_is_loaded(chart, tmp_path):
    paths = write_report([page_of(chart)], tmp_path)
    assert {path.suffix for path in paths.figures} == {".svg", ".png", ".csv"}
    assert "http" not in paths.html.read_text().replace("http-equiv", "")
    assert paths.pdf.read_bytes().startswith(b"%PDF")
    drawn = next(path for path in paths.figures if path.suffix == ".svg").read_text()
    assert all(text in drawn for text in ("y = mean(x)", "[0.5, 0.5]", "[1, 3]"))


def test_numbers_in_texts_keep_their_digits(tmp_path):
    """Places in a drawing are shortened to two decimals; what is written in it is not."""
    write_report([page_of(GraphChart([Box("a", "2.6667"), Box("b")], [Arrow(0, 1, "[1.3333]")], "g"))], tmp_path)
    drawn = (tmp_path / "figures" / "g.svg").read_text()
    assert ">2.6667<" in drawn
    assert ">[1.3333]<" in drawn
    assert not re.search(r'[ "MLQ][1-9]\d*\.\d{3}', drawn)


def _written(titles, tmp_path):
    """The texts of a drawing of one layer of boxes below another."""
    boxes = [Box("input"), *(Box(title) for title in titles)]
    arrows = [Arrow(0, place) for place in range(1, len(boxes))]
    write_report([page_of(GraphChart(boxes, arrows, "g"))], tmp_path)
    return re.findall(r">([^<>]+)</text>", (tmp_path / "figures" / "g.svg").read_text())


def test_a_box_is_as_wide_as_its_longest_name(tmp_path):
    title = "blocks.0.attention.attend: DotProductAttention"
    assert title in _written([title], tmp_path)


def test_a_name_without_room_loses_its_middle(tmp_path):
    written = _written([f"blocks.0.attention.project_{way}: Linear" for way in ("in", "out", "on", "off")], tmp_path)
    assert len(written) == 5
    for text in written[1:]:
        assert text.startswith("blocks.0.")
        assert "…" in text
        assert text.endswith(": Linear"), "cut at its end, a name hides what kind of layer it is"


def test_arrows_as_csv(chart):
    lines = figure_csv(chart).splitlines()
    assert lines == ["from,to,label", 'y = mean(x),x,"[0.5, 0.5]"', "y = mean(x),odd,"]


def test_an_empty_graph_says_so():
    assert "Nothing was measured" in as_html(compose([page_of(GraphChart([], [], "none"))]))


@pytest.mark.parametrize(
    ("boxes", "arrows", "message"),
    [
        (2, [Arrow(0, 2)], "an arrow joins two of 2 boxes: got 0 and 2"),
        (2, [Arrow(-1, 0)], "got -1 and 0"),
        (LARGEST + 1, [], f"at most {LARGEST} boxes can be drawn"),
    ],
)
def test_impossible_graphs_are_refused(boxes, arrows, message):
    with pytest.raises(UsageError, match=message):
        GraphChart([Box("b")] * boxes, arrows, "t")
