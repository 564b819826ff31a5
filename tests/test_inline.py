import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch

from gradlab.cli.run import main
from gradlab.errors import UsageError
from gradlab.experiments import mlp_cifar10
from gradlab.inline import show, try_out
from gradlab.records import RunFolder
from gradlab.report import Answer, Bullets, Code, Details, Facts, Pictures, Table, Text, block_title

CONFIG = replace(mlp_cifar10.QUICK, epochs=2)
PICTURE = Pictures(np.zeros((1, 4, 4), dtype=np.uint8), ["black"], "A square", caption="Four by four.")


@pytest.fixture(scope="module")
def trial():
    return try_out(mlp_cifar10, CONFIG, seeds=(0, 3))


def test_a_trial_measures_what_the_command_line_measures(trial, tmp_path):
    words = ["--quick", "--epochs", "2", "--seeds", "0", "3", "--together", "in a row", "--quiet", "--out"]
    assert main(["mlp_cifar10", *words, str(tmp_path / "run")]) == 0
    run = RunFolder(tmp_path / "run")
    assert trial.rows == run.rows()
    for name in ("arms", "comparisons"):
        assert trial.results[name] == run.document("results")[name]
    titles = [block_title(block) for block in mlp_cifar10.page(run)]
    assert [block_title(block) for block in trial.page()] == titles


def test_a_trial_prints_nothing_and_leaves_the_threads_alone(capfd):
    before = torch.get_num_threads()
    try_out(mlp_cifar10, CONFIG)
    assert torch.get_num_threads() == before
    assert capfd.readouterr() == ("", "")


def test_parts_of_the_page_come_in_the_order_asked_for(trial):
    titles = ["Loss over epochs", "Accuracy over epochs"]
    assert [block_title(block) for block in trial.page(*titles)] == titles
    assert trial.answer.startswith("At the epoch that validates best")
    with pytest.raises(UsageError, match="did you mean 'Loss over epochs'"):
        trial.page("Loss over epoch")


def test_a_script_is_told_figures_and_tables_in_words(capsys):
    table = Table(("arm", "accuracy"), [("plain", "50 %"), ("deep and wide", "60 %")], "Over seeds.")
    show(PICTURE, table, Text("Said."), Facts([("epochs", "3")]), Bullets(("one", "two")), Code("x = 1"),
         Details("more", [Answer("Yes.")]))  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "[A square] 1 picture: black.",
        "arm            accuracy",
        "-------------  --------",
        "plain          50 %",
        "deep and wide  60 %",
        "Over seeds.",
        "Said.",
        "epochs: 3",
        "- one",
        "- two",
        "x = 1",
        "Yes.",
    ]


def test_a_notebook_gets_pictures(monkeypatch, capsys):
    shown = []
    display = types.SimpleNamespace(display=lambda *parts: shown.extend(parts), Image=dict, Markdown=str)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=object))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    show(PICTURE, Text("Said."))
    assert capsys.readouterr().out == "Said.\n"
    title, picture, caption = shown
    assert (title, caption) == ("**A square**", "Four by four.")
    assert (picture["data"][:4], picture["alt"]) == (b"\x89PNG", "1 picture: black.")
