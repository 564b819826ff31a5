"""How many epochs each arm makes, when time is shared out equally."""

import pytest

from gradlab.experiments import vit
from gradlab.experiments.vit import CNN, EQUAL_TIME, RECOMMENDED, Config, epochs_of_arms


class Images(list[int]):
    """As much of a split as sharing out time reads."""

    pixels = labels = None


class Splits:
    """As much of a dataset as sharing out time reads."""

    shape, classes, train = (3, 8, 8), range(10), Images(range(1000))


class Run:
    """As much of a run as sharing out time reads."""

    place = None


@pytest.fixture(autouse=True)
def cheap_cnn(monkeypatch):
    """A step of the transformer takes as long as four of the CNN."""

    def seconds(make_network, *_others, **_more):
        return {RECOMMENDED: 0.4, CNN: 0.1}[make_network.args[1]]

    monkeypatch.setattr(vit, "step_seconds", seconds)


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        ((RECOMMENDED, CNN), {RECOMMENDED: 12, CNN: 12, EQUAL_TIME: 3}),
        ((CNN,), {CNN: 12, EQUAL_TIME: 3}),  # the long training is not needed for the short one
        ((RECOMMENDED,), {RECOMMENDED: 12}),
        (("handbook",), {"handbook": 12}),
    ],
)
def test_the_transformer_gets_the_epochs_that_fit_into_the_cnns_time(arms, expected):
    assert epochs_of_arms(Config(arms=arms, epochs=12), Run(), Splits(), None) == expected


def test_equal_time_can_be_left_out():
    assert EQUAL_TIME not in epochs_of_arms(Config(arms=(RECOMMENDED, CNN), equal_time=False), Run(), Splits(), None)
