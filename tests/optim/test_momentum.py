"""SGDMomentum against torch's SGD, by hand, in training, stacked and resumed."""

import copy
import signal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gradlab.errors import InterruptedRunError
from gradlab.models import SimpleClassifier
from gradlab.objectives import binary_classification
from gradlab.optim import OptimizerTemplate, SGDMomentum
from gradlab.training import Place, Recipe, Stop, collect, fit, schedules

ROOM = dict(rtol=1e-12, atol=1e-12)


def walk(make_optimizer, steps=20, seed=0):
    """A parameter's path along gradients that do not depend on it, and one of a quadratic form's."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(steps, 3, generator=generator, dtype=torch.float64)
    weights = [nn.Parameter(torch.ones(3, dtype=torch.float64)) for _ in range(2)]
    optimizer, path = make_optimizer(weights), []
    for gradient in noise:
        optimizer.zero_grad()
        (weights[0] @ gradient + (weights[1] ** 4).sum()).backward()
        optimizer.step()
        path.append(torch.cat(weights).detach().clone())
    return torch.stack(path)


@settings(max_examples=25, deadline=None)
@given(lr=st.floats(1e-4, 0.05), momentum=st.floats(0, 0.99), seed=st.integers(0, 100))
def test_steps_are_those_of_torch_s_sgd_at_a_smaller_rate(lr, momentum, seed):
    ours = walk(lambda p: SGDMomentum(p, lr, momentum), seed=seed)
    theirs = walk(lambda p: torch.optim.SGD(p, lr=lr * (1 - momentum), momentum=momentum), seed=seed)
    torch.testing.assert_close(ours, theirs, **ROOM)


def test_steps_are_not_those_of_torch_s_dampening_nor_of_its_own_rate():
    ours = walk(lambda p: SGDMomentum(p, 0.02, 0.9))
    damped = walk(lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, dampening=0.9))
    same_rate = walk(lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9))
    assert (ours - damped).abs().max() > 0.01
    assert (ours - same_rate).abs().max() > 0.01
    first = walk(lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, dampening=0.9))[:1]
    # dampening leaves the first gradient whole: ten times the step
    torch.testing.assert_close(first - 1, 10 * (ours[:1] - 1), **ROOM)


def test_two_steps_by_hand():
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = SGDMomentum([weight], lr=10, momentum=0.9)
    for gradient, expected in [(2.0, 1 - 10 * 0.2), (1.0, -1 - 10 * (0.9 * 0.2 + 0.1))]:
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        assert weight.item() == pytest.approx(expected, rel=1e-6)


def test_a_constant_gradient_is_followed_at_full_rate_in_the_end():
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = SGDMomentum([weight], lr=0.5, momentum=0.9)
    for _ in range(400):
        before = weight.item()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    assert weight.item() - before == pytest.approx(-0.5)


def test_parameters_without_a_gradient_stay_and_zero_grad_removes_gradients():
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = SGDMomentum([used, unused], lr=1)
    used.sum().backward()
    optimizer.step()
    assert (unused == 1).all()
    assert unused not in optimizer.state
    optimizer.zero_grad()
    assert used.grad is None
    assert optimizer.params == [used, unused]


def test_groups_have_their_own_settings_and_schedulers_change_them():
    def groups(make, scale):
        parameters = [nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2)]
        optimizer = make(
            [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.3 * scale(0.5), "momentum": 0.5}]
        )
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3)
        for _ in range(8):
            optimizer.zero_grad()
            sum((parameter**2).sum() for parameter in parameters).backward()
            optimizer.step()
            schedule.step()
        return torch.stack(parameters).detach()

    ours = groups(lambda p: SGDMomentum(p, lr=0.1), lambda _momentum: 1)
    theirs = groups(lambda p: torch.optim.SGD(p, lr=0.1 * (1 - 0.9), momentum=0.9), lambda momentum: 1 - momentum)
    torch.testing.assert_close(ours, theirs, **ROOM)


def test_a_saved_state_goes_on_where_it_was():
    def gradients(weight, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (weight**4).sum().backward()
            optimizer.step()

    straight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = SGDMomentum([straight], lr=0.01)
    gradients(straight, optimizer, 3)
    copied = nn.Parameter(straight.detach().clone())
    other = SGDMomentum([copied], lr=0.5)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert other.lr == 0.01
    gradients(straight, optimizer, 4)
    gradients(copied, other, 4)
    assert torch.equal(straight, copied)


def test_parameters_may_change_type_after_the_optimiser_was_made():
    """As they may move to an accelerator: the handbook's averages are made too early for that."""
    model = nn.Linear(2, 1)
    optimizer = SGDMomentum(model.parameters(), lr=0.1)
    model.double()
    model(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
    optimizer.step()
    assert optimizer.state[model.weight]["average"].dtype == torch.float64


def test_a_closure_is_called_with_gradients_on_and_its_loss_returned():
    weight = nn.Parameter(torch.ones(1))
    optimizer = SGDMomentum([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 1


def test_the_template_asks_for_the_rule():
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    with pytest.raises(NotImplementedError, match="write update_param"):
        OptimizerTemplate([weight], lr=1).step()
    OptimizerTemplate([nn.Parameter(torch.ones(1))], lr=1).step()  # nothing to update


def test_the_template_takes_a_learner_s_rule_as_the_handbook_writes_it():
    class Handbook(OptimizerTemplate):
        def __init__(self, params, lr, momentum=0.9):
            super().__init__(params, lr)
            self.momentum = momentum
            self.param_momentum = {p: torch.zeros_like(p.data) for p in self.params}

        def update_param(self, p):
            self.param_momentum[p] = (1 - self.momentum) * p.grad + self.momentum * self.param_momentum[p]
            p.add_(-self.lr * self.param_momentum[p])

    torch.testing.assert_close(walk(lambda p: Handbook(p, 0.02)), walk(lambda p: SGDMomentum(p, 0.02)), **ROOM)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "learning rate must not be negative: got -1"),
        ({"lr": 1, "momentum": 1}, r"momentum must lie in \[0, 1\): got 1"),
        ({"lr": 1, "momentum": -0.1}, r"momentum must lie in \[0, 1\): got -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SGDMomentum([nn.Parameter(torch.ones(1))], **options)


# --- in gradlab.training


def training(optimizer, *, place, together="in a row"):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    labels = (inputs.prod(1) > 0).long()
    recipe = Recipe(epochs=2, batch_size=16, optimizer=optimizer, schedule=schedules.cosine(steps=6), clip_norm=0.5)
    return fit(lambda: SimpleClassifier(2, 4, 1), (inputs, labels), binary_classification, recipe, seeds=(0, 1),
               together=together, place=place)  # fmt: skip


def ours(parameters):
    return SGDMomentum(parameters, lr=1.0, momentum=0.9)


def flat(result):
    return torch.cat([tensor.flatten() for seed in (0, 1) for tensor in result[1].models[seed].state_dict().values()])


@pytest.mark.parametrize("together", ["in a row", "stacked", "processes"])
def test_trains_as_torch_s_sgd_whichever_way_seeds_run(together):
    place = Place(precision="float64")
    expected = collect(training(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), place=place))
    found = collect(training(ours, place=place, together=together))
    torch.testing.assert_close(flat(found), flat(expected), rtol=0, atol=1e-9)


@pytest.mark.parametrize("together", ["in a row", "stacked"])
@pytest.mark.parametrize("step", range(1, 6))
def test_stopped_at_every_step_and_resumed_exactly(together, step, tmp_path):
    class StopAtStep(Stop):
        looks = 0

        @property
        def signal_number(self):
            self.looks += 1
            return signal.SIGTERM if self.looks > step + 1 else 0

    straight = collect(training(ours, place=Place(precision="float64"), together=together))
    stopped = Place(precision="float64", state=tmp_path, stop=StopAtStep())
    with pytest.raises(InterruptedRunError):
        collect(training(ours, place=stopped, together=together))
    resumed = collect(training(ours, place=Place(precision="float64", state=tmp_path), together=together))
    assert torch.equal(flat(resumed), flat(straight))
    assert resumed[0] == straight[0]
