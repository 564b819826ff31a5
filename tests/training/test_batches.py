"""Batches that are decoded ahead are those of images in memory, also from the middle of an epoch."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gradlab.augment import Normalize, Pipeline, RandomHorizontalFlip
from gradlab.data import Splits, StreamedPixels, load_folder
from gradlab.errors import DataUnavailableError, InterruptedRunError
from gradlab.evaluation import measure_classification
from gradlab.objectives import classification
from gradlab.training import Place, Recipe, Stop, collect, fit
from gradlab.training.batches import EpochBatches
from gradlab.training.ranks import Ranks
from gradlab.training.solo import Solo
from gradlab.training.stack import Stack
from gradlab.training.task import Task

CENTRE = Normalize((0.5,), (0.5,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for place, name in enumerate("ab"):
        (root / name).mkdir()
        for number in range(30):
            bright = np.random.default_rng(100 * place + number).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(bright).save(root / name / f"{number:02}.png")
    return root


def trained(splits: Splits, make: Callable[[], nn.Module], place: Place, **options: Any) -> Any:
    recipe = Recipe(epochs=2, batch_size=8, optimizer=lambda weights: torch.optim.SGD(weights, lr=0.05))
    measure = {"validation": lambda model: measure_classification(model, splits.validation, CENTRE)}
    rows, result = collect(
        fit(make, (splits.train.pixels, splits.train.labels), classification, recipe, measure=measure,
            prepare=Pipeline([RandomHorizontalFlip(), CENTRE]), place=place, **options)
    )  # fmt: skip
    return rows, {seed: model.state_dict() for seed, model in result.models.items()}


class Watching:
    """A transform that wants no random numbers, and notes how many rows of them it is given."""

    uniforms = 0

    def __init__(self) -> None:
        self.rows: list[tuple[int, int]] = []

    def __call__(self, images: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        self.rows.append((len(images), len(uniforms)))
        return images.float()


@pytest.mark.parametrize(("ranks", "replicas", "expected"), [
    (Ranks(), 1, [4, 4, 2]), (Ranks(), 2, [8, 8, 4]), (Ranks(1, 2), 1, [2, 2, 1]),
])  # fmt: skip
def test_who_wants_no_random_numbers_is_given_none_for_each_image(ranks, replicas, expected, make_small_net):
    watching = Watching()
    recipe = Recipe(epochs=1, batch_size=4, optimizer=lambda weights: torch.optim.SGD(weights, lr=0.05))
    task = Task(
        arm="a", make_model=make_small_net, inputs=torch.zeros(10, 1, 8, 8, dtype=torch.uint8),
        targets=torch.zeros(10, dtype=torch.long), objective=classification, recipe=recipe, prepare=watching,
        measure={}, place=Place(ranks=ranks),
    )  # fmt: skip
    seeds = tuple(range(replicas))
    batches = EpochBatches(task, Solo(task, 0) if replicas == 1 else Stack(task, seeds), 1)
    for step in range(3):
        batches.batch(step)
    assert watching.rows == [(rows, rows) for rows in expected]


def check_same_bits(found: Any, expected: Any) -> None:
    assert found[0] == expected[0]
    for seed, weights in expected[1].items():
        for name, tensor in weights.items():
            assert torch.equal(found[1][seed][name], tensor)


@pytest.mark.parametrize("way", ["in a row", "stacked", "processes"])
def test_a_folder_that_streams_trains_as_one_in_memory(way, folder, make_small_net):
    memory, files = (load_folder(folder, image_size=8, image_memory=gigabytes) for gigabytes in (1, 0))
    assert isinstance(files.train.pixels, StreamedPixels)
    ways = {"seeds": (0, 5), "together": way}
    expected = trained(memory, make_small_net, Place(), **ways)
    check_same_bits(trained(files, make_small_net, Place(), **ways), expected)


def test_an_epoch_goes_on_in_its_middle(folder, make_small_net, tmp_path, monkeypatch):
    files = load_folder(folder, image_size=8, image_memory=0)
    expected = trained(files, make_small_net, Place(), seeds=(0,))
    stop = Stop()
    stopping = Place(state=tmp_path, stop=stop, save_steps=8)
    make_step = torch.optim.SGD.step
    steps: list[int] = []

    def step(self: Any, *arguments: Any) -> Any:
        steps.append(1)
        if len(steps) == 9:
            stop.request(2)
        return make_step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.SGD, "step", step)
        with pytest.raises(InterruptedRunError):
            trained(files, make_small_net, stopping, seeds=(0,))
    check_same_bits(trained(files, make_small_net, replace(stopping, stop=Stop()), seeds=(0,)), expected)
    with pytest.raises(AssertionError):
        check_same_bits(trained(skipping(files), make_small_net, Place(), seeds=(0,)), expected)


def skipping(splits: Splits) -> Splits:
    """Wrong: batches come from one position further on."""
    pixels = splits.train.pixels
    assert isinstance(pixels, StreamedPixels)
    wrong = pixels[:]
    assert isinstance(wrong, StreamedPixels)
    stream = wrong.stream
    wrong.stream = lambda batches: stream([(rows + 1) % len(pixels) for rows in batches])
    return replace(splits, train=replace(splits.train, pixels=wrong))


def test_a_file_that_breaks_meanwhile_is_named(tmp_path, make_small_net):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(12):
            Image.new("L", (8, 8), 10 * number).save(tmp_path / name / f"{number:02}.png")
    files = load_folder(tmp_path, image_size=8, image_memory=0)
    for path in tmp_path.glob("a/*"):
        path.unlink()
    with pytest.raises(DataUnavailableError, match=r"cannot read the image .*\.png: No such file"):
        trained(files, make_small_net, Place(), seeds=(0,))
