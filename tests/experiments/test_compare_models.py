"""Networks beside each other on little data: batches that leave steps, and a page that says what so little can show."""

import pytest

from gradlab.experiments.compare_models import Config, _advice, recipe


@pytest.mark.parametrize(("samples", "batch"), [(45_000, 128), (2048, 128), (1000, 62), (126, 8), (5, 5)])
def test_small_folders_are_read_in_small_batches(samples, batch):
    made = recipe(Config(), "ResNet", samples, 10)
    assert made.batch_size == batch
    assert made.steps_per_epoch(samples) >= (15 if samples > 5 else 1)


class Folder:
    """As much of a run as the advice reads."""

    def __init__(self, *, tested: int, epochs: int, seeds: int) -> None:
        recorded = {"epochs": epochs, "steps_per_epoch": 16, "batch_size": 8}
        self.documents = {
            "config": {"seeds": list(range(seeds))},
            "environment": {"data": {"sizes": {"test": tested}}, "arms": {"ViT": {"recipe": recorded}}},
        }

    def document(self, name):
        return self.documents[name]


def test_the_page_says_what_so_few_steps_images_and_seeds_can_show():
    told = _advice(Folder(tested=27, epochs=10, seeds=3), "ViT", "")
    assert "27 images: one of them is 3.7 points" in told
    assert "160 steps of 8 images. That is few" in told
    assert told.endswith("gradlab resume RUN --add-seeds 3 4 5 6 7.")
    told = _advice(Folder(tested=1000, epochs=100, seeds=8), "ViT", "So does MLP.")
    assert told.startswith("ViT validates best. So does MLP. The test split")
    assert "one of them is 0.1 points" in told
    assert "few" not in told
    assert "--seeds" not in told
