"""How long each network learns."""

import pytest

from gradlab.experiments.pixel_shuffle import Config, recipe


@pytest.mark.parametrize(("config", "expected"), [(Config(), (10, 10)), (Config(mlp_epochs=25), (25, 10))])
def test_only_the_mlp_has_passes_of_its_own(config, expected):
    made = recipe(config, "MLP", 1280), recipe(config, "ResNet", 1280)
    assert tuple(each.epochs for each in made) == expected
    for each in made:
        last = each.epochs * each.steps_per_epoch(1280) - 1
        assert [each.schedule(0), each.schedule(last)] == [1, pytest.approx(0.01)]
