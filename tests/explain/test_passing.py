"""The one pass that summaries and architectures watch."""

import pytest
import torch
from torch import nn

from gradlab.errors import UsageError
from gradlab.explain.passing import empty_image, pass_once


def test_an_image_has_the_type_of_the_weights():
    assert empty_image(nn.Linear(3, 2).double(), (3,)).dtype == torch.float64
    assert empty_image(nn.Flatten(), (1, 2, 2)).shape == (1, 1, 2, 2)


def test_every_module_is_put_back_into_its_own_mode():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).train()
    model[0].eval()
    before = model[1].running_mean.clone()
    pass_once(model, empty_image(model, (3,)))
    assert (model.training, model[0].training, model[1].training) == (True, False, True)
    assert torch.equal(model[1].running_mean, before)


def test_what_a_network_does_not_take_is_told_and_its_mode_put_back():
    model = nn.Linear(3, 2).train()
    with pytest.raises(UsageError, match="Linear does not take an input of 4: "):
        pass_once(model, empty_image(model, (4,)))
    assert model.training
