"""What simclr refuses before it trains, and that it hides the labels."""

from dataclasses import replace
from itertools import takewhile

import pytest

from gradlab.errors import UsageError
from gradlab.experiments import simclr
from gradlab.training import Run


def test_too_few_labels_are_told_before_training():
    rows = simclr.run(replace(simclr.QUICK, labels=(5, 5000)), Run(seeds=(0,)))
    with pytest.raises(UsageError, match="labelled images: cannot take 5000 of each class"):
        next(rows)


def test_labels_are_hidden_from_training():
    """Other labels give the same networks: the objective does not look at them."""
    config = replace(simclr.QUICK, epochs=1, channels=2, feature_dim=8, hidden_dim=4, labels=(5,))
    rows = {}
    for shift in (0, 1):
        run = Run(seeds=(0,))
        load = run.load

        def shifted(*arguments, load=load, shift=shift, **options):
            splits = load(*arguments, **options)
            splits.train.labels.add_(shift).remainder_(10)
            return splits

        rows[shift] = list(takewhile(lambda row: "epoch" in row, simclr.run(config, _Relabelled(run, shifted))))
    assert rows[0] == rows[1]


class _Relabelled:
    """A run whose images have other labels."""

    def __init__(self, run: Run, load) -> None:
        self._run, self.load = run, load

    def __getattr__(self, name: str):
        return getattr(self._run, name)
