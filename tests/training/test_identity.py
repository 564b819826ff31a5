"""Two trainings have one identity where everything that decides on their bits is equal, and only there."""

from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from gradlab.augment import FixedShuffle, Normalize, Pipeline, RandomHorizontalFlip
from gradlab.objectives import classification, negative_elbo
from gradlab.training import Place, Recipe, Selection, schedules
from gradlab.training.identity import identity_of
from gradlab.training.solo import Solo
from gradlab.training.stack import Stack
from gradlab.training.task import Task


@dataclass(frozen=True)
class Pictures:
    pixels: Tensor
    labels: Tensor


def right(model, images, prepare):
    return {"accuracy": float((model(prepare(images.pixels)).argmax(1) == images.labels).double().mean())}


class Frozen(nn.Sequential):
    """A first layer that learns nothing where it is told so."""

    def __init__(self, frozen: bool) -> None:
        super().__init__(nn.Flatten(), nn.Linear(64, 3).requires_grad_(not frozen), nn.Linear(3, 2))


def hooked() -> nn.Module:
    network = Net()
    network.register_forward_hook(lambda _module, _inputs, made: made / 2)
    return network


def of_a_class_made_here(power: int) -> nn.Module:
    class Powers(Net):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images**power)

    return Powers()


def holding_itself() -> nn.Module:
    network = Net()
    network.others = [network]
    return network


class Net(nn.Module):
    def __init__(self, slope: float = 0.1) -> None:
        super().__init__()
        self.slope = slope
        self.out = nn.Linear(64, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.out(nn.functional.leaky_relu(images.flatten(1), self.slope))


def one(model, inputs, targets, function):
    return classification(model, inputs, targets)


def other(model, inputs, targets, function):
    return classification(model, inputs, 1 - targets)


def sgd(parameters, rate=0.05, decay_of_vectors=0.0):
    kinds = [[p for p in parameters if p.ndim > 1], []]
    return torch.optim.SGD([{"params": kinds[0], "weight_decay": decay_of_vectors}], lr=rate)


def make_task(bars, **changes) -> Task:
    normalize = Normalize((0.3,), (0.25,))
    shown = Pictures(*bars)
    settings = {
        "arm": "one",
        "make_model": Net,
        "inputs": bars[0],
        "targets": bars[1],
        "objective": classification,
        "recipe": Recipe(epochs=3, batch_size=16, optimizer=partial(torch.optim.SGD, lr=0.1), select=Selection()),
        "prepare": Pipeline([RandomHorizontalFlip(), normalize]),
        "measure": {"validation": partial(right, images=shown, prepare=normalize)},
        "place": Place(twins=()),
    }
    return Task(**{**settings, **changes})


def identity(task: Task, seed: int = 0) -> str | None:
    return identity_of(task, Solo(task, seed))


def recipe_with(task: Task, **changes) -> Task:
    return replace(task, recipe=replace(task.recipe, **changes))


def other_pixel(bars) -> Tensor:
    pixels = bars[0].clone()
    pixels[37, 0, 5, 5] ^= 1
    return pixels


def test_the_arms_name_is_no_part_of_it(bars):
    first, second = make_task(bars), make_task(tuple(part.clone() for part in bars), arm="two")
    assert identity(first) == identity(second) is not None
    assert identity(first) == identity(first), "and nothing of it is drawn"
    assert first.prepare is not None
    first.prepare(first.inputs, torch.zeros(len(first.inputs), 1))
    assert identity(first) == identity(second), "whatever a transform keeps for its next use"


OTHERS = {
    "one bit of one pixel": lambda bars: make_task(bars, inputs=other_pixel(bars)),
    "one label": lambda bars: make_task(bars, targets=torch.cat([1 - bars[1][:1], bars[1][1:]])),
    "one bit of a picture that is measured": lambda bars: make_task(
        bars, measure={"validation": partial(right, images=Pictures(other_pixel(bars), bars[1]),
                                             prepare=Normalize((0.3,), (0.25,)))}
    ),
    "how it is prepared before it is measured": lambda bars: make_task(
        bars, measure={"validation": partial(right, images=Pictures(*bars), prepare=Normalize((0.3,), (0.26,)))}
    ),
    "the split's name": lambda bars: recipe_with(
        make_task(bars, measure={"held out": make_task(bars).measure["validation"]}), select=Selection(split="held out")
    ),
    "how inputs are prepared": lambda bars: make_task(bars, prepare=Pipeline([Normalize((0.3,), (0.25,))])),
    "the order of shuffled pixels": lambda bars: make_task(bars, prepare=FixedShuffle(8, 1)),
    "the objective": lambda bars: make_task(bars, objective=partial(negative_elbo, beta=1.0)),
    "a network's own number": lambda bars: make_task(bars, make_model=partial(Net, slope=0.2)),
    "which layers learn": lambda bars: make_task(bars, make_model=partial(Frozen, frozen=True)),
    "what a keyword of that name is given to": lambda bars: make_task(bars, objective=partial(other, function=right)),
    "the learning rate": lambda bars: recipe_with(make_task(bars), optimizer=partial(torch.optim.SGD, lr=0.2)),
    "what only one group of weights is told": lambda bars: recipe_with(make_task(bars), optimizer=sgd),
    "a fall of the rate one step later": lambda bars: recipe_with(make_task(bars), schedule=schedules.multi_step([9])),
    "the batch": lambda bars: recipe_with(make_task(bars), batch_size=17),
    "the arithmetic": lambda bars: make_task(bars, place=Place(twins=(), precision="float64")),
}  # fmt: skip
# Each beside what it is nearest to, where that is not the plain task.
NEAREST = {
    "which layers learn": lambda bars: make_task(bars, make_model=partial(Frozen, frozen=False)),
    "what a keyword of that name is given to": lambda bars: make_task(bars, objective=partial(one, function=right)),
    "the order of shuffled pixels": lambda bars: make_task(bars, prepare=FixedShuffle(8, 0)),
    "the objective": lambda bars: make_task(bars, objective=partial(negative_elbo, beta=2.0)),
    "what only one group of weights is told": lambda bars: recipe_with(
        make_task(bars), optimizer=partial(sgd, decay_of_vectors=0.1)
    ),
    "a fall of the rate one step later": lambda bars: recipe_with(
        make_task(bars), schedule=schedules.multi_step([8])
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_whatever_decides_on_the_bits_is_part_of_it(bars, name):
    one, other = NEAREST.get(name, make_task)(bars), OTHERS[name](bars)
    found = identity(one), identity(other)
    assert None not in found
    assert found[0] != found[1]


def test_seeds_and_the_way_they_run_are_part_of_it(bars):
    task = make_task(bars)
    found = {identity(task, 0), identity(task, 1), identity_of(task, Stack(task, (0,))),
             identity_of(task, Stack(task, (0, 1)))}  # fmt: skip
    assert len(found) == 4
    assert None not in found


def test_what_cannot_be_told_has_none(bars):
    def made_here(model, inputs, targets):
        return classification(model, inputs, targets)

    assert identity(make_task(bars, objective=made_here)) is None
    measured = {"validation": partial(right, images=object(), prepare=None)}
    assert identity(make_task(bars, measure=measured)) is None
    for maker in (hooked, partial(of_a_class_made_here, 2), holding_itself):
        assert identity(make_task(bars, make_model=maker)) is None
    task = make_task(bars)
    compiled = replace(task, place=replace(task.place, compile="on"))
    assert identity_of(compiled, Solo(task, 0)) is None
