import math

import pytest
import torch

from gradlab.learn.exercises.cyclic_group import inverse, product
from tests.learn.mutants import Mutants

WRONG = Mutants("cyclic_group")


TURN = 2 * math.pi
WRONG.add("neither result is brought back to [0, 2 pi)", "sums", product=torch.add, inverse=torch.neg)
WRONG.add(
    "the product is not brought back to [0, 2 pi)",
    "only_inverse_closed",
    product=lambda a, b: b + a,
    inverse=lambda a: torch.where(a == 0, a, TURN - a),
)
WRONG.add(
    "the inverse is not brought back to [0, 2 pi)",
    "negates",
    product=lambda a, b: (a + b) - TURN * torch.floor((a + b) / TURN),
    inverse=lambda a: 0 - a,
)
WRONG.add(
    "the remainder is taken by pi",
    "half_turn_modulus",
    product=lambda a, b: torch.fmod(a + b, math.pi),
    inverse=lambda a: torch.remainder(-1 * a, math.pi),
)
WRONG.add("the angles are multiplied", "multiplies", product=lambda a, b: torch.fmod(a * b, TURN), inverse=inverse)
WRONG.add("the angles are subtracted", "subtracts", product=lambda a, b: (a + TURN - b) % TURN, inverse=inverse)
WRONG.add(
    "the inverse is the half turn away", "supplement", product=product, inverse=lambda a: (3 * math.pi - a) % TURN
)
WRONG.add(
    "the half turn is added instead of the angle negated",
    "opposite",
    product=product,
    inverse=lambda a: (a - math.pi) % TURN,
)
WRONG.add(
    "the inverse is one over the angle", "reciprocal", product=product, inverse=lambda a: torch.reciprocal(a) % TURN
)
WRONG.add("the element itself is returned as its inverse", "identity", product=product, inverse=lambda a: a % TURN)
WRONG.add(
    "angles are cut off at 2 pi",
    "clamps",
    product=lambda a, b: torch.minimum(a + b, torch.tensor(TURN)),
    inverse=inverse,
)


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
