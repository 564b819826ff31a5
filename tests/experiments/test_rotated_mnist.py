import pytest
import torch

from gradlab.data import Images, Splits
from gradlab.errors import UsageError
from gradlab.experiments.rotated_mnist import AUGMENTED, GROUPS, QUICK, STRIDED, Config, network, parts_of, recipe
from gradlab.training import Selection

SMALL = Config(train_images=30, validation_images=10, test_images=40)


def numbered(first: int, count: int) -> Images:
    """Pictures that no turn changes, each of a grey of its own."""
    greys = torch.arange(first, first + count, dtype=torch.uint8).view(-1, 1, 1, 1)
    pixels = torch.zeros(count, 1, 9, 9, dtype=torch.uint8)
    pixels[:, :, 2:7, 2:7] = greys
    return Images(pixels, torch.arange(count) % 10, tuple("0123456789"))


SPLITS = Splits(train=numbered(1, 60), validation=numbered(61, 10), test=numbered(71, 20), name="numbers")


def greys(images: Images) -> list[int]:
    return images.pixels[:, 0, 4, 4].tolist()


def test_the_parts_are_disjoint_and_the_test_split_comes_first_in_testing():
    train, validation, test = parts_of(SMALL, SPLITS)
    assert greys(train) == list(range(1, 21))
    assert greys(validation) == list(range(21, 31))
    assert greys(test) == [*range(71, 91), *range(61, 71), *range(31, 41)]


@pytest.mark.parametrize(
    "config",
    [
        Config(train_images=61, validation_images=10, test_images=10),
        Config(train_images=10, validation_images=10, test_images=10),
        Config(train_images=30, validation_images=10, test_images=61),
    ],
)
def test_more_images_than_there_are_are_refused(config):
    with pytest.raises(UsageError, match="numbers has 60 images for training and validation, and leaves"):
        parts_of(config, SPLITS)


def test_the_last_epoch_is_kept_where_validation_shall_not_choose():
    assert recipe(Config(), 100).select == Selection()
    assert recipe(Config(keep="last"), 100).select is None


def test_plain_and_group_network_have_about_the_published_number_of_weights():
    counts = {arm: weights(Config(), arm) for arm in ("Z2CNN", "P4CNN", "StridedC8")}
    assert counts == {"Z2CNN": 21_630, "P4CNN": 24_620, "StridedC8": 23_626}


def test_residual_networks_have_about_as_many_weights_over_groups_of_one_kernel_size():
    counts = [weights(Config(), arm) for arm in ("ResidualC4", "ResidualD4")]
    assert max(counts) < 1.1 * min(counts)


def weights(config: Config, arm: str) -> int:
    return sum(parameter.numel() for parameter in network(config, arm, (1, 28, 28), 10).parameters())


@pytest.mark.parametrize("arm", ["Z2CNN", "P4CNN", *GROUPS, *STRIDED])
@torch.no_grad()
def test_quarter_turns_change_the_plain_network_s_answer_only(arm):
    torch.manual_seed(0)
    model = network(QUICK, arm + AUGMENTED, (1, 8, 8), 10).double().eval()
    images = torch.rand(4, 1, 8, 8, dtype=torch.float64)
    change = (model(images.rot90(1, (2, 3))) - model(images)).norm() / model(images).norm()
    assert (change < 1e-12) == (arm != "Z2CNN")
