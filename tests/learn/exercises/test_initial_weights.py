import math

import pytest

from tests.learn.mutants import Mutants

WRONG = Mutants("initial_weights")


@WRONG("the variance is used as standard deviation")
def variance(normal, gain):
    return gain / normal[0].numel() * normal


@WRONG("fan_out instead of fan_in")
def fan_out(normal, gain):
    kernel = math.prod(normal.shape[2:])
    return normal * math.sqrt(gain / (normal.shape[0] * kernel))


@WRONG("the kernel's size is left out of fan_in")
def linear_only(normal, gain):
    return normal * math.sqrt(gain / normal.size(1))


@WRONG("divided by the number of outputs")
def outputs(normal, gain):
    return normal * math.sqrt(gain / len(normal))


@WRONG("divided by the number of all weights")
def all_weights(normal, gain):
    return math.sqrt(gain / normal.numel()) * normal


@WRONG("Xavier's mean of fan_in and fan_out")
def xavier(normal, gain):
    kernel = math.prod(normal.shape[2:])
    return normal * math.sqrt(gain * 2 / ((normal.shape[0] + normal.shape[1]) * kernel))


@WRONG("the gain is missing")
def no_gain(normal, gain):
    return normal / math.sqrt(normal.flatten(1).shape[1])


@WRONG("always 2 / fan_in")
def he(normal, gain):
    return normal * math.sqrt(2.0 / normal.flatten(1).shape[1])


@WRONG("the gain is not under the root")
def outside(normal, gain):
    return gain * normal / math.sqrt(normal.flatten(1).shape[1])


@WRONG("the numbers are not scaled")
def same(normal, gain):
    return normal


@WRONG("multiplied by fan_in instead of divided")
def times(normal, gain):
    return normal * math.sqrt(gain * math.prod(normal.shape[1:]))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
