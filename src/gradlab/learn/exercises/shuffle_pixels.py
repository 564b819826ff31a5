"""Pixels in another order.

Write two functions for images [batch, channels, height, width]. `shuffle_fixed(images, order)` gives every image the
same order of pixels: the pixel that lands at place i (counted row by row) is the one from place order[i], and the
channels of a pixel stay together. `shuffle_each(images, orders)` does so with an order of its own for each image:
orders [batch, height * width].
"""

from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 1, part 3: fixed and new shuffles of the pixels; practical 2, part 3"
HINTS = (
    "Flatten height and width into one axis, reorder that axis, and bring the shape back.",
    "One order for all: `flat[:, :, order]`. An order each needs `gather`, whose index has the shape of the result.",
    "`flat.gather(2, orders[:, None].expand_as(flat)).view_as(images)`.",
)


def shuffle_fixed(images: Tensor, order: Tensor) -> Tensor:
    """Returns the images with their pixels in the same new order.

    Args:
        images: [batch, channels, height, width].
        order: a permutation [height * width] (int64).
    """
    ### BEGIN SOLUTION
    return images.flatten(2)[:, :, order].view_as(images)
    ### END SOLUTION


def shuffle_each(images: Tensor, orders: Tensor) -> Tensor:
    """Returns the images with an order of pixels for each.

    Args:
        images: [batch, channels, height, width].
        orders: permutations [batch, height * width] (int64).
    """
    ### BEGIN SOLUTION
    flat = images.flatten(2)
    return flat.gather(2, orders[:, None].expand_as(flat)).view_as(images)
    ### END SOLUTION


def _probe(fixed: Any, each: Any, images: Tensor, order: Tensor, orders: Tensor) -> dict[str, Any]:
    kept = images.clone()
    return {"one order": fixed(images, order), "an order for each image": each(kept, orders)}


def _case(draw: Draw) -> dict[str, Any]:
    batch, channels, height, width = draw.size(2, 4), draw.size(2, 3), draw.size(2, 3), draw.size(3, 4)
    orders = torch.stack([draw.order(height * width) for _ in range(batch)])
    order = draw.order(height * width).roll(1) if draw.case else torch.tensor([2, 0, 1, 5, 3, 4])
    return {"images": draw.normal(batch, channels, height, width), "order": order, "orders": orders}


def _fixed(images: Tensor, order: Tensor) -> Tensor:
    return images.flatten(2)[:, :, order].view_as(images)


def _each(images: Tensor, orders: Tensor) -> Tensor:
    return torch.stack([_fixed(image[None], order)[0] for image, order in zip(images, orders, strict=True)])


def _columns(images: Tensor, order: Tensor) -> Tensor:
    return _fixed(images.transpose(2, 3).contiguous(), order).transpose(2, 3)


def _own_channels(images: Tensor, order: Tensor) -> Tensor:
    shifted = torch.stack([order.roll(channel) for channel in range(images.shape[1])])
    return images.flatten(2).gather(2, shifted.expand(len(images), -1, -1)).view_as(images)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault(
            "the order is applied backwards",
            "Place i receives the pixel from place order[i]; here the pixel of place i went to place order[i].",
            {"shuffle_fixed": lambda x, o: _fixed(x, o.argsort()), "shuffle_each": lambda x, o: _each(x, o.argsort(1))},
        ),
        Fault(
            "the fixed order is applied backwards",
            "Place i receives the pixel from place order[i].",
            {"shuffle_fixed": lambda x, o: _fixed(x, o.argsort())},
        ),
        Fault(
            "the orders of the images are applied backwards",
            "Place i receives the pixel from place order[i]: that is `gather`, not `scatter`.",
            {"shuffle_each": lambda x, o: _each(x, o.argsort(1))},
        ),
        Fault(
            "all images have the order of the first",
            "Image n has orders[n].",
            {"shuffle_each": lambda x, o: _fixed(x, o[0])},
        ),
        Fault(
            "nothing is shuffled",
            "Reorder the flat pixels.",
            {"shuffle_fixed": lambda x, o: x.clone(), "shuffle_each": lambda x, o: x.clone()},
        ),
        Fault(
            "the pixels are counted column by column",
            "Flatten height and width as they are: row by row.",
            {"shuffle_fixed": _columns},
        ),
        Fault(
            "the channels are torn apart", "All channels of a pixel move together.", {"shuffle_fixed": _own_channels}
        ),
        Fault(
            "the result stays flat",
            "Bring the pixels back to [batch, channels, height, width].",
            {
                "shuffle_fixed": lambda x, o: _fixed(x, o).flatten(2),
                "shuffle_each": lambda x, o: _each(x, o).flatten(2),
            },
        ),
        Fault(
            "the fixed order is shifted by one",
            "Places are counted from 0.",
            {"shuffle_fixed": lambda x, o: _fixed(x, o.roll(1))},
        ),
        Fault(
            "the images change places instead of the pixels",
            "The batch's axis stays as it is.",
            {"shuffle_each": lambda x, o: _each(x, o).flip(0)},
        ),
    ),
)
