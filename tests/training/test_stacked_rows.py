"""Stacks of linear layers without `vmap`: the numbers and slopes of each replica on its own."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.func import stack_module_state

from gradlab.augment import Normalize, RandomHorizontalFlip
from gradlab.errors import InterruptedRunError
from gradlab.models import MLP, LogRegression, SimpleClassifier
from gradlab.objectives import classification, mean_squared_error
from gradlab.rng import derive, global_stream
from gradlab.training import Place, Recipe, Stop, collect, fit, together
from gradlab.training.stack import Stack
from gradlab.training.stacked_rows import has_small_steps, pass_of_rows

NETWORKS = {
    "MLP": lambda: MLP(6, 3, (5, 4)),
    "LogRegression": lambda: LogRegression(6, 3),
    "SimpleClassifier": lambda: SimpleClassifier(6, 4, 3),
    "no bias": lambda: nn.Sequential(nn.Linear(6, 4, bias=False), nn.Tanh(), nn.Linear(4, 3)),
    "one layer": lambda: nn.Linear(6, 3),
    "flattened": lambda: nn.Sequential(nn.Flatten(), nn.Linear(6, 3)),
}


@pytest.fixture(autouse=True)
def drawn_alike():
    with global_stream(0, "test"):
        yield


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
    assert metrics.keys() == objective(models[0], inputs[0], targets[0])[1].keys()
    for replica, model in enumerate(models):
        loss, alone = objective(model, inputs[replica], targets[replica])
        loss.backward()
        torch.testing.assert_close(losses[replica], loss, rtol=0, atol=1e-14)
        assert metrics["accuracy"][replica] == alone["accuracy"]
        for name, parameter in model.named_parameters():
            torch.testing.assert_close(leaves[name].grad[replica], parameter.grad, rtol=0, atol=1e-14)


def test_labels_that_cross_entropy_ignores_are_in_no_mean():
    models = [LogRegression(6, 3).double() for _ in range(2)]
    inputs, targets = torch.randn(2, 4, 6, dtype=torch.float64), torch.tensor([[0, -100, 2, -100], [1, 1, 2, 0]])
    losses, _ = pass_of_rows(models[0], classification, stacked(models))(inputs, targets)
    for loss, model, x, y in zip(losses, models, inputs, targets, strict=True):
        torch.testing.assert_close(loss, classification(model, x, y)[0], rtol=0, atol=1e-14)


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


class Scaled(nn.Module):
    """Says that it is simple, and has a weight of its own."""

    samples_apart = True

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(6, 3), nn.Parameter(torch.ones(1))

    def forward(self, images):
        return self.layer(images) * self.scale


class Bypassing(nn.Module):
    """Says that it is simple, and reads its layer's weights instead of calling it."""

    samples_apart = True

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 3)

    def forward(self, images):
        return images @ self.layer.weight.T


def _hooked():
    model = LogRegression(6, 3)
    model.fc1.register_forward_hook(lambda _layer, _inputs, outputs: outputs - outputs.mean(0))
    return model


def _patched():
    model = LogRegression(6, 3)
    model.forward = lambda images: images[:, :3] - images[:, :3].mean(0)
    return model


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
        (Scaled(), classification),
        (_hooked(), classification),
        (_patched(), classification),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(4, 3)), classification),
        (nn.Sequential(nn.Flatten(0), nn.Linear(6, 3)), classification),
        (LogRegression(6, 3), mean_squared_error),
        (LogRegression(6, 3), _of_ones_own),
    ],
)
def test_other_networks_and_objectives_are_left_to_vmap(model, objective):
    assert pass_of_rows(model, objective, stacked([model])) is None
    assert not has_small_steps(model, objective, None, 1)


def test_whoever_reads_weights_instead_of_calling_the_layer_is_told():
    forward = pass_of_rows(Bypassing(), classification, stacked([Bypassing(), Bypassing()]))
    with pytest.raises(AttributeError, match="weight"):
        forward(torch.randn(2, 4, 6), torch.zeros(2, 4, dtype=torch.long))


def test_steps_are_small_by_samples_weights_and_views():
    model = LogRegression(512, 10)
    assert has_small_steps(model, classification, Normalize((0.5,), (0.25,)), 97)
    assert not has_small_steps(model, classification, None, 98)  # 502,740 products
    assert not has_small_steps(model, classification, RandomHorizontalFlip(), 97)  # processes make views on all cores


DRAW = torch.Generator().manual_seed(0)
PIXELS = torch.randint(0, 256, (64, 1, 2, 3), dtype=torch.uint8, generator=DRAW)
LABELS = torch.randint(0, 3, (64,), generator=DRAW)


def trained(seeds, *, together="stacked", make=lambda: MLP(6, 3, (5,)), schedule=lambda _step: 1.0, **place):
    """Two epochs of seven steps, the last one with a short batch; (rows, what `fit` gives)."""
    recipe = Recipe(epochs=2, batch_size=10, optimizer=partial(torch.optim.SGD, lr=0.5, momentum=0.9),
                    schedule=schedule, clip_norm=0.5, l1=1e-3)  # fmt: skip
    return collect(
        fit(make, (PIXELS, LABELS), classification, recipe, seeds=seeds, together=together,
            prepare=Normalize((0.5,), (0.25,)), place=Place(**place))
    )  # fmt: skip


@pytest.mark.parametrize(("precision", "apart"), [("float64", 1e-12), ("float32", 1e-5), ("bfloat16", 0.05)])
def test_a_stack_trains_by_rows_and_each_seed_as_it_does_alone(precision, apart, monkeypatch):
    _, alone = trained((0, 1, 2), together="in a row", precision=precision)
    monkeypatch.setattr(Stack, "_uncompiled", None)  # the pass by vmap
    rows, found = trained((0, 1, 2), precision=precision)
    assert len(rows) == 6
    for seed, model in alone.models.items():
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(found.models[seed].state_dict()[name], weight, rtol=0, atol=apart)


def test_a_stack_that_was_interrupted_goes_on_to_the_same_bits(tmp_path):
    stop = Stop()

    def interrupting(step):
        stop.request(15 if step == 9 else 0)
        return 1.0

    expected, whole = trained((0, 1))
    with pytest.raises(InterruptedRunError):
        trained((0, 1), schedule=interrupting, state=tmp_path, stop=stop)
    rows, resumed = trained((0, 1), state=tmp_path)
    assert resumed.exact
    assert rows == expected
    for seed, model in whole.models.items():
        for name, weight in model.state_dict().items():
            assert torch.equal(resumed.models[seed].state_dict()[name], weight)


def test_a_replica_that_diverges_leaves_its_neighbours_alone():
    """Trained beside a replica whose loss becomes infinite, the others are what they are without it."""

    def rows(blown_up):
        def make():
            model = LogRegression(6, 3)
            if torch.initial_seed() == blown_up:
                nn.init.constant_(model.fc1.weight, float("inf"))
            return model

        return trained((0, 1, 2), make=make)

    found, diverged = rows(derive(1, "initial weights"))
    assert set(diverged.diverged) == {1}
    expected, _ = rows(None)
    for seed in (0, 2):
        assert [row for row in found if row["seed"] == seed] == [row for row in expected if row["seed"] == seed]


def test_small_networks_are_stacked_and_go_on_as_they_were_begun(tmp_path, monkeypatch):
    """A machine with other cores, or further seeds, leave alone what is there."""
    monkeypatch.setattr(together, "available_cores", lambda: 2)
    assert trained(range(4), together="auto", state=tmp_path / "stacked")[1].way.name == "stacked"
    assert trained(range(3), together="auto", state=tmp_path / "apart")[1].way.name == "processes"
    assert trained(range(5), together="auto", state=tmp_path / "apart")[1].way.name == "processes"
    monkeypatch.setattr(together, "available_cores", lambda: 4)
    assert trained(range(4), together="auto")[1].way.name == "processes"
    again = trained(range(4), together="auto", state=tmp_path / "stacked")[1]
    assert again.way.name == "stacked"
    assert again.exact
