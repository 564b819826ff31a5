import numpy as np
import pytest
import scipy.special
import torch

from gradlab.models import LogRegression
from gradlab.objectives import classification


def test_it_is_one_matrix_product():
    model = LogRegression(12, 5).double()
    images = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = images.reshape(4, 12).numpy() @ model.fc1.weight.detach().numpy().T + model.fc1.bias.detach().numpy()
    np.testing.assert_allclose(model(images).detach().numpy(), expected, rtol=0, atol=1e-14)


def test_parameters_of_the_slides_network():
    assert sum(parameter.numel() for parameter in LogRegression().parameters()) == 784 * 10 + 10 == 7_850


def test_its_gradient_is_the_closed_form():
    """Cross entropy's gradient by the weights is the mean of (share - one-hot) times the image."""
    model = LogRegression(6, 3).double()
    images = torch.randn(5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 1, 0])
    classification(model, images, labels)[0].backward()
    shares = scipy.special.softmax(model(images).detach().numpy(), axis=1)
    surprise = (shares - np.eye(3)[labels.numpy()]) / 5
    np.testing.assert_allclose(model.fc1.weight.grad.numpy(), surprise.T @ images.numpy(), rtol=0, atol=1e-14)
    np.testing.assert_allclose(model.fc1.bias.grad.numpy(), surprise.sum(0), rtol=0, atol=1e-14)


def test_images_of_any_shape_with_the_right_count_of_numbers():
    model = LogRegression(24, 3)
    numbers = torch.randn(2, 24)
    for shape in [(24,), (1, 4, 6), (2, 3, 4)]:
        assert torch.equal(model(numbers.view(2, *shape)), model(numbers))


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match="LogRegression takes 784 numbers an image: got 3x32x32"):
        LogRegression()(torch.zeros(2, 3, 32, 32))
