import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F

from gradlab.objectives import classification, mean_squared_error

OBJECTIVES = [classification, mean_squared_error]


def drawn(batch: int = 12, classes: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(batch, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, classes, (batch,), generator=generator)


def summed_over_classes(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Wrong: a mean over the batch alone, as many times too large as there are classes."""
    outputs = model(images)
    targets = F.one_hot(labels, outputs.shape[-1]).to(outputs.dtype)
    return (outputs - targets).square().sum(-1).mean(), {"accuracy": (outputs.argmax(-1) == labels).sum()}


def mean_accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Wrong: a share where the sum over the batch is asked for, so that a small last batch counts like the others."""
    loss, _ = classification(model, images, labels)
    return loss, {"accuracy": (model(images).argmax(-1) == labels).double().mean()}


def with_one_hot(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Wrong under vmap: the size of one_hot's result depends on its data."""
    outputs = model(images)
    return F.mse_loss(outputs, F.one_hot(labels).to(outputs.dtype)), {}


def check_squared_error(objective: Callable) -> None:
    outputs, labels = drawn()
    loss, _ = objective(nn.Identity(), outputs, labels)
    torch.testing.assert_close(loss, F.mse_loss(outputs, F.one_hot(labels, 5).double()), rtol=0, atol=1e-14)
    by_hand = sum((outputs[n, c] - int(labels[n] == c)) ** 2 for n in range(12) for c in range(5)) / (12 * 5)
    torch.testing.assert_close(loss, by_hand, rtol=0, atol=1e-13)


def check_sums_add_up(objective: Callable) -> None:
    """Batches of any size, weighted by their size, give what the whole gives."""
    logits, labels = drawn(batch=13)
    whole, metrics = objective(nn.Identity(), logits, labels)
    parts = [objective(nn.Identity(), *part) for part in zip(logits.split(5), labels.split(5), strict=True)]
    assert sum(part[1]["accuracy"].item() for part in parts) == metrics["accuracy"].item()
    mean = sum(loss * size for (loss, _), size in zip(parts, (5, 5, 3), strict=True)) / 13
    torch.testing.assert_close(mean, whole, rtol=0, atol=1e-14)


def check_stacked_equals_one_by_one(objective: Callable) -> None:
    models = [nn.Linear(4, 3).double() for _ in range(3)]
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(3, 7, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (3, 7), generator=generator)

    def loss_of(parameters: dict[str, Tensor], images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return objective(lambda batch: functional_call(models[0], parameters, (batch,)), images, labels)

    parameters, _ = stack_module_state(models)
    losses, metrics = vmap(loss_of)(parameters, images, labels)
    gradients, _ = vmap(grad(loss_of, has_aux=True))(parameters, images, labels)
    for index, model in enumerate(models):
        loss, alone = objective(model, images[index], labels[index])
        torch.testing.assert_close(losses[index], loss, rtol=0, atol=1e-13)
        assert metrics["accuracy"][index] == alone["accuracy"]
        loss.backward()
        torch.testing.assert_close(gradients["weight"][index], model.weight.grad, rtol=0, atol=1e-13)


def test_cross_entropy_is_torch_s():
    logits, labels = drawn()
    loss, _ = classification(nn.Identity(), logits, labels)
    assert torch.equal(loss, F.cross_entropy(logits, labels))


def test_cross_entropy_is_the_formula_in_nats():
    logits, labels = drawn()
    shares = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = -np.log(shares[np.arange(12), labels.numpy()]).mean()
    loss, _ = classification(nn.Identity(), logits, labels)
    assert loss.item() == pytest.approx(expected, abs=1e-13)


def test_a_network_that_knows_nothing_loses_the_logarithm_of_the_number_of_classes():
    loss, _ = classification(nn.Identity(), torch.zeros(6, 10, dtype=torch.float64), torch.arange(6))
    assert loss.item() == pytest.approx(math.log(10), abs=1e-14)


def test_smoothed_labels_are_torch_s_targets_that_share():
    logits, labels = drawn()
    loss, sums = classification(nn.Identity(), logits, labels, label_smoothing=0.2)
    targets = 0.8 * F.one_hot(labels, 5) + 0.2 / 5
    torch.testing.assert_close(loss, -(targets * logits.log_softmax(1)).sum(1).mean())
    assert sums["accuracy"] == (logits.argmax(1) == labels).sum()


def test_huge_logits_stay_finite():
    loss, _ = classification(nn.Identity(), torch.tensor([[1e4, -1e4], [-1e4, 1e4]]), torch.tensor([0, 0]))
    assert loss.item() == 1e4


def test_squared_error_is_torch_s_with_one_hot_targets():
    check_squared_error(mean_squared_error)


def test_a_sum_over_classes_is_told_apart():
    with pytest.raises(AssertionError):
        check_squared_error(summed_over_classes)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_accuracy_counts_right_answers(objective):
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 3.0, 1.0], [5.0, 0.0, 0.0]])
    _, metrics = objective(nn.Identity(), logits, torch.tensor([0, 2, 0, 0]))
    assert metrics["accuracy"].item() == 3


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_batches_add_up(objective):
    check_sums_add_up(objective)


def test_a_mean_accuracy_is_told_apart():
    with pytest.raises(AssertionError):
        check_sums_add_up(mean_accuracy)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_stacked_models_get_what_each_gets_alone(objective):
    check_stacked_equals_one_by_one(objective)


def test_one_hot_does_not_work_for_stacked_models():
    with pytest.raises(RuntimeError, match="vmap"):
        check_stacked_equals_one_by_one(with_one_hot)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gradient_is_that_of_the_loss(objective):
    logits, labels = drawn(batch=3, classes=4)
    assert torch.autograd.gradcheck(
        lambda outputs: objective(nn.Identity(), outputs, labels)[0], logits.requires_grad_(), eps=1e-6, atol=1e-8
    )
