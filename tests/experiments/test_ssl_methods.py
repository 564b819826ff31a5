"""What ssl_methods keeps equal between methods that have different images."""

import pytest
import torch

from gradlab.data import Images, Splits
from gradlab.experiments.ssl_methods import SUPERVISED, Config, epochs_of, trained_on


def images(count: int) -> Images:
    return Images(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), torch.zeros(count, dtype=torch.int64), ("a",))


@pytest.mark.parametrize(("unlabelled", "epochs"), [(None, 2), (images(40), 8)])
def test_methods_with_fewer_images_make_as_many_steps(unlabelled, epochs):
    splits = Splits(train=images(10), validation=images(5), test=images(5), unlabelled=unlabelled, name="small")
    config = Config(epochs=2, batch_size=5)
    assert epochs_of(config, splits, trained_on(splits, SUPERVISED)) == epochs
    assert epochs_of(config, splits, trained_on(splits, "SimCLR")) == 2
