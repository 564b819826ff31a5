"""Stacks of linear layers without `vmap`: the numbers and slopes of each replica on its own."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.func import stack_module_state

from gradlab.augment import Normalize
from gradlab.models import MLP, LogRegression, SimpleClassifier
from gradlab.objectives import classification, mean_squared_error
from gradlab.rng import derive
from gradlab.training import Place, Recipe, collect, fit
from gradlab.training.stacked_rows import has_small_steps, pass_of_rows

NETWORKS = {
    "MLP": lambda: MLP(6, 3, (5, 4)),
    "LogRegression": lambda: LogRegression(6, 3),
    "SimpleClassifier": lambda: SimpleClassifier(6, 4, 3),
    "no bias": lambda: nn.Sequential(nn.Linear(6, 4, bias=False), nn.Tanh(), nn.Linear(4, 3)),
    "one layer": lambda: nn.Linear(6, 3),
    "flattened": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 3)),
}


def stacked(models):
    parameters, _ = stack_module_state(models)
    return {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}


@pytest.mark.parametrize("objective", [classification, partial(classification, label_smoothing=0.2)])
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_losses_metrics_and_slopes_are_those_of_each_replica_alone(make, objective):
    models = [make().double() for _ in range(4)]
    inputs, targets = torch.randn(4, 7, 6, dtype=torch.float64), torch.randint(0, 3, (4, 7))
    leaves = stacked(models)
    forward = pass_of_rows(models[0], objective, leaves)
    losses, metrics = forward(inputs, targets)
    losses.sum().backward()
    for replica, model in enumerate(models):
        loss, alone = objective(model, inputs[replica], targets[replica])
        loss.backward()
        torch.testing.assert_close(losses[replica], loss, rtol=0, atol=1e-14)
        assert metrics["accuracy"][replica] == alone["accuracy"]
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(leaves[name].grad[replica], parameter.grad, rtol=0, atol=1e-14)


def test_rows_may_have_further_axes():
    models = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)).double() for _ in range(2)]
    inputs, targets = torch.randn(2, 5, 2, 3, dtype=torch.float64), torch.randint(0, 3, (2, 5))
    losses, _ = pass_of_rows(models[0], classification, stacked(models))(inputs, targets)
    for loss, model, x, y in zip(losses, models, inputs, targets, strict=True):
        torch.testing.assert_close(loss, classification(model, x, y)[0], rtol=0, atol=1e-14)


class Mixes(MLP):
    """Looks at other samples: a subclass is not what its base class says of itself."""

    def forward(self, images):
        return super().forward(images - images.mean(0))


def _of_ones_own(model, images, labels):
    loss, metrics = classification(model, images, labels)
    return 2 * loss, metrics


@pytest.mark.parametrize(
    ("model", "objective"),
    [
        (MLP(6, 3, (4,), norm="batch"), classification),
        (MLP(6, 3, (4,), norm="layer"), classification),
        (MLP(6, 3, (4,), dropout=0.5), classification),
        (Mixes(6, 3, (4,)), classification),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(4, 3)), classification),
        (nn.Sequential(nn.Flatten(0), nn.Linear(6, 3)), classification),
        (LogRegression(6, 3), mean_squared_error),
        (LogRegression(6, 3), _of_ones_own),
    ],
)
def test_other_networks_and_objectives_are_left_to_vmap(model, objective):
    assert pass_of_rows(model, objective, stacked([model])) is None
    assert not has_small_steps(model, objective, 1)


def test_steps_are_small_by_samples_and_weights():
    assert has_small_steps(LogRegression(512, 10), classification, 97)
    assert not has_small_steps(LogRegression(512, 10), classification, 98)  # 502,740 products


def test_a_replica_that_diverges_leaves_its_neighbours_alone():
    """Trained beside a replica whose loss becomes infinite, the others are what they are without it."""
    pixels, labels = torch.randint(0, 256, (60, 1, 2, 3), dtype=torch.uint8), torch.randint(0, 3, (60,))

    def rows(seeds, blown_up):
        def make():
            model = LogRegression(6, 3)
            if torch.initial_seed() == blown_up:
                nn.init.constant_(model.fc1.weight, float("inf"))
            return model

        recipe = Recipe(epochs=2, batch_size=10, optimizer=partial(torch.optim.SGD, lr=0.1))
        return collect(fit(make, (pixels, labels), classification, recipe, seeds=seeds, together="stacked",
                           prepare=Normalize((0.5,), (0.25,)), place=Place()))  # fmt: skip

    found, trained = rows((0, 1, 2), derive(1, "initial weights"))
    assert set(trained.diverged) == {1}
    expected, _ = rows((0, 1, 2), None)
    for seed in (0, 2):
        assert [row for row in found if row["seed"] == seed] == [row for row in expected if row["seed"] == seed]
