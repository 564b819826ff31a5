"""The settings that the speedrun's optimiser gives to each kind of parameter, for one network and for a stack."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from gradlab.augment import AlternatingFlip, Normalize, Pipeline, ReflectedTranslation
from gradlab.experiments import speedrun
from gradlab.objectives import classification
from gradlab.training import Place, collect, fit

CONFIG = replace(speedrun.QUICK, epochs=2, batch_size=20, widths=(5, 6), whitening_epochs=1)


def test_every_parameter_has_its_group():
    network = speedrun.network(CONFIG, "", (1, 9, 9), 4)
    made = speedrun.optimizer(network.parameters(), CONFIG, steps=7)
    filters, whitening, biases, heads = made.param_groups
    assert [id(p) for p in whitening["params"]] == [id(network.whitening_bias)]
    assert {p.ndim for p in filters["params"]} == {4}
    assert [id(p) for p in heads["params"]] == [id(network.head.weight)]
    assert len(biases["params"]) == 4
    assert sum(len(group["params"]) for group in made.param_groups) == len(list(network.parameters()))
    assert [group["freeze_after"] for group in made.param_groups] == [0, 7, 0, 0]
    assert heads["lr"] == pytest.approx(20 * CONFIG.head_rate)
    # the weight decay of a step is the same for all rates
    assert heads["lr"] * heads["weight_decay"] == pytest.approx(biases["lr"] * biases["weight_decay"])


def test_a_stack_learns_what_its_seeds_learn_alone():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (60, 1, 9, 9), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 4, (60,), generator=generator)
    prepare = Pipeline([AlternatingFlip(), ReflectedTranslation(1), Normalize((0.5,), (0.3,))])

    def weights(way: str) -> dict[int, nn.Module]:
        training = fit(lambda: speedrun.network(CONFIG, "", (1, 9, 9), 4), (images, labels),
                       partial(classification, label_smoothing=0.2), speedrun.recipe(CONFIG, 60), seeds=(0, 4),
                       together=way, prepare=prepare, place=Place(precision="float64"))  # fmt: skip
        return collect(training)[1].models

    alone, stacked = weights("in a row"), weights("stacked")
    for seed, model in alone.items():
        for name, tensor in model.state_dict().items():
            torch.testing.assert_close(stacked[seed].state_dict()[name], tensor, rtol=0, atol=1e-8, msg=name)
