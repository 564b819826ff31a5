"""How often the partner is found.

Write `contrastive_accuracy(similarities, top)` for similarities [2 N, 2 N] of two views (rows i and i + N belong
together): the share of rows whose partner is among the `top` most similar other rows, a float. The row itself does not
count. Ties count against the row, so that a network that maps everything to one point scores nothing: a partner's rank
is the number of other rows that are at least as similar.
"""

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 5: top-1 and top-5 accuracy"
HINTS = (
    "For each row count the rows, without itself and its partner, that are at least as similar as the partner.",
    "The partner is found where that count is below `top`.",
    "`at_least = others >= similarities[row, partner][:, None]` with -inf at itself and partner; `sum(1) < top`.",
)


def contrastive_accuracy(similarities: Tensor, top: int) -> float:
    """Returns the share of rows whose partner is among the `top` most similar.

    Args:
        similarities: [2 N, 2 N].
        top: how many count.
    """
    ### BEGIN SOLUTION
    rows = torch.arange(len(similarities))
    partners = rows.roll(len(rows) // 2)
    others = similarities.clone()
    others[rows, rows] = -torch.inf
    others[rows, partners] = -torch.inf
    better = (others >= similarities[rows, partners][:, None]).sum(1)
    return (better < top).float().mean().item()
    ### END SOLUTION


def _case(draw: Draw) -> dict[str, object]:
    n = draw.size(3, 6)
    similarities = draw.normal(2 * n, 2 * n)
    similarities = (similarities + similarities.T) / 2
    rows = torch.arange(2 * n)
    similarities[rows, rows] = -3.0 if draw.case == 4 else 3.0
    if draw.case == 1:
        similarities[:] = 1.0
    elif draw.case != 3:
        similarities[rows[:n], rows[:n] + n] += 0.8
        similarities[rows[:n] + n, rows[:n]] += 0.8
    return {"similarities": similarities, "top": [1, 1, 3, 2, 1, 3][draw.case]}


def _share(
    similarities: Tensor,
    top: int,
    itself: bool = True,
    ties: bool = True,
    least: bool = False,
    shift: int | None = None,
) -> float:
    rows = torch.arange(len(similarities))
    partners = rows.roll(len(rows) // 2 if shift is None else shift)
    values = -similarities if least else similarities
    mine = values[rows, partners][:, None]
    ahead = values >= mine if ties else values > mine
    ahead[rows, partners] = False
    if itself:
        ahead[rows, rows] = False
    return (ahead.sum(1) < top).float().mean().item()


CHECK = Check(
    case=_case,
    faults=(
        Fault(
            "the row itself counts",
            "A row is always most similar to itself: leave it out.",
            lambda s, k: _share(s, k, itself=False),
        ),
        Fault(
            "ties count for the row",
            "Equal similarities count against it: `>=`.",
            lambda s, k: _share(s, k, ties=False),
        ),
        Fault(
            "the row itself counts, and ties count for the row",
            "Leave the row out, and use `>=`.",
            lambda s, k: _share(s, k, itself=False, ties=False),
        ),
        Fault(
            "the next row is taken for the partner", "The partner of i is i + N.", lambda s, k: _share(s, k, shift=-1)
        ),
        Fault("the least similar rows are taken", "The most similar ones.", lambda s, k: _share(s, k, least=True)),
        Fault("always the first place", "The partner may be among the first `top`.", lambda s, k: _share(s, 1)),
        Fault("one place too many", "`<` and not `<=`: the best rank is 0.", lambda s, k: _share(s, k + 1)),
        Fault("one place too few", "The best rank is 0: below `top`.", lambda s, k: _share(s, k - 1)),
        Fault("the error instead of the accuracy", "Count the partners that are found.", lambda s, k: 1 - _share(s, k)),
        Fault("the number instead of the share", "Divide by the number of rows.", lambda s, k: _share(s, k) * len(s)),
        Fault(
            "the mean rank is returned",
            "The share of rows is asked for.",
            lambda s, k: (
                (s > s[torch.arange(len(s)), torch.arange(len(s)).roll(len(s) // 2)][:, None])
                .sum(1)
                .float()
                .mean()
                .item()
            ),
        ),
    ),
)
