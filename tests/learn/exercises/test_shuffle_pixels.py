import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("shuffle_pixels")


def fixed(images, order):
    n, c, h, w = images.shape
    return images.reshape(n, c, h * w).index_select(2, order).reshape(n, c, h, w)


def each(images, orders):
    return torch.cat([fixed(images[i : i + 1], orders[i]) for i in range(len(images))])


def fixed_scatters(images, order):
    flat = images.flatten(2)
    out = torch.empty_like(flat)
    out[:, :, order] = flat
    return out.view_as(images)


def each_scatters(images, orders):
    flat = images.flatten(2)
    return torch.zeros_like(flat).scatter(2, orders[:, None, :].expand_as(flat), flat).view_as(images)


WRONG.add("the order is applied backwards", "both_scatter", shuffle_fixed=fixed_scatters, shuffle_each=each_scatters)
WRONG.add("the fixed order is applied backwards", "fixed_scatters", shuffle_fixed=fixed_scatters)
WRONG.add("the orders of the images are applied backwards", "each_scatters", shuffle_each=each_scatters)


def first_order(images, orders):
    return images.flatten(2).gather(2, orders[:1, None].expand(*images.shape[:2], -1)).view_as(images)


WRONG.add("all images have the order of the first", "first_order", shuffle_each=first_order)


def nothing(images, order):
    images.flatten(2).index_select(2, order.reshape(-1)[: images[0, 0].numel()])
    return images


WRONG.add("nothing is shuffled", "nothing", shuffle_fixed=nothing, shuffle_each=nothing)


def by_columns(images, order):
    n, c, h, w = images.shape
    flat = images.permute(0, 1, 3, 2).reshape(n, c, w * h)[..., order]
    return flat.reshape(n, c, w, h).permute(0, 1, 3, 2)


WRONG.add("the pixels are counted column by column", "by_columns", shuffle_fixed=by_columns)


def stays_flat(images, order):
    return images.flatten(2)[..., order]


def each_flat(images, orders):
    return each(images, orders).flatten(2)


WRONG.add("the result stays flat", "stays_flat", shuffle_fixed=stays_flat, shuffle_each=each_flat)


def writes_in_place(images, order):
    images[:] = fixed(images, order)
    return images


WRONG.add("the input images is changed in place", "in_place", shuffle_fixed=writes_in_place)


def channel_by_channel(images, order):
    return torch.stack([fixed(images[:, c : c + 1], order.roll(c))[:, 0] for c in range(images.shape[1])], 1)


WRONG.add("the channels are torn apart", "channel_by_channel", shuffle_fixed=channel_by_channel)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
