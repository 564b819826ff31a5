"""The group of rotations by equal steps.

An element of a cyclic group is its angle in [0, 2 pi). Write `product(a, b)`, the rotation by b and then by a, and
`inverse(a)`, the rotation back. Both take and return tensors of angles; results lie in [0, 2 pi) again.
"""

import math
from typing import Any

import torch
from torch import Tensor

from gradlab.learn.exercise import Check, Draw, Fault

SOURCE = "practical 4: CyclicGroup, product and inverse"
HINTS = (
    "Rotations by a and b together are a rotation by a + b; what if that is a full turn or more?",
    "`torch.remainder(x, 2 * math.pi)` brings any angle to [0, 2 pi), negative ones too.",
    "`torch.remainder(a + b, 2 * math.pi)` and `torch.remainder(-a, 2 * math.pi)`.",
)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Returns the angles of the products, in [0, 2 pi)."""
    ### BEGIN SOLUTION
    return torch.remainder(a + b, 2 * math.pi)
    ### END SOLUTION


def inverse(a: Tensor) -> Tensor:
    """Returns the angles of the inverses, in [0, 2 pi)."""
    ### BEGIN SOLUTION
    return torch.remainder(-a, 2 * math.pi)
    ### END SOLUTION


def _probe(times: Any, back: Any, a: Tensor, b: Tensor) -> dict[str, Any]:
    def told(angles: Any) -> dict[str, Any]:
        inside = (angles > -1e-4) & (angles < 2 * math.pi + 1e-4)
        return {"inside [0, 2 pi)": inside, "cosine": torch.cos(angles), "sine": torch.sin(angles)}

    return {"product": told(times(a, b)), "inverse": told(back(a))}


def _case(draw: Draw) -> dict[str, Any]:
    order, count = draw.choice((4, 6, 8)), draw.size(3, 6)
    step = 2 * math.pi / order
    a, b = torch.randint(order, (2, count), generator=draw.generator)
    a[0], b[0], a[1] = order - 1, order - 1, 1
    return {"a": a * step, "b": b * step}


def _turn(angles: Tensor) -> Tensor:
    return torch.remainder(angles, 2 * math.pi)


CHECK = Check(
    probe=_probe,
    case=_case,
    absolute=1e-4,
    faults=(
        Fault(
            "neither result is brought back to [0, 2 pi)",
            "A group is closed: take the remainder of the division by 2 pi.",
            {"product": lambda a, b: a + b, "inverse": lambda a: -a},
        ),
        Fault(
            "the product is not brought back to [0, 2 pi)",
            "A group is closed: take the remainder of the division by 2 pi.",
            {"product": lambda a, b: a + b},
        ),
        Fault(
            "the inverse is not brought back to [0, 2 pi)",
            "A negative angle needs the remainder as well.",
            {"inverse": lambda a: -a},
        ),
        Fault(
            "the remainder is taken by pi",
            "A full turn is 2 pi.",
            {"product": lambda a, b: (a + b) % math.pi, "inverse": lambda a: -a % math.pi},
        ),
        Fault(
            "the angles are multiplied",
            "Rotations follow each other: the angles add.",
            {"product": lambda a, b: _turn(a * b)},
        ),
        Fault(
            "the angles are subtracted",
            "Rotations follow each other: the angles add.",
            {"product": lambda a, b: _turn(a - b)},
        ),
        Fault(
            "the inverse is the half turn away",
            "The inverse turns back by the same angle.",
            {"inverse": lambda a: _turn(math.pi - a)},
        ),
        Fault(
            "the half turn is added instead of the angle negated",
            "The inverse turns back by the same angle.",
            {"inverse": lambda a: _turn(a + math.pi)},
        ),
        Fault(
            "the inverse is one over the angle",
            "The inverse turns back by the same angle: its angle is negative.",
            {"inverse": lambda a: _turn(1 / a)},
        ),
        Fault(
            "the element itself is returned as its inverse",
            "a times its inverse is the identity, angle 0.",
            {"inverse": lambda a: a.clone()},
        ),
        Fault(
            "angles are cut off at 2 pi",
            "Beyond a full turn counting starts again: the remainder, not a clamp.",
            {"product": lambda a, b: (a + b).clamp(max=2 * math.pi)},
        ),
    ),
)
