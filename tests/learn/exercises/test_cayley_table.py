import pytest
import torch

from gradlab.learn.exercises.cayley_table import cayley_table, generated
from tests.learn.mutants import Mutants

WRONG = Mutants("cayley_table")


def loops(order, entry):
    return torch.tensor([[entry(i, j) for j in range(order)] for i in range(order)])


WRONG.add(
    "the products leave the group",
    "no_modulus",
    cayley_table=lambda n: loops(n, lambda i, j: i + j),
    generated=generated,
)
WRONG.add(
    "the numbers are multiplied",
    "multiplies",
    cayley_table=lambda n: loops(n, lambda i, j: (i * j) % n),
    generated=generated,
)
WRONG.add(
    "the second element is inverted",
    "quotient",
    cayley_table=lambda n: loops(n, lambda i, j: (n + i - j) % n),
    generated=generated,
)
WRONG.add(
    "the first element is inverted",
    "other_quotient",
    cayley_table=lambda n: loops(n, lambda i, j: (n + j - i) % n),
    generated=generated,
)
WRONG.add(
    "the remainder is taken by order - 1",
    "off_by_one",
    cayley_table=lambda n: loops(n, lambda i, j: (i + j) % (n - 1)),
    generated=generated,
)
WRONG.add(
    "the elements are counted from 1",
    "from_one",
    cayley_table=lambda n: loops(n, lambda i, j: (i + 1 + j) % n),
    generated=generated,
)


def powers(element, order):
    return torch.tensor(sorted({element**k % order for k in range(order)}))


WRONG.add("powers are taken as numbers", "powers", cayley_table=cayley_table, generated=powers)


def without_identity(element, order):
    found, at = set(), element
    while at != 0:
        found.add(at)
        at = (at + element) % order
    return torch.tensor(sorted(found))


WRONG.add(
    "the identity is missing from the generated elements",
    "without_identity",
    cayley_table=cayley_table,
    generated=without_identity,
)
WRONG.add(
    "only two products are taken",
    "two_products",
    cayley_table=cayley_table,
    generated=lambda e, n: torch.tensor(sorted({0, e % n, (e + e) % n})),
)
WRONG.add(
    "every element is returned",
    "all_elements",
    cayley_table=cayley_table,
    generated=lambda e, n: torch.tensor(list(range(n))),
)
WRONG.add(
    "the number of elements is returned",
    "size",
    cayley_table=cayley_table,
    generated=lambda e, n: len({k * e % n for k in range(n)}),
)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
