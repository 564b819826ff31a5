import pytest

from gradlab.errors import FileError
from gradlab.records import RunFolder, write_json
from gradlab.report import Answer, page_of_run, results, write_report


@pytest.fixture
def run(tmp_path, make_rows):
    document = results(make_rows(), experiment="lenet", command="gradlab run lenet", environment={}, seconds=1.0)
    settings = {"experiment": "lenet", "question": "How far?", "command": "gradlab run lenet", "quick": True}
    settings |= {"config": {"epochs": 4, "rate": 0.1}, "changes": {"epochs": 4}}
    environment = {
        "python": "3.11.7",
        "data": {"name": "mnist", "sha256": "ab", "shape": [1, 28, 28], "classes": list("0123456789"),
                 "sizes": {"train": 55000}},
        "arms": {"MLP": {"way": "processes", "why": "two cores"}, "LeNet": {"way": "processes", "why": "two cores"}},
    }  # fmt: skip
    for name, content in (("results", document), ("config", settings), ("environment", environment)):
        write_json(tmp_path / f"{name}.json", content)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mlp-0.safetensors").write_bytes(b"")
    (tmp_path / ".lock").write_bytes(b"")
    return RunFolder(tmp_path)


def test_a_folder_becomes_a_page(run):
    page = page_of_run(run, [Answer("Far.")])
    told = "How far? A quick run: small settings on small data, which settle nothing."
    assert (page.title, page.question, page.changed) == ("lenet", told, ("epochs",))
    write_json(run.path / "config.json", {**run.document("config"), "quick": False})
    assert page_of_run(run, [Answer("Far.")]).question == "How far?"
    assert page.data == {
        "name": "mnist",
        "sha256": "ab",
        "images": "55,000 train",
        "shape": "1 × 28 × 28",
        "classes": 10,
    }
    assert page.environment == {"settings": "quick", "seeds ran": "processes: two cores", "python": "3.11.7"}
    assert page.files == ("config.json", "environment.json", "results.json", "weights/ (1 file)")


@pytest.mark.parametrize(
    ("of_lenet", "told"),
    [
        ("off: as asked", {"steps compiled": "off: as asked"}),
        ("on: as asked", {"steps of MLP compiled": "off: as asked", "steps of LeNet compiled": "on: as asked"}),
    ],
)
def test_whether_steps_were_compiled_is_told_once_for_all_arms_that_share_it(of_lenet, told, run):
    environment = run.document("environment")
    environment["arms"]["MLP"]["compiled"], environment["arms"]["LeNet"]["compiled"] = "off: as asked", of_lenet
    write_json(run.path / "environment.json", environment)
    expected = {"settings": "quick", "seeds ran": "processes: two cores", **told, "python": "3.11.7"}
    assert page_of_run(run, [Answer("Far.")]).environment == expected


def test_recipes_are_told(run):
    page = page_of_run(run, [Answer("Far.")])
    assert page.recipes == {"MLP": {"seeds ran": "processes"}, "LeNet": {"seeds ran": "processes"}}
    html = write_report([page], run.path).html.read_text(encoding="utf-8")
    assert "<summary>Recipes</summary>" in html
    assert "seeds ran" in html.partition("<summary>Recipes</summary>")[2].partition("<summary>")[0]


def test_a_second_report_equals_the_first(run):
    first = write_report([page_of_run(run, [Answer("Far.")])], run.path)
    content = first.html.read_bytes(), first.pdf.read_bytes()
    write_report([page_of_run(run, [Answer("Far.")])], run.path)
    assert (first.html.read_bytes(), first.pdf.read_bytes()) == content


def test_what_is_no_run_is_told(tmp_path):
    with pytest.raises(FileError, match=r"is .* a gradlab run"):
        page_of_run(RunFolder(tmp_path), [])
