"""Finding the other view among those of a fixed number of images."""

import pytest
import torch
from torch import Tensor, nn

from gradlab import rng
from gradlab.augment import ContrastiveTransformations, Normalize, Pipeline, RandomHorizontalFlip
from gradlab.data import Images
from gradlab.errors import UsageError
from gradlab.evaluation import measure_contrastive, said_of_views
from gradlab.objectives import info_nce

PAIRS = 8


@pytest.fixture
def images() -> Images:
    pixels = torch.randint(0, 256, (21, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Images(pixels, torch.zeros(21, dtype=torch.int64), ("all",))


@pytest.fixture
def views() -> ContrastiveTransformations:
    return ContrastiveTransformations(Pipeline([RandomHorizontalFlip(), Normalize((0.5,), (0.5,))]))


class Spread(nn.Module):
    """Features that tell images apart well, but not perfectly."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(16, 6)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


def test_is_the_mean_over_whole_batches_of_fixed_views(images, views):
    model = Spread()
    found = measure_contrastive(model, images, views, temperature=0.2, pairs=PAIRS)
    draws = torch.rand(PAIRS, views.uniforms, generator=rng.generator(0, "evaluation"))
    batches = [views(images.pixels[start : start + PAIRS], draws) for start in (0, 8)]
    expected = [info_nce(model, batch, torch.zeros(PAIRS), temperature=0.2) for batch in batches]
    assert found["loss"] == pytest.approx(sum(loss.item() for loss, _ in expected) / 2, rel=1e-6)
    for name in ("top1_accuracy", "top5_accuracy", "mean_position"):
        assert found[name] == pytest.approx(sum(sums[name].item() for _, sums in expected) / 16)
    assert found == measure_contrastive(model, images, views, temperature=0.2, pairs=PAIRS)
    assert found["top1_accuracy"] < found["top5_accuracy"]


def test_a_last_batch_with_fewer_images_would_be_easier(images, views):
    """Why it is left out."""
    few, many = (measure_contrastive(Spread(), images, views, pairs=pairs) for pairs in (3, 20))
    assert few["loss"] < many["loss"]
    assert few["mean_position"] < many["mean_position"]


def test_too_few_images_are_refused(images, views):
    with pytest.raises(UsageError, match="among those of 22 images: got 21"):
        measure_contrastive(Spread(), images, views, pairs=22)


def test_views_keep_their_places_beyond_one_batch_of_evaluation():
    """Joining the batches as they come would put second views among the first ones."""
    many = torch.randint(0, 256, (1001, 1, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    same = ContrastiveTransformations(Pipeline([Normalize((0.5,), (0.5,))]))
    first, second = said_of_views(Spread(), many, same).chunk(2)
    assert torch.equal(first, second)
    assert first[[0, 600]].ne(first[[1, 601]]).any(1).all()
    images = Images(many, torch.zeros(1001, dtype=torch.int64), ("all",))
    assert measure_contrastive(Spread(), images, same, pairs=600)["top1_accuracy"] > 0.9
