"""Products are told from what is no product, and those of backward passes and stacks are among them."""

import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional as F

from bench.product_clock import ProductClock, share_of_products

MATRIX = torch.ones(400, 400)


def products_of(work) -> int:
    with ProductClock() as clock:
        work()
    return clock.calls


def test_work_without_products_has_no_share_of_them():
    assert share_of_products(lambda: [MATRIX.exp() for _ in range(20)]) == 0


def test_products_alone_are_nearly_all_of_their_time():
    large = torch.ones(1000, 1000)
    # Twice as much would be products counted twice; other programs on the cores move it by some tenths.
    assert 0.6 < share_of_products(lambda: [large @ large for _ in range(4)]) < 1.6


def test_each_product_is_counted_once():
    images = torch.ones(4, 16, 8, 8, requires_grad=True)
    loss = F.conv2d(images, torch.ones(16, 16, 3, 3, requires_grad=True)).sum()
    assert products_of(loss.backward) == 1  # torch makes both slopes of a convolution in one call
    linear = nn.Linear(400, 3)
    assert products_of(lambda: linear(MATRIX).sum().backward()) == 2
    stacked = torch.ones(5, 400, 3)
    assert products_of(lambda: vmap(torch.matmul, (None, 0))(MATRIX, stacked)) == 1
    with torch.autocast("cpu", torch.bfloat16):
        assert products_of(lambda: linear(MATRIX)) == 1
