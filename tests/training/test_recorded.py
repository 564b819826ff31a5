"""What a run records of an arm's recipe."""

import json
from functools import partial

import torch

from gradlab.augment import ContrastiveTransformations, Normalize, Pipeline, RandomHorizontalFlip, RandomResizedCrop
from gradlab.objectives import classification, negative_elbo
from gradlab.optim import SGDMomentum
from gradlab.training import Recipe, Selection, schedules
from gradlab.training.recorded import recorded_recipe, schedule_name, transforms_told


def test_all_of_a_recipe_is_recorded_as_json():
    recipe = Recipe(
        epochs=3,
        batch_size=10,
        optimizer=partial(torch.optim.AdamW, lr=0.002, weight_decay=0.05),
        schedule=schedules.one_cycle(steps=30),
        clip_norm=1.0,
        drop_last=True,
        select=Selection(),
    )
    found = json.loads(json.dumps(recorded_recipe(recipe, 105, classification, RandomHorizontalFlip(0.25))))
    assert (found["epochs"], found["batch_size"], found["steps_per_epoch"]) == (3, 10, 10)
    assert found["optimizer"]["class"] == "AdamW"
    assert found["optimizer"]["lr"] == 0.002
    assert found["optimizer"]["weight_decay"] == 0.05
    assert found["schedule"] == "one_cycle"
    assert found["objective"] == {"name": "classification"}
    assert found["inputs"] == [{"name": "RandomHorizontalFlip", "p": 0.25}]
    assert found["select"] == {"split": "validation", "metric": "accuracy", "best": "largest"}
    assert (found["clip_norm"], found["l1"], found["drop_last"], found["patience"]) == (1.0, 0.0, True, None)


def test_settings_of_an_objective_and_optimisers_of_ours_are_told():
    recipe = Recipe(epochs=1, batch_size=5, optimizer=partial(SGDMomentum, lr=0.1, momentum=0.9))
    found = recorded_recipe(recipe, 5, partial(negative_elbo, beta=4.0))
    assert found["objective"] == {"name": "negative_elbo", "beta": 4.0}
    assert found["optimizer"] == {"class": "SGDMomentum", "lr": 0.1, "momentum": 0.9}
    assert found["inputs"] == []


def test_schedules_are_told_by_name():
    assert schedule_name(schedules.constant()) == "constant"
    assert schedule_name(schedules.multi_step([3])) == "multi_step"
    assert schedule_name(schedules.warm_up(schedules.cosine(steps=9), steps=3)) == "warm_up and cosine"
    assert schedule_name(lambda step: 1 / (1 + step)) == "its own"


def test_a_pipeline_is_told_transform_by_transform():
    crop = RandomResizedCrop(8, scale=(0.5, 1.0), ratio=(1.0, 1.0))
    found = transforms_told(Pipeline([Pipeline([RandomHorizontalFlip()]), crop, Normalize((0.5,), (0.2,))]))
    assert found == [
        {"name": "RandomHorizontalFlip", "p": 0.5},
        {"name": "RandomResizedCrop", "size": 8, "scale": [0.5, 1.0], "ratio": [1.0, 1.0]},
        {"name": "Normalize"},
    ]


def test_views_are_told_by_what_makes_each_and_how_many():
    found = transforms_told(ContrastiveTransformations(Pipeline([RandomHorizontalFlip()]), n_views=3))
    assert found == [
        {"name": "RandomHorizontalFlip", "p": 0.5},
        {"name": "ContrastiveTransformations", "n_views": 3},
    ]
