"""Networks beside each other on little data: batches that leave steps, and a page that says what so little can show."""

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import torch

from gradlab.experiments.compare_models import EQUAL_TIME, Config, _advice, _at_equal_time, network, recipe

NAMES = get_args(get_args(get_type_hints(Config)["models"])[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "classes"), [((1, 16, 16), 10), ((3, 20, 20), 4)])
def test_every_network_takes_images_of_any_size_and_any_number_of_classes(name, shape, classes):
    with torch.device("meta"):  # shapes without numbers
        assert network(Config(), name + EQUAL_TIME, shape, classes)(torch.empty(2, *shape)).shape == (2, classes)


def test_no_two_names_make_one_network():
    with torch.device("meta"):
        made = {name: network(Config(), name, (3, 16, 16), 10) for name in NAMES}
    counts = {name: sum(parameter.numel() for parameter in network.parameters()) for name, network in made.items()}
    assert len(set(counts.values())) == len(NAMES), counts


def test_the_residual_networks_learn_with_momentum_the_others_with_adam():
    weights = [torch.nn.Parameter(torch.zeros(1))]
    for ending in ("", EQUAL_TIME):
        made = {name: recipe(Config(), name + ending, 2048, 10).optimizer(weights) for name in NAMES}
        momentum = {name for name, optimizer in made.items() if isinstance(optimizer, torch.optim.SGD)}
        assert momentum == {"ResNet", "PostActivationResNet", "ResidualCNN", "ResNet18"}


@pytest.mark.parametrize(("samples", "batch"), [(45_000, 128), (2048, 128), (1000, 62), (126, 8), (5, 5)])
def test_small_folders_are_read_in_small_batches(samples, batch):
    made = recipe(Config(), "ResNet", samples, 10)
    assert made.batch_size == batch
    assert made.steps_per_epoch(samples) >= (15 if samples > 5 else 1)


class Folder:
    """As much of a run as the advice reads."""

    path = Path("runs", "my pictures")

    def __init__(self, *, tested: int, epochs: int, seeds: int) -> None:
        recorded = {"epochs": epochs, "steps_per_epoch": 16, "batch_size": 8}
        best = {str(seed): epochs for seed in range(seeds)}
        self.documents = {
            "config": {"seeds": list(range(seeds))},
            "results": {"arms": {}},
            "environment": {
                "data": {"sizes": {"test": tested}},
                "arms": {
                    "ViT": {"recipe": recorded, "best_epochs": best},
                },
            },
        }

    def rows(self):
        epoch = self.documents["environment"]["arms"]["ViT"]["best_epochs"]["0"]
        return [{"arm": "ViT", "seed": 0, "epoch": epoch, "split": "validation", "accuracy": 0.625}]

    def document(self, name):
        return self.documents[name]


class Diverged(Folder):
    """A run without an epoch."""

    def rows(self):
        return []


def test_the_page_says_what_so_few_steps_images_and_seeds_can_show():
    told = _advice(Folder(tested=27, epochs=10, seeds=3), "ViT", "")
    assert "27 images: one of them is 3.7 points" in told
    assert "160 steps of 8 images. That is few" in told
    assert told.endswith("gradlab resume 'runs/my pictures' --add-seeds 3 4 5 6 7.")
    told = _advice(Folder(tested=1000, epochs=100, seeds=8), "ViT", "So does MLP.")
    assert told.startswith("ViT validates best, at 62.5 %, each seed at its best epoch. Validation images choose")
    assert "stays fair. So does MLP. The test split" in told
    assert "one of them is 0.1 points" in told
    assert "few" not in told
    assert "--seeds" not in told


def test_more_epochs_are_not_advised_to_a_network_that_validates_best_early():
    folder = Folder(tested=27, epochs=10, seeds=8)
    best = folder.documents["environment"]["arms"]["ViT"]["best_epochs"]
    best |= {str(seed): 5 for seed in best}
    told = _advice(folder, "ViT", "")
    assert "It validated best by epoch 5 of 10: more pictures may help, more epochs hardly." in told
    assert "raise --epochs" not in told
    best["3"] = 6
    assert "raise --epochs" in _advice(folder, "ViT", "")
    short = Folder(tested=27, epochs=2, seeds=3)  # the first of two epochs may be the better one by chance
    short.documents["environment"]["arms"]["ViT"]["best_epochs"] = dict.fromkeys("012", 1)
    assert "raise --epochs" in _advice(short, "ViT", "")


def arm(*values):
    return {"seeds": list(range(len(values))), "metrics": {"test_accuracy": {"values": list(values)}}}


def test_splits_that_disagree_are_told():
    folder = Folder(tested=27, epochs=10, seeds=8)
    folder.documents["results"] = {"arms": {"ViT": arm(0.2, 0.3), "ResNet": arm(0.3, 0.3)}}
    assert "On the test images ResNet comes first: the two splits disagree" in _advice(folder, "ViT", "")
    folder.documents["results"]["arms"]["ViT"] = arm(0.3, 0.4)
    assert "disagree" not in _advice(folder, "ViT", "")


def test_a_network_that_may_be_guessing_is_not_recommended():
    folder = Folder(tested=27, epochs=10, seeds=8)
    data = {"sizes": {"test": 27}, "classes": ["circle", "square", "triangle"]}
    folder.documents["results"] = {"arms": {"ViT": arm(0.3, 0.4)}, "environment": {"data": data}}
    assert _advice(folder, "ViT", "").startswith("None yet: none is clearly better than guessing. ViT validates best")
    folder.documents["results"]["arms"]["ViT"] = arm(0.9, 0.9)
    assert _advice(folder, "ViT", "").startswith("ViT validates best")


def test_where_every_seed_diverged_nothing_is_chosen():
    told = _advice(Diverged(tested=27, epochs=10, seeds=8), "ViT", "")
    assert told.startswith("No network was ever validated, since every seed diverged")
    assert "inf" not in told


def test_equal_time_is_compared_with_the_network_that_takes_longest():
    """Not with the first one at equal epochs, which answers another question."""
    arms = {"MLP": arm(0.5, 0.52, 0.51), "ViT": arm(0.6, 0.61, 0.63), "MLP, equal time": arm(0.55, 0.56, 0.57)}
    told = _at_equal_time({"arms": arms})
    assert told.startswith("At equal time: ")
    assert "MLP, equal time − ViT = −5.3 points" in told
    assert "− MLP =" not in told
    assert _at_equal_time({"arms": {"MLP": arms["MLP"], "ViT": arms["ViT"]}}) == ""
