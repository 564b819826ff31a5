"""Saliency and Grad-CAM, against finite differences and by hand."""

import pytest
import torch
from torch import nn

from gradlab.equivariance import CyclicGroup
from gradlab.errors import UsageError
from gradlab.explain import grad_cam, saliency
from gradlab.models import P4CNN, LeNet


def test_saliency_of_a_linear_network_is_the_size_of_its_weights():
    model = nn.Sequential(nn.Flatten(), nn.Linear(2 * 2 * 3, 4))
    expected = model[1].weight[2].reshape(2, 2, 3).abs().amax(0)
    assert torch.equal(saliency(model, torch.rand(2, 2, 3), 2), expected)
    assert model[1].weight.grad is None


def test_saliency_is_a_finite_difference():
    torch.manual_seed(0)
    model, image = LeNet().double(), torch.rand(1, 28, 28, dtype=torch.float64)
    found = saliency(model, image, 3)
    for row, column in [(3, 4), (14, 14), (20, 9)]:
        sides = []
        for step in (1e-6, -1e-6):
            moved = image.clone()
            moved[0, row, column] += step
            sides.append(model(moved.unsqueeze(0))[0, 3].item())
        assert float(found[row, column]) == pytest.approx(abs(sides[0] - sides[1]) / 2e-6, rel=1e-5, abs=1e-9)


def averaging(weights: list[float]) -> nn.Module:
    """Two filters that copy the two channels of the image; the logits weigh their means."""
    model = nn.Sequential(nn.Conv2d(2, 2, 1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.Linear(2, 2, bias=False))  # fmt: skip
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2)[:, :, None, None])
        model[4].weight.copy_(torch.tensor([weights, [0.0, 0.0]]))
    return model


def test_grad_cam_by_hand():
    """Slopes are w/4 at each of four places; the map is the positive part of the weighted sum of both channels."""
    image = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[4.0, 3.0], [2.0, 1.0]]])
    found = grad_cam(averaging([8.0, -4.0]), image, 0)
    assert torch.allclose(found, (2 * image[0] - image[1]).relu())
    assert torch.equal(grad_cam(averaging([8.0, -4.0]), image, 1), torch.zeros(2, 2))


def test_grad_cam_on_a_group_turns_with_the_image():
    torch.manual_seed(0)
    model = P4CNN(CyclicGroup(4), image_size=8, channels=3, depths=(1, 0)).double().eval()
    image = torch.rand(1, 8, 8, dtype=torch.float64)
    found, turned = (grad_cam(model, each, 2) for each in (image, image.rot90(1, (1, 2))))
    assert found.shape[0] > 1, "the last convolution, which leaves one place, has nothing to show"
    assert found.sum() > 0
    torch.testing.assert_close(turned, found.rot90(1, (0, 1)))


def test_grad_cam_works_with_frozen_weights_and_asks_for_a_layer():
    model = LeNet().requires_grad_(False)
    assert grad_cam(model, torch.rand(1, 28, 28), 0).shape == (8, 8)
    assert grad_cam(model, torch.rand(1, 28, 28), 0, layer="conv1").shape == (24, 24)
    assert not any(module._forward_hooks for module in model.modules())


def test_what_cannot_be_asked_is_a_usage_error():
    with pytest.raises(UsageError, match="no convolution 'conv3': it has conv1, conv2"):
        grad_cam(LeNet(), torch.rand(1, 28, 28), 0, layer="conv3")
    with pytest.raises(UsageError, match="this one has none"):
        grad_cam(nn.Flatten(), torch.rand(1, 2, 2), 0)
    with pytest.raises(UsageError, match="class 10 is none of the network's 10"):
        saliency(LeNet(), torch.rand(1, 28, 28), 10)
