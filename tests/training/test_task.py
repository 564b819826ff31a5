import pytest
import torch
from torch import nn

from gradlab.augment import (
    ContrastiveTransformations,
    FusedPipeline,
    Normalize,
    Pipeline,
    RandomHorizontalFlip,
    native_augmentation,
)
from gradlab.objectives import classification
from gradlab.training import Place, Recipe
from gradlab.training.task import Task


@pytest.mark.parametrize(
    ("precision", "arithmetic"), [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float64", torch.float32)]
)
def test_the_precision_decides_the_arithmetic_of_a_forward_pass(precision, arithmetic):
    layer, inputs = nn.Linear(3, 2), torch.ones(1, 3)
    with Place(precision=precision).autocast():
        assert layer(inputs).dtype == arithmetic
    assert layer(inputs).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_a_measurement_is_made_in_the_arithmetic_of_training():
    def measure(layer):
        return {"bytes of a number": layer(torch.ones(1, 3)).element_size()}

    found = {precision: Place(precision=precision).in_precision(measure) for precision in ("float32", "bfloat16")}
    assert found["bfloat16"](nn.Linear(3, 2)) == {"bytes of a number": 2}
    assert found["float32"](nn.Linear(3, 2)) == {"bytes of a number": 4}


KERNEL = FusedPipeline([RandomHorizontalFlip(), Normalize((0.5,), (0.5,))])


@pytest.mark.parametrize(
    ("prepare", "arithmetic"),
    [
        (None, "torch"),
        (Pipeline(KERNEL.transforms), "torch"),
        (FusedPipeline(KERNEL.transforms, native=False), "torch"),
        (KERNEL, native_augmentation()),
        (Pipeline([ContrastiveTransformations(KERNEL)]), native_augmentation()),
    ],
)
def test_the_fingerprint_says_what_makes_the_views(prepare, arithmetic):
    assert task_with(prepare).fingerprint()["augmentation"] == arithmetic


def task_with(prepare):
    recipe = Recipe(epochs=1, batch_size=1, optimizer=lambda weights: torch.optim.SGD(weights, lr=0.1))
    return Task(
        arm="any", make_model=lambda: nn.Linear(1, 1), inputs=torch.ones(2, 1), targets=torch.ones(2), prepare=prepare,
        objective=classification, recipe=recipe, measure={}, place=Place(),
    )  # fmt: skip
