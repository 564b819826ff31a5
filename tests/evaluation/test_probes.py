"""Probes: which labels they take, what chooses the penalty, and that coordinates do not matter."""

import pytest
import torch
from torch import Tensor, nn

from gradlab.augment import Normalize
from gradlab.data import Images, Splits
from gradlab.evaluation import Features, features, first_of_each, logistic_regression, probe, probe_encoders

SEEDS, CLASSES, PENALTIES = (3, 7), 3, (0.01, 1.0, 0.1)


def drawn(samples: int, seed: int, numbers: int = 5) -> Features:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (samples,), generator=generator)
    centres = torch.randn(CLASSES, numbers, generator=torch.Generator().manual_seed(9))
    values = centres[labels] + torch.randn(len(SEEDS), samples, numbers, generator=generator)
    return Features(values.double() * torch.linspace(0.1, 30, numbers) + 4, labels)


def rows_of(train=None, validation=None, test=None, counts=(4, 10), **changes) -> list[dict]:
    parts = [part or drawn(size, seed) for part, size, seed in ((train, 90, 0), (validation, 60, 1), (test, 70, 2))]
    return list(probe(SEEDS, *parts, counts, penalties=PENALTIES, **changes))


def by_hand(train: Features, held_out: Features, count: int, penalty: float, network: int) -> Tensor:
    """The same probe on features that are centred and scaled, but not rotated."""
    rows = first_of_each(train.labels, count)
    mean = train.values[network].mean(0)
    scale = (train.values[network] - mean).square().mean().sqrt()
    scaled = [(part.values[network] - mean) / scale for part in (train, held_out)]
    found = logistic_regression(scaled[0][None, rows], train.labels[rows], torch.tensor([penalty]), classes=CLASSES,
                                tolerance=1e-8, most_iterations=5000)  # fmt: skip
    return (found.logits(scaled[1][None])[0, 0].argmax(0) == held_out.labels).double().mean()


def check_probes_are_those_by_hand(found: list[dict]) -> None:
    train, validation, test = drawn(90, 0), drawn(60, 1), drawn(70, 2)
    assert {(row["seed"], row["labels"], row["split"]) for row in found} == {
        (seed, count, split) for seed in SEEDS for count in (4, 10) for split in ("validation", "test")
    }
    for row in found:
        network = SEEDS.index(row["seed"])
        scores = {penalty: by_hand(train, validation, row["labels"], penalty, network) for penalty in PENALTIES}
        best = max(scores.values())
        assert row["penalty"] == max(penalty for penalty, score in scores.items() if score == best)
        part = validation if row["split"] == "validation" else test
        assert row["probe_accuracy"] == pytest.approx(
            by_hand(train, part, row["labels"], row["penalty"], network).item()
        )


def test_probes_are_those_by_hand():
    check_probes_are_those_by_hand(rows_of())


def test_choosing_on_the_test_split_is_told_apart():
    wrong = rows_of(validation=drawn(70, 2))
    with pytest.raises(AssertionError):
        check_probes_are_those_by_hand(wrong)


def test_labels_beyond_the_first_are_not_read():
    """Another order of the later labels changes nothing; another choice of labels does."""
    train = drawn(90, 0)
    first = first_of_each(train.labels, 10)
    later = torch.ones(90, dtype=torch.bool).index_fill(0, first, False).nonzero().flatten()
    swapped = train.labels.clone()
    swapped[later] = train.labels[later.flip(0)]
    assert not swapped.equal(train.labels)
    again = rows_of(train=Features(train.values, swapped))
    assert again == rows_of() if first_of_each(swapped, 10).equal(first) else again != rows_of()
    assert rows_of(train=Features(train.values.flip(1), train.labels.flip(0))) != rows_of()


def test_features_are_of_each_network_in_evaluation_mode():
    images = Images(torch.randint(0, 256, (7, 1, 2, 2), dtype=torch.uint8), torch.arange(7) % 2, ("a", "b"))
    models = {seed: nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Dropout()) for seed in SEEDS}
    normalize = Normalize((0.5,), (0.5,))
    found = features(models, images, normalize)
    for place, model in enumerate(models.values()):
        assert model.training
        expected = model.eval()(normalize(images.pixels))
        torch.testing.assert_close(found.values[place], expected)
    assert not found.values.requires_grad
    assert found.labels is images.labels


def test_encoders_are_probed_with_the_first_images_of_each_class():
    parts = {}
    for name, count in {"train": 40, "validation": 12, "test": 15}.items():
        pixels = torch.randint(
            0, 256, (count, 1, 2, 2), generator=torch.Generator().manual_seed(count), dtype=torch.uint8
        )
        parts[name] = Images(pixels, torch.arange(count) % CLASSES, ("a", "b", "c"))
    splits = Splits(name="made", **parts)
    encoders = {seed: nn.Sequential(nn.Flatten(), nn.Linear(4, 6)) for seed in SEEDS}
    normalize = Normalize((0.5,), (0.5,))
    found = list(probe_encoders(encoders, splits, normalize, (2, 5)))
    labelled = parts["train"].take(first_of_each(parts["train"].labels, 5))
    seen = [features(encoders, images, normalize) for images in (labelled, parts["validation"], parts["test"])]
    assert found == list(probe(SEEDS, *seen, (2, 5)))
    assert len(found) == 8
    assert list(probe_encoders({}, splits, normalize, (2,))) == []
