from collections.abc import Iterator

import pytest

from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.outline import outlines
from gradlab.learn.sandbox import Limits, Report, Workshop
from tests.learn.mutants import all_mutants, judged


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as made:
        yield made


@pytest.mark.parametrize("name", [told.name for told in outlines()])
def test_our_solution_passes_and_the_starter_is_not_written(name, workshop):
    each = exercise(name)
    assert judge_source(each, each.outline.solution(), workshop)
    assert judge_source(each, each.outline.starter(), workshop).status == "not written"


SOURCES = {
    "softmax": "import torch\ndef softmax(x):\n    e = torch.exp(x - x.max())\n    return e / e.sum()\n",
    "attention_block": (
        "from torch import nn\nclass AttentionBlock(nn.Module):\n"
        "    def __init__(self, e, h, n):\n        super().__init__()\n"
        "        self.a, self.b = nn.LayerNorm(e), nn.LayerNorm(e)\n"
        "        self.attn = nn.MultiheadAttention(e, n, batch_first=True)\n"
        "        self.mlp = nn.Sequential(nn.Linear(e, h), nn.GELU(), nn.Linear(h, e))\n"
        "    def forward(self, x):\n        y = self.a(x)\n        x = x + self.attn(y, y, y)[0]\n"
        "        return x + self.mlp(self.b(x))\n"
    ),
    "one_hot": (
        "import torch\ndef one_hot(y, n):\n    out = torch.zeros(len(y), n)\n    out[:, y] = 1\n    return out\n"
    ),
}
FAULTS = {
    "softmax": "the sum runs over the whole batch",
    "attention_block": "batch and token axes are swapped",
    "one_hot": "whole columns are marked",
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_process_of_its_own_is_judged_as_this_one(name, workshop):
    verdict = judge_source(exercise(name), SOURCES[name], workshop)
    assert verdict.fault == FAULTS[name]
    assert verdict.got
    assert verdict.expected
    assert verdict.inputs
    again = judge_source(exercise(name), SOURCES[name], workshop)
    assert (again.fault, again.got, again.inputs) == (verdict.fault, verdict.got, verdict.inputs)


def test_of_two_mistakes_the_one_that_the_first_case_shows_is_named():
    def columns_without_a_maximum(logits):
        return logits.exp() / logits.exp().sum(0)

    assert judged("softmax", columns_without_a_maximum).fault == "the sum runs over the batch instead of the classes"


def test_an_error_on_some_inputs_only_says_so():
    def small_only(logits):
        if logits.shape[0] > 2:
            raise KeyError("too many")
        return logits.softmax(1)

    verdict = judged("softmax", small_only)
    assert verdict.fault == "KeyError is raised"
    assert "too many" in verdict.advice
    assert "works on other inputs" in verdict.advice


def test_an_error_without_a_text_says_so():
    def silent(_logits):
        raise ValueError

    verdict = judged("softmax", silent)
    assert verdict.fault == "ValueError is raised"
    assert verdict.advice.startswith("without a text")


def test_the_wrong_solutions_are_caught_and_named():
    """The figures of the table: all are caught, and at least 95 % told with the fault that they have."""
    mutants = [mutant for _, group in all_mutants() for mutant in group]
    assert len(mutants) >= 8 * len(outlines())
    verdicts = [(mutant, mutant.verdict(seed=7)) for mutant in mutants[::5]]
    assert not [mutant for mutant, verdict in verdicts if verdict]
    named = sum(verdict.fault == mutant.fault for mutant, verdict in verdicts)
    assert named >= 0.95 * len(verdicts)


class Forger:
    """In place of a workshop: what a learner's code wrote itself into the file of its results."""

    limits = Limits()

    def __init__(self, *messages: dict) -> None:
        self.messages = messages

    def run(self, *_arguments: object, **_options: object) -> Report:
        return Report(messages=self.messages, how="ended 0", printed="")


@pytest.mark.parametrize(
    "message",
    [
        {"case": [0], "raised": "ValueError", "said": "", "line": 0},
        {"case": 0, "raised": "ValueError"},
        {"case": 0, "raised": None, "said": "", "line": 0},
        {"case": 0, "value": 1, "changed": [{}]},
        {"case": 0, "value": 1},
        {"stopped": ["x"]},
        {"missing": None},
        {"file": {"raised": "ValueError"}},
        {"file": "ValueError"},
        {"begun": -99},
        {"begun": 99},
    ],
)
def test_a_message_that_a_learner_made_up_is_no_outcome(message):
    verdict = judge_source(exercise("softmax"), "x = 1", Forger(message))
    assert (verdict.status, verdict.fault) == ("stopped", "your code ends Python")


def test_a_message_of_each_kind_is_one():
    told = [judge_source(exercise("softmax"), "x = 1", Forger({"begun": 0}, message)).fault for message in (
        {"stopped": "prints"}, {"missing": "softmax"}, {"file": {"raised": "ValueError", "said": "", "line": 3}},
    )]  # fmt: skip
    assert told == ["your code prints", "`softmax` is missing", "ValueError is raised while the file is read"]
