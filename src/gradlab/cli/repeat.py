"""The command that a report names for repeating its run."""

import shlex
from collections.abc import Sequence


def repeating(words: Sequence[str]) -> str:
    """The command of these words without `--out`: a folder that a run has filled would be refused."""
    return shlex.join(["gradlab", *_without("--out", words)])


def with_seeds(command: str, seeds: Sequence[int]) -> str:
    """The command for all of these seeds: whether they ran at once or were added changes nothing for any of them."""
    words = _without("--seeds", shlex.split(command))
    return shlex.join([*words, "--seeds", *map(str, seeds)])


def _without(flag: str, words: Sequence[str]) -> list[str]:
    """The words without a flag and its values."""
    kept, dropping = [], False
    for word in words:
        if word.startswith("--"):
            dropping = word.partition("=")[0] == flag
        if not dropping:
            kept.append(word)
    return kept
