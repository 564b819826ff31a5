import pytest
import torch

from tests.learn.mutants import Mutants

WRONG = Mutants("continuous_xor")


@WRONG("AND instead of XOR")
def both(bits, noise, std):
    return bits.float() + std * noise, (bits[:, 0] & bits[:, 1])


@WRONG("OR instead of XOR")
def either(bits, noise, std):
    return bits + std * noise, (bits.sum(1) > 0).long()


@WRONG("equal instead of different bits")
def equal(bits, noise, std):
    return bits + std * noise, 1 - (bits[:, 0] ^ bits[:, 1])


@WRONG("the labels come from the noisy points")
def noisy(bits, noise, std):
    data = bits.float() + std * noise
    return data, (data.round().sum(dim=1) == 1).to(torch.long)


@WRONG("the labels are the sums of the bits")
def sums(bits, noise, std):
    return bits + noise * std, bits[:, 0] + bits[:, 1]


@WRONG("the noise is not scaled by std")
def unscaled(bits, noise, std):
    return bits.float() + noise, (bits[:, 0] != bits[:, 1]).long()


@WRONG("the noise is scaled by the variance")
def variance(bits, noise, std):
    return bits.float() + std**2 * noise, (bits[:, 0] != bits[:, 1]).long()


@WRONG("there is no noise")
def clean(bits, noise, std):
    return bits.to(torch.float32), (bits.sum(dim=1) == 1).long()


@WRONG("the labels are truth values")
def booleans(bits, noise, std):
    return bits + std * noise, bits.sum(dim=1) == 1


@WRONG("the labels are floating-point numbers")
def floats(bits, noise, std):
    return bits + std * noise, (bits[:, 0] - bits[:, 1]).abs().float()


@WRONG("the labels keep an axis")
def column(bits, noise, std):
    return bits + std * noise, (bits[:, :1] != bits[:, 1:]).long()


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
