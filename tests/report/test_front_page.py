"""The page before the chapters of a group's report."""

import dataclasses
import json

import pytest

from gradlab.records import RunFolder
from gradlab.report import Answer, Page, results, with_front_page, write_documents, write_report
from gradlab.report.blocks import Code, Facts, Heading, Text
from gradlab.report.front_page import OF_THE_MACHINE

MACHINE = {"python": "3.11.7", "cores": 2, "processor": "AMD EPYC", "memory_bytes": 2**34}


def page(name, answer, **further):
    told = {"title": name, "question": "Why?", "blocks": [Answer(answer)] if answer else [], "data": {"name": "digits"}}
    told |= {"results": {"experiment": name, "arms": {"MLP": {"seeds": [0, 1, 2]}}, "seconds": 90.0}}
    return Page(**told | {"environment": {"settings": "usual", "exact": True, **MACHINE}} | further)


def test_it_tells_every_chapter_s_answer_and_what_it_took():
    front, *_ = with_front_page([page("lenet", "Far."), page("vit", "")], "gradlab run slides")
    assert front.question == "2 experiments, 3 min 0 s in all"
    assert [block.text for block in front.blocks if isinstance(block, Heading)][:2] == ["lenet", "vit"]
    assert [block.text for block in front.blocks if isinstance(block, Answer)] == [
        "Far.",
        "No answer: see its chapter.",
    ]
    assert {block.text for block in front.blocks if isinstance(block, Text)} == {"digits; seeds 0 to 2; 1 min 30 s"}
    assert [block.text for block in front.blocks if isinstance(block, Code)] == ["gradlab run slides"]


def test_what_all_chapters_share_is_told_once_and_the_rest_where_it_belongs():
    elsewhere = {"settings": "usual", "exact": False, **MACHINE, "processor": "Intel(R) Xeon(R)"}
    front, first, second = with_front_page([page("lenet", "Far."), page("vit", "Near.", environment=elsewhere)], "")
    (facts,) = [block for block in front.blocks if isinstance(block, Facts)]
    assert dict(facts.pairs) == {"python": "3.11.7", "cores": "2", "memory": "16.0 GiB"}
    assert first.environment == {"settings": "usual", "exact": True, "processor": "AMD EPYC"}
    assert second.environment == {"settings": "usual", "exact": False, "processor": "Intel(R) Xeon(R)"}


def test_all_that_a_run_says_of_its_machine_can_be_told_once(tmp_path):
    settings = {"experiment": "xor", "command": "", "seeds": [], "device": "cuda", "precision": "float32"}
    settings |= {"compile": "auto", "threads": 1}
    write_documents(RunFolder(tmp_path), [], settings, {"data": {}, "arms": {}}, exact=True, seconds=1.0,
                    device_name="NVIDIA H200")  # fmt: skip
    told = json.loads((tmp_path / "environment.json").read_text())
    assert told.keys() - {"exact", "data", "arms"} == set(OF_THE_MACHINE)


@pytest.mark.parametrize(("seeds", "differ"), [([0, 1, 2], False), ([0, 1, 2, 3], True)])
def test_experiments_with_other_seeds_than_the_rest_are_told_of(seeds, differ):
    grown = page("vit", "Near.", results={"arms": {"ViT": {"seeds": seeds}}})
    front, *_ = with_front_page([page("lenet", "Far."), grown], "gradlab run slides")
    assert (
        any("do not all have the same seeds" in block.text for block in front.blocks if isinstance(block, Text))
        is differ
    )


@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_arms_of_other_seeds_are_told_apart(seeds):
    found = {"arms": {"MLP": {"seeds": [0, 1, 2]}, "LeNet": {"seeds": seeds}}}
    front, *_ = with_front_page([page("lenet", "Far.", results=found, data={})], "")
    (told,) = [block.text for block in front.blocks if isinstance(block, Text)]
    assert told == f"seeds {', '.join(map(str, seeds))} or 0 to 2"


def test_the_chapters_themselves_are_as_they_were(tmp_path, make_rows):
    found = results(make_rows(), experiment="lenet", command="", environment={}, seconds=1.0)
    before = [page("lenet", "Far.", results=found)]
    _, after = with_front_page(before, "gradlab run slides")
    assert dataclasses.replace(after, environment=before[0].environment) == before[0]
    html = write_report(with_front_page(before, "gradlab run slides"), tmp_path).html.read_text(encoding="utf-8")
    assert html.index("Answers at a glance") < html.index("Why?")
