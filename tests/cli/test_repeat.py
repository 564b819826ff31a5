"""The command that repeats a run, for words as people type them."""

import pytest

from gradlab.cli.repeat import repeating, with_seeds
from gradlab.errors import FileError


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["run", "lenet", "--out", "here", "--seeds", "0", "1"], "gradlab run lenet --seeds 0 1"),
        (["run", "lenet", "--out=my folder", "--quick"], "gradlab run lenet --quick"),
        (["run", "lenet", "--data", "folder:my pictures"], "gradlab run lenet --data 'folder:my pictures'"),
        (["run", "lenet", "--learning-rate", "-1", "--out", "x"], "gradlab run lenet --learning-rate -1"),
        (["run", "lenet"], "gradlab run lenet"),
    ],
)
def test_a_command_is_repeated_in_a_folder_of_its_own(words, command):
    assert repeating(words) == command


@pytest.mark.parametrize(
    "before",
    [
        "gradlab run lenet --quick",
        "gradlab run lenet --seeds 4 5 --quick",
        "gradlab run lenet --seeds=4 --quick",
        "gradlab run lenet --out grown --quick --seeds 0",
        "gradlab run lenet --quick --seeds 4 --out grown && gradlab resume grown --add-seeds 0 7",
        "gradlab run lenet --quick --seeds 4 --out grown '&&' gradlab resume grown --add-seeds 0 7",
    ],
)
def test_added_seeds_are_asked_for_at_once(before):
    assert with_seeds(before, [4, 0, 7]) == "gradlab run lenet --quick --seeds 4 0 7"


def test_a_command_that_nobody_typed_is_a_damaged_file():
    with pytest.raises(FileError, match=r"config\.json is damaged"):
        with_seeds("gradlab run 'x", [0])
