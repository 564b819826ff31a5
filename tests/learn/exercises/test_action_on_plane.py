import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("action_on_plane")


def right(matrices, grid):
    return torch.tensordot(matrices, grid, dims=([2], [0])).permute(0, 2, 3, 1)


@WRONG("the matrices are applied from the right")
def from_the_right(matrices, grid):
    return grid.permute(1, 2, 0) @ matrices[:, None]


@WRONG("rows and columns of the grid are swapped")
def transposed(matrices, grid):
    return right(matrices, grid.transpose(1, 2))


@WRONG("the coordinates are not the last axis")
def channels_first(matrices, grid):
    return torch.tensordot(matrices, grid, dims=1)


@WRONG("the matrices stand last")
def batch_last(matrices, grid):
    return torch.stack([(m @ grid.flatten(1)).view(2, *grid.shape[1:]).permute(1, 2, 0) for m in matrices], -1)


@WRONG("the coordinates are swapped")
def rolled(matrices, grid):
    return right(matrices, grid).roll(1, -1)


@WRONG("the coordinates of the grid are swapped")
def yx(matrices, grid):
    return right(matrices, torch.stack([grid[1], grid[0]]))


@WRONG("the matrices are summed")
def summed(matrices, grid):
    return right(matrices, grid).sum(0)


@WRONG("only the diagonals count")
def diagonal(matrices, grid):
    d = torch.diagonal(matrices, dim1=1, dim2=2)
    return d[:, None, None] * grid.permute(1, 2, 0)


@WRONG("the sum over the coordinates is missing")
def products(matrices, grid):
    return matrices[:, None, None] * grid.permute(1, 2, 0)[None, :, :, None]


@WRONG("the grid is reshaped to put the coordinates last")
def viewed(matrices, grid):
    out = matrices @ grid.flatten(1)
    return out.view(len(matrices), grid.shape[1], grid.shape[2], 2)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
