from gradlab.report import Answer, Code, Details, Facts, Heading, Page, Table, Text, results, results_table
from gradlab.report.page import whole_page


def test_the_answer_comes_first_and_the_record_last(make_page, rows):
    page = make_page(rows, blocks=[Text("own"), Answer("yes")])
    blocks = whole_page(page)
    assert blocks[:2] == [Answer("yes"), Text("own")]
    assert [block.text for block in blocks if isinstance(block, Heading)] == ["Results", "How to repeat it"]
    code = next(block for block in blocks if isinstance(block, Code))
    assert code.text == page.results["command"]


def test_a_table_that_the_experiment_shows_is_not_repeated(make_page, rows):
    document = make_page(rows).results
    every = results_table(document, ["test_accuracy", "test_loss"])
    shown = [
        block for block in whole_page(make_page(rows, blocks=[every])) if isinstance(block, Table) and block.metrics
    ]
    assert shown == [every]
    part = results_table(document, ["test_accuracy"])
    shown = [
        block for block in whole_page(make_page(rows, blocks=[part])) if isinstance(block, Table) and block.metrics
    ]
    assert [table.metrics for table in shown] == [("test_accuracy",), ("test_accuracy", "test_loss")]


def test_without_anything_left_to_tell_there_is_no_heading_of_results(make_page):
    rows = [{"arm": "a", "seed": seed, "split": "forward", "growth": 0.5 + seed} for seed in range(2)]
    document = results(rows, experiment="e", command="c", environment={}, seconds=1.0)
    covered = Table(("a",), [("b",)], metrics=("forward_growth",))
    page = make_page(rows, blocks=[covered], results=document)
    assert [block.text for block in whole_page(page) if isinstance(block, Heading)] == ["How to repeat it"]


def test_changed_values_come_first_and_the_others_are_folded(make_page, rows):
    blocks = whole_page(make_page(rows, blocks=[]))
    facts = [block for block in blocks if isinstance(block, Facts)]
    assert facts[0].pairs == [("epochs", "4 (default 10)")]
    folded = {block.summary: block.blocks[0] for block in blocks if isinstance(block, Details)}
    assert folded["Configuration at its default values"] == Facts([("rate", "0.1")])
    environment = dict(folded["Environment"].pairs)
    assert environment == {
        "seeds": "0 to 2", "python": "3.11", "packages": "numpy 2.0", "memory": "16.0 GiB", "wall time": "3 min 20 s",
    } | {"python": "3.11.7"}  # fmt: skip


def test_changes_without_known_defaults_are_named(make_page, rows):
    blocks = whole_page(make_page(rows, blocks=[], defaults={}, changed=("rate",)))
    assert next(block for block in blocks if isinstance(block, Facts)).pairs == [("rate", "0.1")]


def test_a_run_without_results_says_so():
    empty = results([], experiment="e", command="", environment={}, seconds=0.0)
    blocks = whole_page(Page(title="t", question="q", blocks=[], results=empty))
    assert blocks[0] == Answer("Nothing was measured: the run left no result of selected weights.")
