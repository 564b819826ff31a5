import sys
import types

import pytest

from gradlab.errors import UsageError
from gradlab.learn import check, hint
from gradlab.learn.exercise import exercise
from gradlab.learn.judge import judge_source
from gradlab.learn.outline import outline
from gradlab.learn.sandbox import Workshop

CELLS = [
    "import torch\nfrom gradlab.learn import check",
    "def top(x):\n    return x.amax()",
    "%timeit 1",
    "def softmax(logits):\n    e = torch.exp(logits - top(logits))\n    return e / e.sum(0)",
    "check(softmax)",
]


def test_a_notebook_is_judged_by_its_cells_as_the_command_line_would(monkeypatch):
    shell = types.SimpleNamespace(user_ns={"In": CELLS})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))

    def softmax(logits):
        return logits

    verdict = check(softmax)
    assert verdict.fault == "the sum runs over the batch instead of the classes"
    with Workshop() as workshop:
        source = "\n\n".join([CELLS[0].partition("\n")[0], CELLS[1], CELLS[3]])
        assert judge_source(exercise("softmax"), source, workshop).fault == verdict.fault


def test_a_script_is_judged_by_its_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(outline("one_hot").solution())
    module = types.ModuleType("mine")
    exec_namespace = __import__("runpy").run_path(str(path))
    module.__dict__.update(exec_namespace)
    assert check(module.one_hot)


def test_source_and_name_can_be_given():
    assert check("softmax", source=outline("softmax").solution())
    assert check("softmax", source="").fault == "`softmax` is missing"


def test_what_cannot_be_found_is_told():
    with pytest.raises(UsageError, match="unknown exercise 'print'"):
        check(print)
    with pytest.raises(UsageError, match="pass it as source="):
        check("softmax")


def test_hints_are_those_of_the_command_line():
    assert [hint("softmax", level) for level in (1, 2, 3)] == list(outline("softmax").hints)
    assert hint("SGDMomentum") == outline("sgd_momentum").hints[0]
    for level in (0, 4):
        with pytest.raises(UsageError, match=f"level is 1 to 3: got {level}"):
            hint("softmax", level)
