"""The table of a group.

The elements of the cyclic group of order n are its rotations by 0, 1, ..., n - 1 steps. Write `cayley_table(order)`:
whole numbers [order, order] whose entry (i, j) is the number of the product of elements i and j. Write also
`generated(element, order)`: the sorted numbers of all elements that products of this element with itself reach, among
them the identity.
"""

from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: group axioms; the third element built from e, g1 and g2"
HINTS = (
    "Numbers of steps add, and order steps are none.",
    "The table is a broadcast sum of a column and a row, modulo the order.",
    "`n = torch.arange(order)`; `(n[:, None] + n) % order`; and `torch.unique(n * element % order)`.",
)


def cayley_table(order: int) -> Tensor:
    """Returns the products of all pairs [order, order] (int64)."""
    ### BEGIN SOLUTION
    steps = torch.arange(order)
    return (steps[:, None] + steps) % order
    ### END SOLUTION


def generated(element: int, order: int) -> Tensor:
    """Returns the sorted elements that the powers of `element` reach (int64)."""
    ### BEGIN SOLUTION
    return torch.unique(torch.arange(order) * element % order)
    ### END SOLUTION


def _probe(table: Any, reached: Any, element: int, order: int) -> dict[str, Any]:
    return {"table": table(order), "generated": reached(element, order)}


def _case(draw: Draw) -> dict[str, int]:
    element, order = [(2, 4), (1, 3), (3, 4), (4, 6), (2, 5), (6, 8)][draw.case]
    return {"element": element, "order": order}


def _sums(order: int) -> Tensor:
    return torch.arange(order)[:, None] + torch.arange(order)


CHECK = Check(
    probe=_probe,
    case=_case,
    faults=(
        Fault("the products leave the group", "order steps are none: take the remainder.", {"cayley_table": _sums}),
        Fault(
            "the numbers are multiplied",
            "Steps add.",
            {"cayley_table": lambda n: torch.arange(n)[:, None] * torch.arange(n) % n},
        ),
        Fault(
            "the second element is inverted",
            "Entry (i, j) is i + j steps, not i - j.",
            {"cayley_table": lambda n: (torch.arange(n)[:, None] - torch.arange(n)) % n},
        ),
        Fault(
            "the first element is inverted",
            "Entry (i, j) is i + j steps, not j - i.",
            {"cayley_table": lambda n: (torch.arange(n) - torch.arange(n)[:, None]) % n},
        ),
        Fault(
            "the remainder is taken by order - 1",
            "The elements are 0 to order - 1: divide by order.",
            {"cayley_table": lambda n: _sums(n) % (n - 1)},
        ),
        Fault(
            "the elements are counted from 1",
            "The identity is element 0.",
            {"cayley_table": lambda n: (_sums(n) + 1) % n},
        ),
        Fault(
            "the identity is missing from the generated elements",
            "Enough steps lead back to it.",
            {
                "generated": lambda e, n: (
                    torch.unique(torch.arange(1, n) * e % n)[1:]
                    if n % e == 0 or 0 in (torch.arange(1, n) * e % n)
                    else torch.unique(torch.arange(1, n) * e % n)
                )
            },
        ),
        Fault(
            "powers are taken as numbers",
            "The k-th power of an element is k times its steps.",
            {"generated": lambda e, n: torch.unique(torch.tensor([e**k % n for k in range(n)]))},
        ),
        Fault(
            "only two products are taken",
            "Go on until nothing new comes.",
            {"generated": lambda e, n: torch.unique(torch.tensor([0, e, 2 * e]) % n)},
        ),
        Fault(
            "every element is returned",
            "Not every element generates the whole group.",
            {"generated": lambda e, n: torch.arange(n)},
        ),
        Fault(
            "the number of elements is returned",
            "Return the elements themselves.",
            {"generated": lambda e, n: len(torch.unique(torch.arange(n) * e % n))},
        ),
        Fault(
            "elements come more than once",
            "Each element once, sorted.",
            {"generated": lambda e, n: torch.arange(n) * e % n},
        ),
    ),
)
