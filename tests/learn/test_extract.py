import runpy

import pytest

from gradlab.learn.extract import asked_names, closure, without_markers, without_solution

TEXT = '''"""Title."""

import math
from torch import Tensor, nn
import torch.nn.functional as F

SCALE = 2
UNUSED = 3


def keep(f):
    return f


def helper(x: Tensor) -> Tensor:
    return x * SCALE


@keep
def answer(x: Tensor) -> Tensor:
    """Doc."""
    ### BEGIN SOLUTION
    return helper(x) + math.pi
    ### END SOLUTION


def other():
    return answer


class Piece(nn.Module):
    def forward(self, x):
        ### BEGIN SOLUTION
        return F.relu(x)
        ### END SOLUTION
'''


def test_a_closure_has_what_is_used_and_nothing_else():
    text = closure(TEXT, ["answer"])
    assert text.startswith("import math\nfrom torch import Tensor\n")
    places = [text.index(part) for part in ("SCALE = 2", "def keep", "def helper", "@keep\ndef answer")]
    assert places == sorted(places)
    for absent in ("UNUSED", "nn", "functional", "def other", "Title"):
        assert absent not in text
    assert "### END SOLUTION" in text


def test_a_closure_runs_by_itself(tmp_path):
    path = tmp_path / "piece.py"
    path.write_text(closure(TEXT.replace("helper(x) + math.pi", "SCALE + math.pi"), ["answer"]))
    assert runpy.run_path(str(path))["answer"](0) == pytest.approx(5.14159, abs=1e-4)


def test_the_later_of_two_bindings_counts():
    assert closure("def f():\n    return 1\n\n\ndef f():\n    return 2\n", ["f"]) == "def f():\n    return 2\n"


@pytest.mark.parametrize(
    "scratch",
    [
        "x = torch.softmax(x, 1)",
        "torch.backends.cudnn.enabled = softmax(x)",
        "torch.rows[0] = softmax(x)",
        "y = [torch for torch in softmax(x)]",
        "if True:\n    e = torch.softmax(x)",
        "F = softmax",
        "deep = " + "-" * 1500 + "1",
    ],
)
def test_what_only_shares_a_name_with_a_local_one_is_left_out(scratch):
    right = "import torch\n\n\ndef softmax(x):\n    e = torch.exp(x)\n    return e / e.sum(1)\n"
    assert closure(f"{right}\n\n{scratch}\n", ["softmax"]) == right


@pytest.mark.parametrize(
    "needed",
    [
        "SCALE = 1\nSCALE = SCALE + 1",
        "SCALE = 1\nSCALE += 1",
        "try:\n    SCALE = 2\nexcept ImportError:\n    SCALE = 3",
        "if True:\n    SCALE = 2",
        "for SCALE in range(3):\n    pass",
        "from contextlib import nullcontext\nwith nullcontext(2) as SCALE:\n    pass",
        "def made():\n    return 2\nSCALE = made()\ndef made():\n    return 7",
        "ROWS = [1, 1]\nSCALE = sum(row for row in ROWS)",
        "class Base:\n    two = 2\nclass Base(Base):\n    pass\nSCALE = Base.two",
        "SCALE: int = 2\nSCALE: int",
        "import os.path\nimport os\nSCALE = 2 if os.path else 3",
    ],
)
def test_every_binding_that_counts_is_kept(needed, tmp_path):
    answer = "def answer():\n    return SCALE\n"
    path = tmp_path / "piece.py"
    path.write_text(closure(f"{needed}\nother = 3\n{answer}", ["answer"]))
    assert runpy.run_path(str(path))["answer"]() == 2
    assert "other" not in path.read_text()


def test_a_star_import_is_kept_where_something_is_bound_nowhere_else():
    star = "from math import *\n"
    assert closure(f"{star}def f():\n    return sqrt(4)\n", ["f"]).startswith(star)
    assert "math" not in closure(f"{star}def f():\n    return abs(4)\n", ["f"])


def test_a_decorated_or_counting_function_keeps_what_it_counts_on(tmp_path):
    text = "COUNT = 0\n\n\ndef answer():\n    global COUNT\n    COUNT += 1\n    return COUNT\n"
    assert closure(text, ["answer"]) == text
    wrapped = "import functools\n\n\ndef f():\n    return 1\n\n\nf = functools.cache(f)\n"
    assert closure(wrapped, ["f"]) == wrapped


def test_names_that_are_not_bound_are_left_out():
    assert closure(TEXT, ["print"]) == "\n"


def test_what_is_asked_is_what_has_a_solution():
    assert asked_names(TEXT) == ("answer", "Piece")


def test_solutions_become_stubs_of_the_same_depth():
    text = without_solution(closure(TEXT, ["answer", "Piece"]))
    assert "    # TODO: write this piece\n    raise NotImplementedError\n" in text
    assert "        # TODO: write this piece\n        raise NotImplementedError\n" in text
    assert "SOLUTION" not in text
    assert "relu" not in text
    assert "class Piece" in text, "what follows a solution stays"
    assert text.startswith("import math\n"), "and so does what comes before"


def test_markers_go_and_solutions_stay():
    text = without_markers(TEXT)
    assert "SOLUTION" not in text
    assert "helper(x) + math.pi" in text
