import re

import pytest
import torch

from gradlab.nn import check_images


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (1, 3, 8, 20), (0, 3, 9, 8)])
def test_images_that_fit_pass(shape):
    check_images(torch.zeros(shape), "Net", channels=3, smallest_side=8)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((3, 8, 8), "Net takes images [batch, channels, height, width]: got 3x8x8"),
        ((2, 24), "Net takes images [batch, channels, height, width]: got 2x24"),
        ((2, 1, 8, 8), "Net takes images of 3 channels: got 1"),
        ((2, 3, 7, 8), "Net needs images of at least 8x8: got 7x8"),
        ((2, 3, 8, 7), "Net needs images of at least 8x8: got 8x7"),
    ],
)
def test_others_are_refused_in_one_line(shape, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        check_images(torch.zeros(shape), "Net", channels=3, smallest_side=8)
