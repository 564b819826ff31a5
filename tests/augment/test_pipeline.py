import pytest
import torch
from torch import Tensor

from gradlab.augment import Normalize, Pipeline, SmallAffine, without_randomness


class Noted:
    """Multiplies by `factor`, adds 1, and notes which numbers it was given."""

    def __init__(self, uniforms: int, factor: float = 1) -> None:
        self.uniforms, self.factor = uniforms, factor
        self.given: list[list[list[float]]] = []

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        self.given.append(uniforms.tolist())
        return images * self.factor + 1


class SameNumbers(Pipeline):
    """Wrong: every transform reads from the first column, so that rotation and shift go hand in hand."""

    def __call__(self, images: Tensor, uniforms: Tensor) -> Tensor:
        for transform in self.transforms:
            images = transform(images, uniforms[:, : transform.uniforms])
        return images


def check_each_reads_columns_of_its_own(kind: type[Pipeline]) -> None:
    transforms = [Noted(2), Noted(0), Noted(1), Noted(3)]
    pipeline = kind(transforms)
    assert pipeline.uniforms == 6
    pipeline(torch.zeros(2, 1, 1, 1), torch.arange(12).view(2, 6))
    assert [transform.given for transform in transforms] == [
        [[[0, 1], [6, 7]]],
        [[[], []]],
        [[[2], [8]]],
        [[[3, 4, 5], [9, 10, 11]]],
    ]


def test_each_transform_reads_columns_of_its_own():
    check_each_reads_columns_of_its_own(Pipeline)


def test_shared_columns_are_told_apart():
    with pytest.raises(AssertionError):
        check_each_reads_columns_of_its_own(SameNumbers)


def test_first_to_last():
    doubled, tripled = Noted(0, 2), Noted(0, 3)
    one = torch.ones(1, 1, 1, 1)
    assert Pipeline([doubled, tripled])(one, torch.empty(1, 0)).item() == (1 * 2 + 1) * 3 + 1
    assert Pipeline([tripled, doubled])(one, torch.empty(1, 0)).item() == (1 * 3 + 1) * 2 + 1


def test_a_pipeline_is_a_transform():
    first, second, third = Noted(1), Noted(2), Noted(1)
    nested = Pipeline([first, Pipeline([second, third])])
    assert nested.uniforms == 4
    nested(torch.zeros(1, 1, 1, 1), torch.arange(4).view(1, 4))
    assert [first.given, second.given, third.given] == [[[[0]]], [[[1, 2]]], [[[3]]]]


def test_no_transforms_change_nothing():
    images = torch.rand(2, 1, 3, 3)
    assert Pipeline([]).uniforms == 0
    assert torch.equal(Pipeline([])(images, torch.empty(2, 0)), images)


def test_the_transforms_are_those_of_the_call():
    transforms = [Noted(1)]
    pipeline = Pipeline(transforms)
    transforms.append(Noted(5))
    assert pipeline.uniforms == sum(transform.uniforms for transform in pipeline.transforms) == 1


def test_warp_and_normalisation_together():
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8, generator=generator)
    uniforms = torch.rand(4, 4, generator=generator)
    warp, normalize = SmallAffine(degrees=10, translate=1, scale=0.1), Normalize((0.4,), (0.3,))
    assert torch.equal(Pipeline([warp, normalize])(pixels, uniforms), normalize(warp(pixels, uniforms)))


def test_evaluation_takes_transforms_without_randomness():
    pixels = torch.arange(8, dtype=torch.uint8).view(2, 1, 2, 2)
    normalize = Normalize((0.4,), (0.3,))
    assert torch.equal(without_randomness(normalize, pixels), normalize(pixels))
    assert torch.equal(without_randomness(Pipeline([normalize]), pixels), normalize(pixels))


def test_evaluation_refuses_random_ones():
    warp = SmallAffine(degrees=10, translate=1, scale=0.1)
    for transform in (warp, Pipeline([Normalize((0.4,), (0.3,)), warp])):
        with pytest.raises(ValueError, match="evaluation needs a transform without randomness"):
            without_randomness(transform, torch.zeros(1, 1, 4, 4))
