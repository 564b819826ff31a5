import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("select_parts")


@WRONG("the last row is taken instead of the last column")
def last_row(matrix):
    rows = matrix.size(0)
    return matrix[rows - 1, :], matrix[1:, :-1], matrix[::2]


@WRONG("the last column keeps an axis")
def narrow(matrix):
    return matrix.narrow(1, matrix.shape[1] - 1, 1), matrix[1:, :-1], matrix[::2]


@WRONG("the second last column is taken")
def counts_from_one(matrix):
    return matrix[:, matrix.shape[1] - 2], matrix[1:, :-1], matrix[::2]


@WRONG("rows and columns of the inner part are swapped")
def other_corner(matrix):
    rows, columns = matrix.shape
    return matrix[:, -1], matrix[0 : rows - 1, 1:columns], matrix[::2]


@WRONG("the last column is still in the inner part")
def keeps_last_column(matrix):
    return matrix[:, -1], matrix[1:, : matrix.shape[1]], matrix[::2]


@WRONG("the first row is still in the inner part")
def keeps_first_row(matrix):
    return matrix.select(1, -1), torch.stack([row[:-1] for row in matrix]), matrix[::2]


@WRONG("every second row begins with the second")
def odd_rows(matrix):
    return matrix[:, -1], matrix[1:, :-1], torch.stack([matrix[i] for i in range(1, len(matrix), 2)])


@WRONG("every second column is taken instead of every second row")
def even_columns(matrix):
    return matrix[:, -1], matrix[1:, :-1], matrix.T[::2].T


@WRONG("only the first two rows are taken")
def first_two(matrix):
    return matrix[:, -1], matrix[1:, :-1], matrix[[0, 1]]


@WRONG("the rows are repeated instead of skipped")
def repeated(matrix):
    return matrix[:, -1], matrix[1:, :-1], torch.stack([row for row in matrix for _ in range(2)])


@WRONG("another value is returned")
def only_two(matrix):
    return matrix[:, -1], matrix[1:, :-1]


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
