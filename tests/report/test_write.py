import itertools
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from gradlab.errors import FileError
from gradlab.report import Page, results, write_report


@pytest.fixture(scope="module")
def written(tmp_path_factory, page):
    return write_report([page], tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def html(written):
    return written.html.read_text(encoding="utf-8")


def test_a_rebuild_gives_the_same_bytes(written, page, tmp_path):
    begin = time.process_time()
    again = write_report([page], tmp_path)
    assert time.process_time() - begin < 10
    for first, second in zip(
        (written.html, written.pdf, *written.figures), (again.html, again.pdf, *again.figures), strict=True
    ):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), first.name
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".part"]


def test_a_new_process_with_another_hash_seed_and_zone_gives_the_same_bytes(tmp_path):
    program = """
import itertools, pathlib, sys
from gradlab.report import Page, line_chart, results, write_report
rows = []
for arm, seed in itertools.product("abc", (0, 1)):
    about = {"arm": arm, "seed": seed, "split": "test"}
    rows += [about | {"epoch": epoch, "accuracy": 0.5 + seed / 9 + epoch / 99} for epoch in (1, 2)]
    rows.append(about | {"accuracy": 0.5 + seed / 9, "loss": 1.0})
document = results(rows, experiment="e", command="c", environment={}, seconds=1.0)
page = Page(title="T", question="Q", blocks=[line_chart(rows)], results=document)
write_report([page], pathlib.Path(sys.argv[1]))
"""
    for name, seed, zone in (("a", "1", "UTC"), ("b", "2", "Asia/Tokyo")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone}
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=True, env=environment)
    first, second = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in "ab"
    )
    assert first == second
    assert len(first) == 5


def test_the_page_nests_and_loads_nothing(html, outline):
    found = outline(html)
    assert "http:" not in html
    assert "https:" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    for tag, attributes in found.tags:
        for name in ("src", "href", "xlink:href"):
            if name in attributes:
                assert attributes[name].startswith(("data:", "#")), (tag, attributes)
    policy = next(meta for meta in found.attributes("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")


def test_every_picture_is_described_and_no_heading_level_is_skipped(html, outline):
    found = outline(html)
    assert all(image["alt"] for image in found.attributes("img"))
    assert len(found.attributes("img")) == 6
    drawings = found.attributes("svg")
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert len(drawings) == 2 * 4
    levels = found.headings()
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))


def test_ids_are_unique_and_references_resolve(html, outline):
    identities = [attributes["id"] for _, attributes in outline(html).tags if "id" in attributes]
    assert len(identities) == len(set(identities))
    references = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', html))
    assert {first or second for first, second in references} <= set(identities)


def test_names_cannot_become_markup(html, outline, hostile):
    assert html.count("<script>") == 1
    assert "<b>" not in html
    texts = outline(html).texts
    assert sum(hostile in text for text in texts) >= 8


def test_drawings_follow_the_theme(html):
    assert "var(--ink)" in html
    assert "var(--series-1)" in html
    assert "#fe0" not in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_nothing_is_not_a_number(html):
    shown = re.sub(r"base64,[A-Za-z0-9+/=]*", "", html)
    assert not re.search(r"\bnan\b", shown, re.IGNORECASE)


def test_sizes_stay_in_bounds(written):
    assert written.html.stat().st_size < 500_000
    assert written.pdf.stat().st_size < 500_000


def test_figures_are_files_that_stand_alone(written):
    assert {path.suffix for path in written.figures} == {".svg", ".png", ".csv"}
    for path in written.figures:
        if path.suffix == ".svg":
            root = ET.fromstring(path.read_text(encoding="utf-8"))
            assert root.find("{http://www.w3.org/2000/svg}title") is not None
            assert "var(" not in path.read_text(encoding="utf-8")
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n")


def test_the_pdf_is_tagged_and_has_its_title(written):
    content = written.pdf.read_bytes()
    assert content.startswith(b"%PDF-1.7")
    assert b"/MarkInfo" in content
    assert b"pdfuaid" in content
    assert b"CreationDate" not in content or b"1970" in content


def test_an_empty_run_still_makes_a_report(tmp_path, outline):
    document = results([], experiment="e", command="", environment={}, seconds=0.0)
    paths = write_report([Page(title="Empty", question="Why?", blocks=[], results=document)], tmp_path)
    assert "Nothing was measured" in " ".join(outline(paths.html.read_text(encoding="utf-8")).texts)
    assert paths.figures == ()


def test_several_experiments_get_a_table_of_contents(tmp_path, outline):
    document = results([], experiment="e", command="", environment={}, seconds=0.0)
    pages = [
        Page(title=name, question=f"{name}?", blocks=[], results=document) for name in ("First", "Second", "First")
    ]
    paths = write_report(pages, tmp_path, title="All of them")
    found = outline(paths.html.read_text(encoding="utf-8"))
    assert [link["href"] for link in found.attributes("a")] == ["#first", "#second", "#first-2"]
    assert found.headings()[:2] == [1, 2]


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path, page):
    (tmp_path / "file").write_text("here already")
    with pytest.raises(FileError, match=r"cannot write a report to .*choose another folder") as caught:
        write_report([page], tmp_path / "file" / "report")
    assert "\n" not in str(caught.value)


def test_reports_never_import_torch(tmp_path):
    program = (
        "import sys, pathlib; import gradlab.report as r;"
        "assert 'matplotlib' not in sys.modules, 'slow to import';"
        "d = r.results([], experiment='e', command='', environment={}, seconds=0.0);"
        "r.write_report([r.Page(title='t', question='q', blocks=[], results=d)], pathlib.Path(sys.argv[1]));"
        "assert 'torch' not in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
