"""Networks that begin with given weights, whichever way their seeds run."""

import pytest
import torch

from gradlab.errors import UsageError
from gradlab.objectives import classification
from gradlab.training import Pretrained, Run, collect, fit

STILL = {"optimizer": lambda p: torch.optim.SGD(p, lr=0.0), "epochs": 1, "select": None}
"""At a rate of 0 networks end with what they began with."""


@pytest.mark.parametrize("way", ["processes", "stacked", "in a row"])
def test_a_seed_begins_with_the_weights_given_for_it(way, bars, recipe, make_small_net, normalize):
    """The weights that are not given are those that the seed draws."""
    name, shape = next((name, tensor.shape) for name, tensor in make_small_net().named_parameters())
    given = {seed: {name: torch.full(shape, float(seed))} for seed in (1, 3)}

    def train(make_model):
        options = {"seeds": (3, 1), "together": way, "prepare": normalize}
        return collect(fit(make_model, bars, classification, recipe(**STILL), **options))[1].models

    drawn, begun = train(make_small_net), train(Pretrained(make_small_net, given))
    for seed in (3, 1):
        expected = {**drawn[seed].state_dict(), **given[seed]}
        assert all(torch.equal(tensor, expected[key]) for key, tensor in begun[seed].named_parameters())
        assert not torch.equal(drawn[seed].state_dict()[name], given[seed][name])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({1: {}}, r"begin with for seeds \[1\], and none for 0"),
        ({0: {"head.weight": torch.ones(1)}}, r"cannot begin with head.weight \[1\]: it has none of that name"),
        ({0: {"weight": torch.ones(1, 7)}}, r"cannot begin with weight \[1, 7\]: it has \[2, 3\]"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    make = Pretrained(lambda: torch.nn.Linear(3, 2), weights)
    with pytest.raises(UsageError, match=message):
        make.given(make(), 0)


def test_a_run_leaves_out_seeds_without_weights(bars, recipe, make_small_net, normalize):
    make = Pretrained(make_small_net, {2: {}, 0: {}})
    training = Run(seeds=(0, 1, 2), together="in a row").fit(
        "tuned", make, bars, classification, recipe(**STILL), prepare=normalize
    )
    assert list(collect(training)[1].models) == [0, 2]
