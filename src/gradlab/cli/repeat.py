"""The command that a report names for repeating its run."""

import shlex
from collections.abc import Sequence

from gradlab.errors import FileError


def repeating(words: Sequence[str]) -> str:
    """The command of these words without `--out`: a folder that a run has filled would be refused."""
    return shlex.join(["gradlab", *_without("--out", words)])


def with_seeds(command: str, seeds: Sequence[int]) -> str:
    """The command for all of these seeds at once, which only a stack does not compute to the same bits as added ones.

    Raises:
        FileError: nobody can have typed the command.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise FileError(f"config.json is damaged: its command is '{command}' ({error})") from error
    first = words[: words.index("&&")] if "&&" in words else words  # older versions appended `gradlab resume`
    return shlex.join([*_without("--seeds", _without("--out", first)), "--seeds", *map(str, seeds)])


def _without(flag: str, words: Sequence[str]) -> list[str]:
    """The words without a flag and its values."""
    kept, dropping = [], False
    for word in words:
        if word.startswith("--"):
            dropping = word.partition("=")[0] == flag
        if not dropping:
            kept.append(word)
    return kept
