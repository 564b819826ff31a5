"""What few_labels trains on, and the curve it makes."""

from dataclasses import replace

import pytest
import torch

from gradlab.data import Images
from gradlab.errors import UsageError
from gradlab.evaluation import examine
from gradlab.experiments import few_labels
from gradlab.experiments.few_labels import QUICK, curve, network, run, seen_equally_often, supervised
from gradlab.models import Baseline, SimCLR
from gradlab.report import summarise_rows
from gradlab.training import Run, collect


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
    for arm in ("from scratch, 5 labels", "fine-tuned, 5 labels", "SimCLR"):
        torch.manual_seed(0)
        networks.append(network(QUICK, arm, (1, 16, 16), 10))
    scratch, tuned, contrastive = networks
    assert isinstance(scratch, Baseline)
    assert isinstance(tuned, Baseline)
    assert isinstance(contrastive, SimCLR)
    for one, other in zip(scratch.encoder.parameters(), contrastive.encoder.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("kind", "kept"), [(few_labels.TUNED, True), (few_labels.SCRATCH, False)])
def test_fine_tuning_begins_with_the_pretrained_encoder(kind, kept, monkeypatch):
    """At a rate of 0 it stays what it was; the classifier, and all of a network from scratch, are drawn."""
    config = replace(QUICK, channels=2, scratch_epochs=1, finetune_epochs=1, scratch_learning_rate=0.0,
                     finetune_learning_rate=0.0, scratch_weight_decay=0.0)  # fmt: skip
    place, tested = Run(seeds=(4,), together="in a row"), {}
    monkeypatch.setattr(few_labels, "examine", lambda models, *rest: tested.update(models) or examine(models, *rest))
    splits = place.load("digits", side=16)
    pretrained = network(config, few_labels.PRETRAINED, splits.shape, 10)
    rows, results = collect(supervised(config, place, splits, kind, (2, 20), {4: pretrained}))
    assert {row["arm"] for row in rows} == {f"{kind}, 2 labels"}
    assert [(row["seed"], row["labels"]) for row in results] == [(4, 2)]
    pairs = zip(tested[4].encoder.parameters(), pretrained.encoder.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs) == kept


def test_fine_tuning_is_as_long_and_as_fast_as_it_is_told():
    config = replace(QUICK, scratch_epochs=20, finetune_epochs=10, finetune_learning_rate=0.07)
    recipes = [few_labels.from_labels(config, arm, 320) for arm in ("from scratch, 5 labels", "fine-tuned, 5 labels")]
    rates = [made.optimizer([torch.nn.Parameter(torch.zeros(1))]).defaults["lr"] for made in recipes]
    assert [made.epochs for made in recipes] == [20, 10]
    assert rates == [config.scratch_learning_rate, 0.07]
    assert [recipes[1].schedule(step) for step in (69, 70, 90)] == pytest.approx([1, 0.1, 0.01])


def test_labels_that_are_not_asked_for_fit_the_data():
    with pytest.warns(UserWarning, match="labels of each class are the most that the train split has"):
        row = next(run(replace(QUICK, labels=(), scratch_epochs=1), Run(seeds=(0,))))
    assert row["arm"] == "from scratch, 10 labels"


def test_too_few_labels_are_told_before_training():
    rows = run(replace(QUICK, labels=(5, 5000)), Run(seeds=(0,)))
    with pytest.raises(UsageError, match="cannot take 5000 of each class"):
        next(rows)


@pytest.mark.filterwarnings("ignore:.*few to learn by:UserWarning")
def test_pictures_are_later_scaled_as_the_networks_saw_them():
    place = Run(seeds=(0,))
    next(run(replace(QUICK, labels=(5,), scratch_epochs=1), place))
    assert (place.facts["data"]["mean"], place.facts["data"]["standard_deviation"]) == ([0.5], [0.5])
