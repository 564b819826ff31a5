import torch

from gradlab.models import CNN


def test_it_has_the_handbook_s_parameters():
    assert sum(parameter.numel() for parameter in CNN(1, 10, 5, 4, 32).parameters()) == 103_690


def test_feature_maps_shrink_and_are_projected():
    model, x = CNN(1, 10, 5, 2, 6), torch.randn(3, 1, 28, 20)
    assert [tuple(found.shape) for found in model.feature_maps(x)] == [(3, 6, 24, 16), (3, 6, 20, 12), (3, 6, 16, 8)]
    assert torch.allclose(model.projected(x), model.feature_maps(x)[-1].mean((2, 3)), atol=1e-6)
    assert model(x[:1]).shape == (1, 10)


def test_a_turned_image_is_another_one():
    torch.manual_seed(0)
    model, x = CNN(1, 10, 5, 1, 6), torch.randn(3, 1, 16, 16)
    assert not torch.allclose(model(x), model(x.rot90(1, (2, 3))), atol=1e-3)
