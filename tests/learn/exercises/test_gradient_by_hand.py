import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("gradient_by_hand")


@WRONG("the mean's 1 / n is missing")
def of_the_sum(x):
    return 6 * x + 12


@WRONG("divided by the rows instead of by all entries")
def rows(x):
    return 6 * (x + 2) / x.size(0)


@WRONG("the factor 2 of the square is missing")
def no_two(x):
    return (3 * x + 6) / x.numel()


@WRONG("the factor 3 is missing")
def no_three(x):
    n = x.numel()
    return 2 / n * (x + 2)


@WRONG("the inner sum is missing")
def no_inner(x):
    return 6 * x / x.nelement()


@WRONG("the square is not differentiated")
def undifferentiated(x):
    return 3 / x.numel() * (x + 2) ** 2


@WRONG("the gradient is summed to one number")
def one_number(x):
    return (6 * (x + 2)).sum() / x.numel()


@WRONG("the value is returned instead of the gradient")
def value(x):
    return torch.mean(3 * (x + 2) ** 2)


@WRONG("the sign is flipped")
def downhill(x):
    return -(6 / x.numel()) * (x + 2)


@WRONG("the inner derivative is not 1")
def doubled(x):
    return (12 * x + 24) / x.numel()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
