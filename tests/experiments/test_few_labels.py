"""What few_labels trains on, and the curve it makes."""

from dataclasses import replace

import pytest
import torch

from gradlab.data import Images
from gradlab.errors import UsageError
from gradlab.experiments.few_labels import QUICK, curve, network, run, seen_equally_often
from gradlab.models import Baseline, SimCLR
from gradlab.report import summarise_rows
from gradlab.training import Run


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_images_are_seen_as_often_as_many(count):
    """As many images for every number of labels, the first of each class, each about as often as the others."""
    labels = torch.tensor([0, 1] * 5)
    images = Images(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), labels, ("a", "b"))
    seen = seen_equally_often(images, count, 4)
    assert len(seen) == 8
    values, often = seen.pixels.flatten().unique(return_counts=True)
    assert values.tolist() == list(range(2 * count))
    assert often.max() - often.min() <= 1


def test_a_curve_is_points_and_one_result_for_each_seed():
    found = [
        {"seed": seed, "labels": count, "accuracy": 0.1 * seed + count / 100} for count in (5, 10) for seed in (1, 2)
    ]
    rows = list(curve("arm", found))
    assert [row["accuracy"] for row in rows if "labels" in row] == [row["accuracy"] for row in found]
    arms, _ = summarise_rows(rows)
    assert arms["arm"]["metrics"]["test_5_labels_accuracy"]["values"] == pytest.approx([0.15, 0.25])
    assert list(arms["arm"]["metrics"]) == ["test_5_labels_accuracy", "test_10_labels_accuracy"]


def test_both_ways_begin_with_the_same_encoder():
    networks = []
    for arm in ("from scratch, 5 labels", "SimCLR"):
        torch.manual_seed(0)
        networks.append(network(QUICK, arm, (1, 16, 16), 10))
    scratch, contrastive = networks
    assert isinstance(scratch, Baseline)
    assert isinstance(contrastive, SimCLR)
    for one, other in zip(scratch.encoder.parameters(), contrastive.encoder.parameters(), strict=True):
        assert torch.equal(one, other)


def test_too_few_labels_are_told_before_training():
    rows = run(replace(QUICK, labels=(5, 5000)), Run(seeds=(0,)))
    with pytest.raises(UsageError, match="cannot take 5000 of each class"):
        next(rows)


def test_pictures_are_later_scaled_as_the_networks_saw_them():
    place = Run(seeds=(0,))
    next(run(replace(QUICK, labels=(5,), scratch_epochs=1), place))
    assert (place.facts["data"]["mean"], place.facts["data"]["standard_deviation"]) == ([0.5], [0.5])
