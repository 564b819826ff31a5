import pytest
import torch

from gradlab.augment import Normalize
from gradlab.experiments.group_equivariance import ANGLES, GROUPS, Config, inside, network, turned_maps

SMALL = Config(kernel_size=3, num_hidden=1, parameters=3000, plain_channels=6)


@pytest.mark.parametrize("arm", ["CNN", *GROUPS])
def test_networks_have_about_the_handbook_s_number_of_weights(arm):
    weights = sum(parameter.numel() for parameter in network(Config(), arm, (1, 28, 28), 10).parameters())
    assert 90_000 < weights < 104_000
    assert weights == {"CNN": 103_690, "C4": 102_970}.get(arm, weights)


@pytest.mark.parametrize("arm", [*GROUPS, "CNN"])
def test_what_is_seen_inside_is_equivariant_exactly_where_the_network_is(arm):
    torch.manual_seed(0)
    model = network(SMALL, arm, (1, 12, 12), 4).double().eval()
    pixels = torch.randint(0, 256, (1, 1, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    kept = inside(model, pixels, Normalize((0.5,), (0.25,)))
    assert (kept["turned"][0] < 1e-5) == (arm != "CNN")
    assert kept["turned"][1] > 0.001
    assert kept["image"].shape == (8, 12, 12)
    moved = abs(kept["vectors"][2] - kept["vectors"][0]).max() / abs(kept["vectors"][0]).max()
    assert (moved < 1e-5) == (arm != "CNN")


def test_maps_that_stay_where_they_are_do_not_count_as_turned():
    maps = torch.rand(1, 2, 4, 6, 6, generator=torch.Generator().manual_seed(0)).expand(len(ANGLES), -1, -1, -1, -1)
    at_90, at_45 = turned_maps(maps, GROUPS["C4"]().table)
    assert at_90 > 0.3
    assert at_45 == 0
