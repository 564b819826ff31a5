from gradlab.answers import PAGES, bind
from gradlab.experiments import group_equivariance
from gradlab.report import Bullets, Heading, Table, Text, write_report


def test_every_question_is_on_a_page_and_says_how_to_answer_it():
    pages = bind({})
    assert [page.title for page in pages[:-1]] == [practical.title for practical in PAGES]
    for practical, page in zip(PAGES, pages, strict=False):
        asked = [block.text for block in page.blocks if isinstance(block, Heading)]
        told = [block.text for block in page.blocks if isinstance(block, Text)]
        assert asked == [f"{question.part}. {question.text}" for question in practical.questions]
        assert told == [f"Not answered yet: gradlab run {question.experiment_name}" for question in practical.questions]
    remedy = "gradlab run practical1 makes the runs of the first practical."
    assert pages[-1].blocks == [Text(f"No finished run was found. {remedy}")]


def test_runs_that_answer_nothing_are_named(make_run):
    run = make_run("speedrun", {"net": {"test_accuracy": [0.5]}})
    told = bind({"speedrun": [run], "compare_models": [run, run]})[-1].blocks[0].text
    assert told == (
        "None of the finished runs answers a question of the handbook: compare_models (2 runs), speedrun. "
        "gradlab run practical1 makes the runs of the first practical."
    )


def test_a_run_answers_and_is_named_as_the_source(make_run, tmp_path):
    accuracy = {"test_accuracy": [0.5, 0.52], "validation_accuracy": [0.5, 0.5]}
    run = make_run("resnet", {"handbook": accuracy, "recommended": accuracy}, quick=True, family=False, epochs=3)
    (run.path / "rows.jsonl").write_text("")
    pages = bind({"resnet": [run]})
    text = next(block.text for block in pages[1].blocks if isinstance(block, Text))
    assert "Accuracy on the test split: handbook 51 %" in text
    assert "quick run, which settles nothing" in text
    (table,) = [block for block in pages[-1].blocks if isinstance(block, Table)]
    assert table.rows == [("resnet", "made-up", "0, 1", "3", "quick")]
    (sources,) = [block for block in pages[-1].blocks if isinstance(block, Bullets)]
    assert sources.items == (f"{run.path}: gradlab run resnet",)
    assert write_report(pages, tmp_path / "bound", "Answers").pdf.read_bytes().startswith(b"%PDF")


def test_a_quick_run_settles_nothing_but_what_needs_no_measurement(make_run, monkeypatch):
    monkeypatch.setattr(group_equivariance, "page", lambda run: [])
    run = make_run("group_equivariance", {"CNN": {"test_accuracy": [0.5, 0.5]}}, quick=True, kernel_size=3)
    (practical,) = [practical for practical in PAGES if practical.title.startswith("Practical 4")]
    blocks = next(page for page in bind({"group_equivariance": [run]}) if page.title == practical.title).blocks
    told = [block.text for block in blocks if isinstance(block, Text)]
    doubted = [text.startswith("(A quick run, which settles nothing.)") for text in told]
    assert doubted == [question.measured for question in practical.questions]
    assert doubted == [False, False, True, True, True, False, False, False]
