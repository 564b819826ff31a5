import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("img_to_patch")


def done(patches, flat):
    return patches.flatten(2, 4) if flat else patches


@WRONG("the image is reshaped without moving axes")
def viewed(x, patch_size, flatten_channels=True):
    n, c, h, w = x.shape
    out = x.view(n, h * w // patch_size**2, c, patch_size, patch_size)
    return out.view(n, out.shape[1], -1) if flatten_channels else out


@WRONG("the patches run column by column")
def columns(x, patch_size, flatten_channels=True):
    p = patch_size
    corners = [(i, j) for j in range(0, x.shape[3], p) for i in range(0, x.shape[2], p)]
    patches = [x[:, :, i : i + p, j : j + p] for i, j in corners]
    return done(torch.stack(patches, 1), flatten_channels)


@WRONG("the pixels of a patch are transposed")
def transposed(x, patch_size, flatten_channels=True):
    p = patch_size
    out = x.unfold(3, p, p).unfold(2, p, p).permute(0, 2, 3, 1, 4, 5)
    return done(out.reshape(len(x), -1, *out.shape[3:]), flatten_channels)


@WRONG("the channels come last in a patch")
def channels_last(x, patch_size, flatten_channels=True):
    p = patch_size
    out = x.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 4, 5, 1)
    return done(out.reshape(len(x), -1, *out.shape[3:]), flatten_channels)


@WRONG("a patch takes every n-th pixel")
def strided(x, patch_size, flatten_channels=True):
    _n, _c, h, w = x.shape
    rows, columns = h // patch_size, w // patch_size
    out = torch.stack([x[:, :, i::rows, j::columns] for i in range(rows) for j in range(columns)], 1)
    return done(out, flatten_channels)


def right(x, p):
    out = x.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 1, 4, 5)
    return out.reshape(len(x), -1, *out.shape[3:])


@WRONG("the patches are never flattened")
def never(x, patch_size, flatten_channels=True):
    return right(x, patch_size)


@WRONG("the patches are always flattened")
def always(x, patch_size, flatten_channels=True):
    return right(x, patch_size).flatten(2)


@WRONG("flatten_channels is the wrong way round")
def inverted(x, patch_size, flatten_channels=True):
    return done(right(x, patch_size), not flatten_channels)


@WRONG("batch and patches are merged")
def merged(x, patch_size, flatten_channels=True):
    out = right(x, patch_size).reshape(-1, x.shape[1], patch_size, patch_size)
    return out.flatten(1) if flatten_channels else out


@WRONG("channels and patches are swapped")
def no_move(x, patch_size, flatten_channels=True):
    p = patch_size
    out = x.unfold(2, p, p).unfold(3, p, p).flatten(2, 3)
    return out.flatten(2)


@WRONG("each channel is a patch of its own")
def grey(x, patch_size, flatten_channels=True):
    out = right(x, patch_size)
    out = out.reshape(len(x), -1, patch_size, patch_size)
    return out.flatten(2) if flatten_channels else out


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
